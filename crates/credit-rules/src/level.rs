//! Levels of two ladders held against each other, by the maps of a book; never by a guess.

use crate::book::{Book, LevelValue};
use crate::value::Name;
use serde::{Deserialize, Serialize};

/// How a level stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The same.
    Equal,
    /// Above it.
    Above,
    /// Below it, by so many levels of the target's ladder.
    Below(u32),
    /// No map says how they stand.
    Unmapped,
}

/// A level in another ladder: itself in its own, otherwise by a map of the book.
pub fn carried(book: &Book, from: &Name, level: LevelValue, to: &Name) -> Option<LevelValue> {
    if from == to {
        return Some(level);
    }
    let forwards = book.level_maps.iter().filter(|map| map.from == *from && map.to == *to);
    let mut found = forwards.flat_map(|map| &map.rows).filter(|row| row.from == level).map(|row| row.to);
    if let Some(first) = found.next() {
        // Two maps that disagree say nothing.
        return found.all(|other| other == first).then_some(first);
    }
    let backwards = book.level_maps.iter().filter(|map| map.both_ways && map.to == *from && map.from == *to);
    let mut found = backwards.flat_map(|map| &map.rows).filter(|row| row.to == level).map(|row| row.from);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// How high a level is in its ladder: more is higher, whatever way the ladder counts.
pub fn height(book: &Book, ladder: &Name, level: LevelValue) -> i64 {
    let descending = book.ladders.get(ladder).is_some_and(|ladder| ladder.descending);
    let tenths = i64::from(level.0);
    if descending { tenths.saturating_neg() } else { tenths }
}

/// How a level of one ladder stands to a level of another.
pub fn standing(book: &Book, from: (&Name, LevelValue), target: (&Name, LevelValue)) -> Standing {
    let Some(own) = carried(book, from.0, from.1, target.0) else {
        return Standing::Unmapped;
    };
    let (own, asked) = (height(book, target.0, own), height(book, target.0, target.1));
    match own.cmp(&asked) {
        std::cmp::Ordering::Equal => Standing::Equal,
        std::cmp::Ordering::Greater => Standing::Above,
        std::cmp::Ordering::Less => {
            // Counted in levels that the ladder has, or in whole levels where it names none.
            let named = book.ladders.get(target.0).map(|ladder| {
                let between = ladder
                    .levels
                    .iter()
                    .map(|level| height(book, target.0, level.level))
                    .filter(|height| (own..asked).contains(height));
                between.count()
            });
            let tenths = asked.saturating_sub(own);
            let whole = usize::try_from(tenths.saturating_add(9).checked_div(10).unwrap_or_default());
            let count = named.filter(|count| *count > 0).or(whole.ok()).unwrap_or_default();
            Standing::Below(u32::try_from(count).unwrap_or(u32::MAX))
        }
    }
}
