//! Guards and bundles: how deep, how many, and of which form. Terms of a bundle are counted, never written out.

use super::bounds::{at_most, when};
use crate::book::{Bundle, Guard};
use crate::finding::{Code, Findings};
use crate::limits::{BUNDLE_DEPTH_MAX, BUNDLE_TERMS_MAX, GUARD_DEPTH_MAX, GUARD_LEAVES_MAX, LIST_MAX};
use crate::path::At;

/// Says which of several fields must be said alone.
pub(crate) fn exactly_one(found: &mut Findings, at: At<'_>, said: usize, of: &str) {
    if said != 1 {
        found.add(
            Code::ExactlyOne,
            at,
            format!("{of} 须恰好写一项，现写了 {said} 项"),
            format!("exactly one of {of} must be said, {said} are"),
        );
    }
}

/// How many of these hold.
pub(crate) fn how_many(said: &[bool]) -> usize {
    said.iter().filter(|said| **said).count()
}

fn too_deep(found: &mut Findings, at: At<'_>, max: usize, name: &str) {
    found.add(
        Code::NestedTooDeep,
        at,
        format!("嵌套超过 {max} 层（{name}）"),
        format!("nests deeper than {max} ({name})"),
    );
}

/// The limits and the form of a guard.
pub(super) fn guard(guard: &Guard, at: At<'_>, found: &mut Findings) {
    let (mut open, mut leaves) = (vec![(guard, 1_usize)], 0_usize);
    while let Some((Guard { all, any, not, fact, ge, le, eq, one_of }, depth)) = open.pop() {
        if depth > GUARD_DEPTH_MAX {
            return too_deep(found, at, GUARD_DEPTH_MAX, "GUARD_DEPTH_MAX");
        }
        let below = depth.saturating_add(1);
        let said = how_many(&[all.is_some(), any.is_some(), not.is_some(), fact.is_some()]);
        exactly_one(found, at, said, "all / any / not / fact");
        let compared = how_many(&[ge.is_some(), le.is_some(), eq.is_some(), one_of.is_some()]);
        if fact.is_some() || compared > 0 {
            exactly_one(found, at, compared, "ge / le / eq / in");
            leaves = leaves.saturating_add(1);
        }
        if compared > 0 && fact.is_none() {
            found.add(Code::MissingField, at, "比较须写明 fact", "a comparison must name a fact");
        }
        for list in [all, any].into_iter().flatten() {
            at_most(found, at, list.len(), (GUARD_LEAVES_MAX, "GUARD_LEAVES_MAX"));
            if list.is_empty() {
                found.add(Code::BadValue, at, "all 或 any 不能为空", "all or any must not be empty");
            }
            open.extend(list.iter().map(|one| (one, below)));
        }
        open.extend(not.iter().map(|one| (&**one, below)));
        if let Some(words) = one_of {
            at_most(found, at, words.len(), (LIST_MAX, "LIST_MAX"));
        }
    }
    at_most(found, at, leaves, (GUARD_LEAVES_MAX, "GUARD_LEAVES_MAX"));
}

/// How large a bundle is in disjunctive normal form; numbers stop at [`MANY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Its terms; 0 where nobody can fulfil it.
    pub(crate) terms: u64,
    /// The records of its largest term.
    pub(crate) items: u64,
    /// The records of its smallest term.
    pub(crate) fewest: u64,
}

/// More than any limit: counts stop here, so that they never overflow.
const MANY: u64 = 1 << 32;

impl Terms {
    const NONE: Self = Self { terms: 0, items: 0, fewest: MANY };

    fn both(self, other: Self) -> Self {
        let terms = self.terms.saturating_mul(other.terms).min(MANY);
        if terms == 0 {
            return Self::NONE;
        }
        let items = self.items.saturating_add(other.items).min(MANY);
        let fewest = self.fewest.saturating_add(other.fewest).min(MANY);
        Self { terms, items, fewest }
    }

    fn either(self, other: Self) -> Self {
        Self {
            terms: self.terms.saturating_add(other.terms).min(MANY),
            items: self.items.max(other.items),
            fewest: self.fewest.min(other.fewest),
        }
    }
}

