//! Institutions and their keys.

use credit_types::limits::{
    ACCREDITATIONS_MAX, ADMISSION_KEYS_MAX, CODE_BYTES_MAX, DISTRICT_CODE_BYTES, LEVEL_RANGES_MAX,
    LEVEL_TENTHS_MAX, PREFIXES_MAX, REFERENCE_BYTES_MAX, USCI_BYTES, VALIDITY_YEARS_MAX,
};
use credit_types::{
    Accreditation, Digest, FrameworkId, Header, InstitutionAdmission, InstitutionId, InstitutionKey,
    KeyAddition, KeyCompromise, KeyPurpose, KeyRetirement, Kid, LevelRange,
};
use std::collections::BTreeSet;

use crate::enumeration::Enumerated as _;
use crate::field::{
    ascending, ascii, coded, count, date, date_wire, ensure, enumeration, enumerations, named,
    optional_coded, optional_date, optional_named, range, required, sized, text, text_wire,
};
use crate::genesis::{key, key_wire};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::{Admit, Reading};
use crate::statement::{Signable, header, header_wire};
use crate::v1;

impl Signable for InstitutionAdmission {
    const TYPE: &'static str = payload_type::INSTITUTION_ADMISSION;
    type Wire = v1::InstitutionAdmission;

    fn to_wire(&self, header: Option<&Header>) -> v1::InstitutionAdmission {
        v1::InstitutionAdmission {
            header: header_wire(header),
            institution_id: self.institution_id.as_str().to_owned(),
            kind: self.kind.number(),
            roles: self.roles.iter().map(|role| role.number()).collect(),
            district_code: self.district_code.clone(),
            parent_id: self.parent_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            name: text_wire(&self.name),
            usci: self.usci.clone(),
            accreditations: self.accreditations.iter().map(accreditation_wire).collect(),
            keys: self.keys.iter().map(institution_key_wire).collect(),
            default_validity_years: self.default_validity_years,
        }
    }

    fn from_wire(
        wire: v1::InstitutionAdmission,
        reading: Reading,
    ) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::InstitutionAdmission {
            header: header_wire,
            institution_id,
            kind,
            roles,
            district_code,
            parent_id,
            name,
            usci: usci_wire,
            accreditations: accreditation_wires,
            keys,
            default_validity_years,
        } = wire;
        let header = header(header_wire)?;
        count("accreditations", &accreditation_wires, 0..=ACCREDITATIONS_MAX)?;
        let mut accreditations = Vec::with_capacity(accreditation_wires.len());
        for (position, wire) in accreditation_wires.into_iter().enumerate() {
            accreditations.push(accreditation(wire).at_element("accreditations", position)?);
        }
        let body = Self {
            institution_id: named("institution_id", institution_id, InstitutionId::new)?,
            kind: enumeration("kind", kind)?,
            roles: enumerations("roles", roles)?,
            district_code: coded("district_code", district_code, DISTRICT_FORM, is_district)?,
            parent_id: optional_named("parent_id", parent_id, InstitutionId::new)?,
            name: text("name", name, reading.stage)?,
            usci: optional_coded("usci", usci_wire, USCI_FORM, is_usci)?,
            accreditations,
            keys: institution_keys(keys, reading.admit)?,
            default_validity_years: range(
                "default_validity_years",
                default_validity_years,
                0..=VALIDITY_YEARS_MAX,
            )?,
        };
        Ok((header, body))
    }
}

/// The form of an administrative division.
pub(crate) const DISTRICT_FORM: &str = "6 digits (GB/T 2260)";

