//! Rows that were met lately, as nouns, in bounded memory.
//!
//! A row lies in one of a set of four places, which the print of its name chooses: to find it costs one or two looks,
//! whatever the count of rows. A set that is full gives up the row that was not asked for the longest.

use credit_ledger::{
    AccountRow, ApplicationRow, AutoApprovalsRow, BatchRow, BookRow, FrameworkRow, InstitutionRow, KeyRow,
    LogRow, RecordRow, Row, RowId, SchemeRow, UsesRow,
};

use crate::table::Print;

/// Places of a set.
const SET_ROWS: usize = 4;
/// Sets of an empty table.
const SETS_MIN: usize = 16;
/// The most sets: 16 MiB of them, for half a million rows.
const SETS_MAX: usize = 1 << 18;
/// What a row takes beside its own bytes: its name, and its place in a set that may be half empty.
const PLACE_BYTES: usize = 192;
/// What an element of a row's lists takes.
const LISTED_BYTES: usize = 256;
/// Bytes of a print.
const PRINT_BYTES: usize = 8;
/// The most bytes of a name. The longest is a chunk's: three tags, an institution of 64 bytes with its length, 16 bytes
/// of a statement's id, a tag and a number.
const NAME_BYTES_MAX: usize = PRINT_BYTES + 90;

/// A row's name in bytes: a print of its encoding and the encoding. Names ascend by their prints, so that two of them
/// mostly differ in their first bytes and are quickly compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    print: u64,
    bytes: [u8; NAME_BYTES_MAX],
    length: u8,
}

impl Name {
    /// Of a row.
    pub(crate) fn of(id: &RowId) -> Self {
        let mut bytes = [0; NAME_BYTES_MAX];
        let (front, back) = bytes.split_at_mut(PRINT_BYTES);
        let Ok(encoded) = postcard::to_slice(id, back) else {
            unreachable!("every name is as short as that")
        };
        let print = Print::of(encoded);
        let length = u8::try_from(encoded.len().saturating_add(PRINT_BYTES)).unwrap_or(u8::MAX);
        front.copy_from_slice(&print.bits().to_be_bytes());
        Self { print: print.bits(), bytes, length }
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The row whose name has these bytes.
    pub(crate) fn read(bytes: &[u8]) -> RowId {
        let Ok(id) = postcard::from_bytes(bytes.get(PRINT_BYTES..).unwrap_or_default()) else {
            unreachable!("what this very process encoded is decoded")
        };
        id
    }
}

/// A row with its name, side by side in memory: who compares the name has the row at hand.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The row.
    pub(crate) row: Row,
    /// Its name.
    pub(crate) name: Name,
    /// Whether it lies here only, or differs from what lies elsewhere.
    pub(crate) changed: bool,
}

/// A row by the print of its name.
type Place = Option<(u64, Box<Kept>)>;

/// Four places are a line of the processor's cache: one access shows which of them, if any, has a row. The row asked for
/// last stands first.
type Set = [Place; SET_ROWS];

/// Where in a set a row is.
fn find(set: &Set, name: &Name) -> Option<usize> {
    let is = |(print, kept): &(u64, Box<Kept>)| *print == name.print && kept.name.bytes() == name.bytes();
    set.iter().position(|place| place.as_ref().is_some_and(is))
}

/// Rows met lately.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    /// As many as a power of two.
    sets: Vec<Set>,
    rows: usize,
    bytes: usize,
    bytes_max: usize,
    /// The set that gives up a row next where there is no more room.
    hand: usize,
}