/// Counts the terms of a bundle whose depth has been checked.
pub(crate) fn bundle_terms(bundle: &Bundle) -> Terms {
    let empty = Terms { terms: 1, items: 0, fewest: 0 };
    if let Some(list) = &bundle.all {
        return list.iter().map(bundle_terms).fold(empty, Terms::both);
    }
    if let Some(list) = &bundle.any {
        return list.iter().map(bundle_terms).fold(Terms::NONE, Terms::either);
    }
    if let Some(n_of) = &bundle.n_of {
        return some_of(&n_of.of.iter().map(bundle_terms).collect::<Vec<_>>(), n_of.least);
    }
    Terms { terms: 1, items: 1, fewest: 1 }
}

/// Every choice of exactly `least` of a list: `chosen[k]` holds those of `k` among the members seen.
fn some_of(list: &[Terms], least: u32) -> Terms {
    let least = usize::try_from(least).unwrap_or(usize::MAX);
    if least > list.len() {
        return Terms::NONE;
    }
    let mut chosen = vec![Terms::NONE; least.saturating_add(1)];
    if let Some(first) = chosen.first_mut() {
        *first = Terms { terms: 1, items: 0, fewest: 0 };
    }
    for one in list {
        let with: Vec<Terms> = chosen.iter().map(|terms| terms.both(*one)).collect();
        for (slot, terms) in chosen.iter_mut().skip(1).zip(with) {
            *slot = slot.either(terms);
        }
    }
    chosen.last().copied().unwrap_or(Terms::NONE)
}

/// The limits and the form of a bundle.
pub(super) fn bundle(bundle: &Bundle, items_max: usize, at: At<'_>, found: &mut Findings) {
    let (mut open, mut wide) = (vec![(bundle, 1_usize)], false);
    while let Some((one, depth)) = open.pop() {
        let Bundle { all, any, n_of, course, record, same_institution, within } = one;
        if depth > BUNDLE_DEPTH_MAX {
            return too_deep(found, at, BUNDLE_DEPTH_MAX, "BUNDLE_DEPTH_MAX");
        }
        let below = depth.saturating_add(1);
        let said =
            how_many(&[all.is_some(), any.is_some(), n_of.is_some(), course.is_some(), record.is_some()]);
        exactly_one(found, at, said, "all / any / n_of / course / record");
        if depth > 1 && (*same_institution || within.is_some()) {
            found.add(
                Code::BadValue,
                at,
                "same_institution 与 within 只能写在最外层",
                "same_institution and within can only be said at the top",
            );
        }
        for list in [all.as_ref(), any.as_ref(), n_of.as_ref().map(|n_of| &n_of.of)].into_iter().flatten() {
            at_most(found, at, list.len(), (BUNDLE_TERMS_MAX, "BUNDLE_TERMS_MAX"));
            wide |= list.len() > BUNDLE_TERMS_MAX;
            open.extend(list.iter().map(|one| (one, below)));
        }
        if let Some(record) = record {
            when(record, at.key("record"), found);
            super::shape::when(record, at.key("record"), found);
        }
    }
    // Counting takes the square of a list's length, so that of one that is too long nothing is counted.
    if wide {
        return;
    }
    let Terms { terms, items, fewest: _ } = bundle_terms(bundle);
    let limits = [
        (terms, u64::try_from(BUNDLE_TERMS_MAX).unwrap_or(MANY), "BUNDLE_TERMS_MAX", "种组合", "terms"),
        (items, u64::try_from(items_max).unwrap_or(MANY), "BUNDLE_ITEMS_MAX", "份记录", "records in a term"),
    ];
    for (count, max, name, zh, en) in limits {
        if count > max {
            let count = if count >= MANY { format!("{MANY}+") } else { count.to_string() };
            found.add(
                Code::BundleTooLarge,
                at,
                format!("成果组合展开后有 {count} {zh}，最多 {max}（{name}）"),
                format!("the bundle has {count} {en}, at most {max} ({name})"),
            );
        }
    }
}
