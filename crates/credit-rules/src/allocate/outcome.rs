//! What a plan says, in the words of the book.

use super::Allocated;
use super::caps::CapNote;
use super::lower::Lowered;
use crate::answer::{Line, Offer, Refusal};
use crate::plan::{By, Plan};
use crate::reason::Reason;
use crate::value::{Credit, Name};
use std::collections::{BTreeMap, BTreeSet};

/// What one offer grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The offer, as an index of [`Allocated::offers`].
    pub offer: usize,
    /// Its lines, with what each grants; lines that grant nothing and waive nothing are left out.
    pub lines: Vec<Line>,
}

/// A maximum, and what is used of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapUse {
    /// The maximum.
    pub note: CapNote,
    /// What the plan uses of it.
    pub granted: i64,
    /// Whether nothing is left of it although more was on offer.
    pub binding: bool,
}

/// What is still missing of a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The requirement, or the course.
    pub need: Name,
    /// The credit that is missing; none of a course.
    pub credit: Credit,
    /// What was needed after earlier uses.
    pub required: Credit,
}

/// Says what a plan means.
pub(crate) fn told(
    offers: Vec<Offer>,
    mut refusals: Vec<Refusal>,
    cut: Vec<Name>,
    lowered: Lowered,
    plan: Plan,
) -> Allocated {
    let mut granted: BTreeMap<usize, &[i64]> = BTreeMap::new();
    for taken in &plan.allocation.taken {
        granted.insert(taken.offer, taken.granted.as_slice());
    }
    let open_to = Open::of(&offers, &granted, &lowered.families);
    let caps: Vec<CapUse> = lowered.caps.iter().map(|note| cap_use(note, &open_to)).collect();
    let grants: Vec<Grant> = granted
        .iter()
        .filter_map(|(at, lines)| Some(Grant { offer: *at, lines: lines_of(offers.get(*at)?, lines) }))
        .collect();
    refusals.extend(lost(&offers, &granted, &caps, &lowered.families));
    Refusal::in_order(&mut refusals);
    let missing = missing(&lowered, &plan);
    let open: BTreeSet<&Name> = missing.iter().map(|missing| &missing.need).collect();
    let completed = lowered.needs.iter().filter(|need| !open.contains(need)).cloned().collect();
    Allocated {
        grants,
        credit_milli: plan.allocation.credit_milli,
        refusals,
        caps,
        missing,
        completed,
        cut,
        offers,
        model: lowered.model,
        plan,
    }
}

/// The lines of an offer with what each grants.
fn lines_of(offer: &Offer, granted: &[i64]) -> Vec<Line> {
    let lines = offer.lines.iter().zip(granted);
    lines
        .filter(|(line, granted)| **granted > 0 || line.waive)
        .map(|(line, granted)| Line { credit: Credit(*granted), ..line.clone() })
        .collect()
}

/// What might have been granted beside what was, but for a maximum.
struct Open<'a> {
    offers: &'a [Offer],
    granted: &'a BTreeMap<usize, &'a [i64]>,
    /// Offers that were not taken because another one has their records, or counts for their family.
    displaced: BTreeSet<usize>,
}

impl<'a> Open<'a> {
    fn of(offers: &'a [Offer], granted: &'a BTreeMap<usize, &'a [i64]>, families: &[Vec<usize>]) -> Self {
        let taken: BTreeSet<&Name> =
            granted.keys().filter_map(|at| offers.get(*at)).flat_map(|offer| &offer.records).collect();
        let of_family = |at: &usize| {
            let mut own = families.iter().filter(|family| family.contains(at)).flatten();
            own.any(|other| granted.contains_key(other))
        };
        let displaced = |(at, offer): &(usize, &Offer)| {
            let used = offer.records.iter().any(|record| taken.contains(record));
            !granted.contains_key(at) && (used || of_family(at))
        };
        let displaced = offers.iter().enumerate().filter(displaced).map(|(at, _)| at).collect();
        Self { offers, granted, displaced }
    }