impl Recent {
    /// None yet, and about so many bytes at most.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { sets: empty(SETS_MIN), rows: 0, bytes: 0, bytes_max, hand: 0 }
    }

    /// A row, if it is here.
    pub(crate) fn get(&mut self, name: &Name) -> Option<&Row> {
        let at = place(name.print, self.sets.len());
        let set = self.sets.get_mut(at)?;
        let at = find(set, name)?;
        set.get_mut(..=at)?.rotate_right(1);
        set.first()?.as_ref().map(|(_, kept)| &kept.row)
    }

    /// Takes a row out, if it is here.
    pub(crate) fn remove(&mut self, name: &Name) -> Option<Kept> {
        let at = place(name.print, self.sets.len());
        let set = self.sets.get_mut(at)?;
        let at = find(set, name)?;
        set.get_mut(at..)?.rotate_left(1);
        let taken = set.last_mut()?.take();
        self.gone(taken)
    }

    /// Puts a row that is not here, and gives those up for which there is no more room.
    pub(crate) fn put<E>(
        &mut self,
        kept: Kept,
        mut give_up: impl FnMut(Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        // Half of the places stay empty, so that few sets have more rows than places: such a set gives up rows in turn.
        if self.rows >= self.sets.len().saturating_mul(SET_ROWS).div_euclid(2) && self.sets.len() < SETS_MAX {
            self.grow();
        }
        self.rows = self.rows.saturating_add(1);
        self.bytes = self.bytes.saturating_add(weight(&kept.row));
        let sets = self.sets.len();
        let set = self.sets.get_mut(place(kept.name.print, sets));
        let last = set.and_then(|set| push(set, (kept.name.print, Box::new(kept))));
        if let Some(kept) = self.gone(last) {
            give_up(kept)?;
        }
        for _ in 0..sets {
            if self.bytes <= self.bytes_max {
                break;
            }
            self.hand = self.hand.saturating_add(1) & sets.saturating_sub(1);
            let set = self.sets.get_mut(self.hand);
            let last = set.and_then(|set| set.iter_mut().rev().find(|kept| kept.is_some())?.take());
            if let Some(kept) = self.gone(last) {
                give_up(kept)?;
            }
        }
        Ok(())
    }

    /// All rows, which are here no more.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Kept> + use<> {
        let all = std::mem::replace(self, Self::new(self.bytes_max));
        all.sets.into_iter().flatten().flatten().map(|(_, kept)| *kept)
    }

    /// Counts a row as gone.
    fn gone(&mut self, taken: Place) -> Option<Kept> {
        let (_, kept) = taken?;
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(weight(&kept.row));
        Some(*kept)
    }

    /// Twice as many sets: the rows of one go into two, in their order.
    fn grow(&mut self) {
        let count = self.sets.len().saturating_mul(2);
        for set in std::mem::replace(&mut self.sets, empty(count)) {
            for (print, kept) in set.into_iter().rev().flatten() {
                if let Some(set) = self.sets.get_mut(place(print, count)) {
                    push(set, (print, kept));
                }
            }
        }
    }
}

fn empty(sets: usize) -> Vec<Set> {
    std::iter::repeat_with(Set::default).take(sets).collect()
}

/// The set of a print: its lowest bits, for sets are as many as a power of two.
fn place(print: u64, sets: usize) -> usize {
    let mask = u64::try_from(sets).unwrap_or(1).saturating_sub(1);
    usize::try_from(print & mask).unwrap_or(0)
}

/// Puts a row in front; gives the last one where all places are taken.
fn push(set: &mut Set, row: (u64, Box<Kept>)) -> Place {
    set.rotate_right(1);
    set.first_mut().and_then(|first| first.replace(row))
}