/// Whether a text is an administrative division.
pub(crate) fn is_district(text: &str) -> bool {
    text.len() == DISTRICT_CODE_BYTES && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The form of a unified social credit identifier.
pub(crate) const USCI_FORM: &str = "18 digits and capital letters (GB 32100)";

/// Whether a text has the form of a unified social credit identifier. Its check character is the registrar's to
/// judge: provisional identifiers without a valid one are in use.
pub(crate) fn is_usci(text: &str) -> bool {
    text.len() == USCI_BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

fn institution_keys(
    wires: Vec<v1::InstitutionKey>,
    admit: Admit,
) -> Result<Vec<InstitutionKey>, InvalidField> {
    count("keys", &wires, 1..=ADMISSION_KEYS_MAX)?;
    let mut keys = Vec::with_capacity(wires.len());
    for (position, wire) in wires.into_iter().enumerate() {
        keys.push(institution_key(wire, admit).at_element("keys", position)?);
    }
    let bytes: Vec<[u8; 32]> = keys.iter().map(|key| key.key.bytes).collect();
    ascending("keys", &bytes)?;
    let with = |purpose: KeyPurpose| -> BTreeSet<Kid> {
        keys.iter().filter(|key| key.purposes.contains(&purpose)).map(|key| key.key.kid).collect()
    };
    let (keepers, recoverers) = (with(KeyPurpose::Keys), with(KeyPurpose::Recovery));
    let two = !keepers.is_empty() && !recoverers.is_empty() && keepers.union(&recoverers).count() >= 2;
    ensure(two, "keys", "must have one key of purpose KEYS and another of purpose RECOVERY: add them")?;
    Ok(keys)
}

fn institution_key(wire: v1::InstitutionKey, admit: Admit) -> Result<InstitutionKey, InvalidField> {
    let v1::InstitutionKey { key: key_wire, purposes } = wire;
    let key = required("key", key_wire).and_then(|wire| key(wire, admit).at("key"))?;
    Ok(InstitutionKey { key, purposes: enumerations("purposes", purposes)? })
}

fn institution_key_wire(key: &InstitutionKey) -> v1::InstitutionKey {
    let InstitutionKey { key, purposes } = key;
    v1::InstitutionKey {
        key: Some(key_wire(key)),
        purposes: purposes.iter().map(|purpose| purpose.number()).collect(),
    }
}

fn accreditation(wire: v1::Accreditation) -> Result<Accreditation, InvalidField> {
    let v1::Accreditation {
        accreditation_no,
        authority,
        kinds,
        levels: level_wires,
        subject_prefixes,
        occupation_prefixes,
        valid_from,
        valid_to,
    } = wire;
    count("levels", &level_wires, 0..=LEVEL_RANGES_MAX)?;
    let mut levels = Vec::with_capacity(level_wires.len());
    for (position, wire) in level_wires.into_iter().enumerate() {
        levels.push(level_range(wire).at_element("levels", position)?);
    }
    let frameworks: Vec<&FrameworkId> = levels.iter().map(|level| &level.framework).collect();
    ascending("levels", &frameworks)?;
    let valid_from = date("valid_from", valid_from)?;
    let valid_to = optional_date("valid_to", valid_to)?;
    let forwards = valid_to.is_none_or(|valid_to| valid_from <= valid_to);
    ensure(forwards, "valid_to", "must not be before valid_from: correct it")?;
    Ok(Accreditation {
        accreditation_no: ascii("accreditation_no", accreditation_no, 1..=REFERENCE_BYTES_MAX)?,
        authority: ascii("authority", authority, 1..=REFERENCE_BYTES_MAX)?,
        kinds: enumerations("kinds", kinds)?,
        levels,
        subject_prefixes: prefixes("subject_prefixes", subject_prefixes)?,
        occupation_prefixes: prefixes("occupation_prefixes", occupation_prefixes)?,
        valid_from,
        valid_to,
    })
}

fn accreditation_wire(accreditation: &Accreditation) -> v1::Accreditation {
    v1::Accreditation {
        accreditation_no: accreditation.accreditation_no.clone(),
        authority: accreditation.authority.clone(),
        kinds: accreditation.kinds.iter().map(|kind| kind.number()).collect(),
        levels: accreditation.levels.iter().map(level_range_wire).collect(),
        subject_prefixes: accreditation.subject_prefixes.iter().cloned().collect(),
        occupation_prefixes: accreditation.occupation_prefixes.iter().cloned().collect(),
        valid_from: Some(date_wire(accreditation.valid_from)),
        valid_to: accreditation.valid_to.map(date_wire),
    }
}

fn prefixes(field: &str, texts: Vec<String>) -> Result<BTreeSet<String>, InvalidField> {
    count(field, &texts, 0..=PREFIXES_MAX)?;
    ascending(field, &texts)?;
    let mut set = BTreeSet::new();
    for (position, text) in texts.into_iter().enumerate() {
        set.insert(ascii("", text, 1..=CODE_BYTES_MAX).at_element(field, position)?);
    }
    Ok(set)
}

fn level_range(wire: v1::LevelRange) -> Result<LevelRange, InvalidField> {
    let v1::LevelRange { framework, min_tenths, max_tenths } = wire;
    Ok(LevelRange {
        framework: named("framework", framework, FrameworkId::new)?,
        min_tenths: range("min_tenths", min_tenths, 0..=LEVEL_TENTHS_MAX)?,
        max_tenths: range("max_tenths", max_tenths, min_tenths..=LEVEL_TENTHS_MAX)?,
    })
}

fn level_range_wire(range: &LevelRange) -> v1::LevelRange {
    let LevelRange { framework, min_tenths, max_tenths } = range;
    v1::LevelRange {
        framework: framework.as_str().to_owned(),
        min_tenths: *min_tenths,
        max_tenths: *max_tenths,
    }
}

impl Signable for KeyAddition {
    const TYPE: &'static str = payload_type::KEY_ADDITION;
    type Wire = v1::KeyAddition;

    fn to_wire(&self, header: Option<&Header>) -> v1::KeyAddition {
        let Self { institution_id, key } = self;
        v1::KeyAddition {
            header: header_wire(header),
            institution_id: institution_id.as_str().to_owned(),
            key: Some(institution_key_wire(key)),
        }
    }

    fn from_wire(wire: v1::KeyAddition, reading: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::KeyAddition { header: header_wire, institution_id, key } = wire;
        let header = header(header_wire)?;
        let body = Self {
            institution_id: named("institution_id", institution_id, InstitutionId::new)?,
            key: required("key", key).and_then(|wire| institution_key(wire, reading.admit).at("key"))?,
        };
        Ok((header, body))
    }
}

impl Signable for KeyRetirement {
    const TYPE: &'static str = payload_type::KEY_RETIREMENT;
    type Wire = v1::KeyRetirement;

    fn to_wire(&self, header: Option<&Header>) -> v1::KeyRetirement {
        let Self { after, kid } = self;
        v1::KeyRetirement { header: header_wire(header), after: after.0.to_vec(), kid: kid.0.to_vec() }
    }

    fn from_wire(wire: v1::KeyRetirement, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::KeyRetirement { header: header_wire, after, kid } = wire;
        let header = header(header_wire)?;
        let after = sized("after", &after, Digest::from_slice)?;
        Ok((header, Self { after, kid: sized("kid", &kid, Kid::from_slice)? }))
    }
}

impl Signable for KeyCompromise {
    const TYPE: &'static str = payload_type::KEY_COMPROMISE;
    type Wire = v1::KeyCompromise;

    fn to_wire(&self, header: Option<&Header>) -> v1::KeyCompromise {
        let Self { kid, suspect_from_index } = self;
        v1::KeyCompromise {
            header: header_wire(header),
            kid: kid.0.to_vec(),
            suspect_from_index: *suspect_from_index,
        }
    }

    fn from_wire(wire: v1::KeyCompromise, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::KeyCompromise { header: header_wire, kid, suspect_from_index } = wire;
        let header = header(header_wire)?;
        Ok((header, Self { kid: sized("kid", &kid, Kid::from_slice)?, suspect_from_index }))
    }
}