    /// How much more a line of an offer would have used of a maximum.
    fn wanted(&self, by: By, at: usize, line: usize) -> i64 {
        let got = self.granted.get(&at);
        if by == By::Count {
            return i64::from(got.is_none() && !self.displaced.contains(&at));
        }
        let Some(offer) = self.offers.get(at).filter(|_| !self.displaced.contains(&at)) else { return 0 };
        let full = offer.lines.get(line).map_or(0, |line| line.credit.0);
        let has = match got {
            None => 0,
            // Lines among which one credit is divided have all of it together.
            Some(lines) if offer.splittable => lines.iter().fold(0, |sum: i64, own| sum.saturating_add(*own)),
            Some(lines) => lines.get(line).copied().unwrap_or_default(),
        };
        full.saturating_sub(has)
    }
}

/// What is used of a maximum.
fn cap_use(note: &CapNote, open: &Open<'_>) -> CapUse {
    let granted = open.granted;
    let of = |(offer, line): &(usize, usize)| {
        let taken = granted.get(offer)?;
        match note.by {
            By::Credit => taken.get(*line).copied(),
            By::Count => Some(1),
        }
    };
    let used_now = note.members.iter().filter_map(of).fold(0, i64::saturating_add);
    let left = note.limit.saturating_sub(note.used).saturating_sub(used_now);
    // One more, or one fuller, line of it would have used more than is left.
    let binding = note.members.iter().any(|(offer, line)| open.wanted(note.by, *offer, *line) > left);
    CapUse { note: note.clone(), granted: used_now, binding }
}

/// Why offers were not taken.
fn lost(
    offers: &[Offer],
    granted: &BTreeMap<usize, &[i64]>,
    caps: &[CapUse],
    families: &[Vec<usize>],
) -> Vec<Refusal> {
    let taken = || granted.keys().filter_map(|at| offers.get(*at));
    let winner_of = |record: &Name| taken().find(|offer| offer.records.contains(record));
    let mut refusals = Vec::new();
    for (at, offer) in offers.iter().enumerate().filter(|(at, _)| !granted.contains_key(at)) {
        let sibling = families
            .iter()
            .filter(|family| family.contains(&at))
            .flat_map(|family| family.iter().filter(|other| granted.contains_key(other)))
            .find_map(|other| offers.get(*other));
        for record in &offer.records {
            let (reason, detail) = match (winner_of(record), sibling) {
                // The same rule used it in another way: nothing was lost.
                (Some(winner), _) if winner.rule == offer.rule => continue,
                (Some(winner), _) => (Reason::LostTo, winner.rule.to_string()),
                (None, Some(sibling)) => (Reason::DuplicateSubject, joined(&sibling.records)),
                (None, None) => stopped(offer, at, caps, taken()),
            };
            refusals.push(Refusal {
                record: record.clone(),
                rule: Some(offer.rule.clone()),
                reason,
                detail,
                failed: Vec::new(),
                near_miss: false,
            });
        }
    }
    refusals
}

/// What stopped an offer of which no record is used: a maximum, or another offer that needs one of its records.
fn stopped<'o>(
    offer: &Offer,
    at: usize,
    caps: &[CapUse],
    mut taken: impl Iterator<Item = &'o Offer>,
) -> (Reason, String) {
    if let Some(other) = taken.find(|other| other.records.iter().any(|record| offer.records.contains(record)))
    {
        return (Reason::LostTo, other.rule.to_string());
    }
    let about = |cap: &&CapUse| cap.binding && cap.note.members.iter().any(|(offer, _)| *offer == at);
    // The tightest first; at a tie the first by name.
    let left = |cap: &CapUse| cap.note.limit.saturating_sub(cap.note.used).saturating_sub(cap.granted);
    let tightest = caps.iter().filter(about).min_by_key(|cap| (left(cap), cap.note.id.clone()));
    match tightest {
        Some(cap) if cap.note.reserved => (Reason::ReservedOwn, cap.note.id.clone()),
        Some(cap) => (Reason::CapReached, cap.note.id.clone()),
        None => (Reason::LostTo, String::new()),
    }
}

fn joined(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// What stays open.
fn missing(lowered: &Lowered, plan: &Plan) -> Vec<Missing> {
    let open = plan.allocation.missing(&lowered.model);
    open.into_iter()
        .filter_map(|(at, milli)| {
            Some(Missing {
                need: lowered.needs.get(at)?.clone(),
                credit: Credit(milli),
                required: Credit(lowered.model.needs.get(at)?.required),
            })
        })
        .collect()
}