/// About what a row takes in memory.
fn weight(row: &Row) -> usize {
    let (own, listed) = match row {
        Row::Log(_) => (size_of::<LogRow>(), 16),
        Row::Institution(row) => {
            (size_of::<InstitutionRow>(), row.admission.accreditations.len().saturating_add(row.keys.len()))
        }
        Row::Key(row) => (size_of::<KeyRow>(), row.authorised_by.len()),
        Row::Framework(row) => (size_of::<FrameworkRow>(), row.framework.schemes.len()),
        Row::Scheme(_) => (size_of::<SchemeRow>(), 0),
        Row::Account(row) => (size_of::<AccountRow>(), row.steps.len()),
        Row::Record(row) => (size_of::<RecordRow>(), row.steps.len().saturating_add(1)),
        Row::Batch(_) => (size_of::<BatchRow>(), 0),
        Row::OpenBatches(row) => (0, row.batches.len()),
        Row::Book(row) => (size_of::<BookRow>(), row.versions.len()),
        Row::AutoApprovals(row) => {
            let rules = row.approvals.iter().map(|given| given.approval.rules.len().saturating_add(1));
            (size_of::<AutoApprovalsRow>(), rules.fold(0usize, usize::saturating_add))
        }
        Row::Application(row) => {
            let listed = [row.items.len(), row.request.records.len(), row.steps.len(), row.granted.len()];
            (size_of::<ApplicationRow>(), listed.into_iter().fold(0usize, usize::saturating_add))
        }
        Row::Uses(row) => {
            let listed = [row.applications.len(), row.held.len(), row.uses.len()];
            (size_of::<UsesRow>(), listed.into_iter().fold(0usize, usize::saturating_add))
        }
        Row::Command(_) | Row::Subject(_) | Row::Head(_) | Row::Leaf(_) => (0, 0),
    };
    listed.saturating_mul(LISTED_BYTES).saturating_add(own).saturating_add(PLACE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_ledger::CommandRow;
    use std::collections::BTreeMap;

    fn row(index: u64) -> Row {
        Row::Command(CommandRow { index })
    }

    #[test]
    fn every_row_is_here_or_was_given_up_as_it_was_last_put() {
        for bytes_max in [0, 5 * PLACE_BYTES, 200 * PLACE_BYTES, usize::MAX] {
            let mut recent = Recent::new(bytes_max);
            let mut given: BTreeMap<Vec<u8>, Row> = BTreeMap::new();
            let mut model: BTreeMap<u64, Row> = BTreeMap::new();
            for step in 0..20_000u64 {
                let number = step.wrapping_mul(step) % 1_009;
                let name = Name::of(&RowId::Batch(number));
                recent.remove(&name);
                model.insert(number, row(step));
                let kept = Kept { row: row(step), name, changed: true };
                let put: Result<(), ()> = recent.put(kept, |kept| {
                    given.insert(kept.name.bytes().to_vec(), kept.row);
                    Ok(())
                });
                assert_eq!(put, Ok(()));
                assert!(recent.bytes <= bytes_max && recent.bytes == recent.rows * PLACE_BYTES);
                let asked = step % 1_009;
                let name = Name::of(&RowId::Batch(asked));
                let found = recent.get(&name).cloned();
                let found = found.or_else(|| given.get(name.bytes()).cloned());
                assert_eq!(found.as_ref(), model.get(&asked), "{bytes_max} {step}");
            }
            let left: Vec<Kept> = recent.take_all().collect();
            assert_eq!(left.is_empty(), bytes_max == 0);
            given.extend(left.into_iter().map(|kept| (kept.name.bytes().to_vec(), kept.row)));
            let named = given.iter().map(|(name, row)| (Name::read(name), row.clone()));
            let all: BTreeMap<RowId, Row> = named.collect();
            assert!(all.into_iter().eq(model.into_iter().map(|(id, row)| (RowId::Batch(id), row))));
            assert_eq!((recent.rows, recent.bytes), (0, 0));
        }
    }

    #[test]
    fn a_full_set_gives_up_what_was_not_asked_for_the_longest() {
        let mut set = Set::default();
        let kept = |number| {
            let name = Name::of(&RowId::Batch(number));
            (name.print, Box::new(Kept { row: row(number), name, changed: false }))
        };
        for number in 0..4 {
            assert!(push(&mut set, kept(number)).is_none());
        }
        let gone = push(&mut set, kept(4)).map(|(_, kept)| kept.row);
        assert_eq!(gone, Some(row(0)));
    }
}
