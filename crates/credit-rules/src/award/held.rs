//! What a learner holds for an award, from records and from what conversions granted.

use super::Held;
use crate::book::{Award, Book, KindName, Requirement};
use crate::evaluate::excludes;
use crate::input::{Record, Use};
use crate::value::{Day, Name};

impl Held {
    /// A record that counts by itself. Its credit counts where it is in the award's standard.
    pub fn of_record(award: &Award, record: &Record) -> Self {
        let own = record.std.as_ref().is_none_or(|std| *std == award.std);
        Self {
            id: record.id.clone(),
            issuer: record.issuer.clone(),
            credit: record.credit.filter(|_| own).unwrap_or_default(),
            earned_on: record.earned_on,
            kind: Some(record.kind),
            pool: None,
            course: record.course.as_ref().map(without_version),
            hours: record.hours,
            level: record.level,
            ladder: record.ladder.clone(),
            passed: record.passed,
        }
    }

    /// What a conversion granted: to a course that the award or its programme names, otherwise to a requirement or a
    /// category. What was granted was passed.
    pub fn of_grant(book: &Book, award: &Award, granted: &Use, on: Day) -> Self {
        let names =
            |target: &&Name| requirements(book, award).any(|own| own.courses.iter().any(|c| c == *target));
        let course = granted.target.as_ref().filter(names).cloned();
        let pool = granted.target.clone().filter(|_| course.is_none());
        Self {
            id: granted.record.clone(),
            issuer: granted.issuer.clone().unwrap_or_default(),
            credit: granted.credit.unwrap_or_default(),
            earned_on: granted.earned_on.unwrap_or(on),
            kind: None::<KindName>,
            pool,
            course,
            hours: None,
            level: None,
            ladder: None,
            passed: Some(true),
        }
    }

    /// Whether an earlier use keeps it from counting for an award.
    pub fn is_used(&self, award: &Award, uses: &[Use]) -> bool {
        let of_record = uses.iter().filter(|earlier| earlier.record == self.id);
        let (programme, level) = (award.programme.as_ref(), award.level.as_ref());
        of_record.into_iter().any(|earlier| excludes(earlier, award.consumption, programme, level))
    }
}

/// Every requirement of an award and of its programme, alternatives included.
fn requirements<'b>(book: &'b Book, award: &'b Award) -> impl Iterator<Item = &'b Requirement> {
    let programme = award.programme.as_ref().and_then(|name| book.programmes.get(name));
    let of_programme = programme.into_iter().flat_map(|programme| &programme.requirements);
    let mut open: Vec<&Requirement> = award.requirements.iter().chain(of_programme).collect();
    // The depth of alternatives was bounded when the book was read.
    std::iter::from_fn(move || {
        let next = open.pop()?;
        open.extend(&next.any_of);
        Some(next)
    })
}

/// A catalogue code without its version.
fn without_version(course: &Name) -> Name {
    let plain = course.as_str().rsplit_once('@').and_then(|(plain, _)| plain.parse().ok());
    plain.unwrap_or_else(|| course.clone())
}
