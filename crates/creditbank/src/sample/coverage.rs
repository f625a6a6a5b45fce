//! Whether an institution may attest an item of the catalogue.

use super::catalogue::CatalogueItem;
use credit_types::{Accreditation, CivilDate, InstitutionAdmission};

/// Whether one of the institution's accreditations covers a record of the item that is awarded on that day.
pub(crate) fn covers(
    institution: &InstitutionAdmission,
    item: &CatalogueItem,
    awarded_on: CivilDate,
) -> bool {
    institution.accreditations.iter().any(|accreditation| covered(accreditation, item, awarded_on))
}

fn covered(accreditation: &Accreditation, item: &CatalogueItem, awarded_on: CivilDate) -> bool {
    let Accreditation {
        accreditation_no: _,
        authority: _,
        kinds,
        levels,
        subject_prefixes,
        occupation_prefixes,
        valid_from,
        valid_to,
    } = accreditation;
    let in_force = *valid_from <= awarded_on && valid_to.is_none_or(|last| awarded_on <= last);
    let level = levels.is_empty()
        || item.level.as_ref().is_some_and(|level| {
            levels.iter().any(|range| {
                range.framework == level.framework
                    && (range.min_tenths..=range.max_tenths).contains(&level.tenths)
            })
        });
    let begins = |code: &str, prefix: &String| !code.is_empty() && code.starts_with(prefix.as_str());
    let code = (subject_prefixes.is_empty() && occupation_prefixes.is_empty())
        || subject_prefixes.iter().any(|prefix| begins(&item.subject_code, prefix))
        || occupation_prefixes.iter().any(|prefix| begins(&item.occupation_code, prefix));
    kinds.contains(&item.kind) && in_force && level && code
}
