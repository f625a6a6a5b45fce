//! What is wrong with a book that was read: the checks that keep it from being published.
//!
//! Each check is exact or errs on the side of saying too much, never too little: a guard may be true or false, a prefix
//! may stand for anything that begins so. What each may cost has a bound with a name; where it is reached, the book is
//! refused with that name instead of being passed.

mod arbitrage;
mod atoms;
mod bounded;
mod compliance;
mod conditions;
mod conversions;
mod coverage;
mod grades;
mod ids;
mod impossible;
mod monotone;
mod overlap;
mod overrides;
mod places;
mod reach;
mod rule_box;
mod sweep;
mod tables;
mod versions;
mod whole;

use crate::book::Book;
use crate::cases::Cases;
use crate::finding::{Finding, Findings};
use credit_types::CivilDate;
use ids::Ids;

/// What a book is checked against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The worked cases beside it; without them nothing is said of what they cover.
    pub cases: Option<&'a Cases>,
    /// All published versions of the same id, in any order.
    pub previous: &'a [Book],
    /// Other books that are in force: credit must not be made by going round through them.
    pub others: &'a [Book],
    /// The day of publication; without one nothing is said of what begins before it.
    pub published_on: Option<CivilDate>,
}

/// Checks a book. The order of what is found depends on the book alone: by check, then by place. Places in a text are
/// filled in by [`crate::parse::locate`].
pub fn check(book: &Book, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let ids = Ids::of(book);
    let mut found = Findings::default();
    conditions::check(book, &ids, &mut found);
    conversions::check(book, &ids, &mut found);
    places::check(book, &ids, &mut found);
    compliance::check(book, &ids, &mut found);
    grades::check(book, &ids, &mut found);
    tables::check(book, &mut found);
    let groups = rule_box::groups(book);
    let boxes = rule_box::boxes(book, &groups);
    overlap::check(book, &boxes, &mut found);
    reach::check(book, &boxes, &mut found);
    impossible::check(book, &mut found);
    bounded::check(book, &mut found);
    arbitrage::check(book, surroundings.others, &mut found);
    overrides::check(book, &mut found);
    whole::check(book, &mut found);
    monotone::check(book, &mut found);
    versions::check(book, surroundings.previous, surroundings.published_on, &mut found);
    if let Some(cases) = surroundings.cases {
        coverage::check(book, cases, &mut found);
    }
    let mut list = found.finish();
    list.sort_by(|one, other| {
        (one.check, one.document, &one.path, one.code).cmp(&(
            other.check,
            other.document,
            &other.path,
            other.code,
        ))
    });
    list
}
