//! Whether an award is earned, held against what is expected.

use super::{Found, names};
use crate::award::{Held, Measured, Outcome, Part, verdict};
use crate::book::{Award, Book};
use crate::cases::{AwardCase, Cases, ExpectedMissing};
use crate::reason::Reason;
use crate::value::{Credit, Day, Limit, Name, Time};

pub(super) fn compare(book: &Book, cases: &Cases, asked: &AwardCase, found: &mut Found) {
    let Some(award) = book.awards.iter().find(|award| award.id == asked.award) else {
        return found.add("award", &asked.award, "no such award in the book");
    };
    let Some(on) = asked.on.or(cases.on) else { return found.add("on", "a day", "none") };
    let records = asked.records.iter().map(|record| Held::of_record(award, record));
    let grants = asked.grants.iter().map(|granted| Held::of_grant(book, award, granted, on));
    let (used, held): (Vec<Held>, Vec<Held>) =
        records.chain(grants).partition(|held| held.is_used(award, &asked.uses));
    let Some(got) = verdict(book, award, on, &held) else {
        return found.add("award", "a verdict", "an amount that does not fit");
    };
    let expect = &asked.expect;
    found.same("granted", &expect.granted, &got.granted);
    if let Some(step) = &expect.step
        && got.step.as_ref() != Some(step)
    {
        found.add("step", step, got.step.map_or_else(|| "none".to_owned(), |step| step.to_string()));
    }
    found.asked("credit", expect.credit.as_ref(), &got.total);
    if let Some(expected) = &expect.missing {
        let missing: Vec<Lack> = got
            .requirements
            .iter()
            .filter(|outcome| !outcome.met)
            .map(|outcome| lack(book, award, on, outcome, &held, &used))
            .collect();
        found.exactly("missing", expected, &missing, |one, other| fits(book, one, other), (wanted, told));
    }
}

/// What a requirement lacks.
struct Lack {
    requirement: Name,
    reason: Reason,
    short: Vec<Limit>,
    count: Vec<u32>,
    courses: Vec<Name>,
}

/// What a requirement lacks, and whether an earlier use is why: then it would lack less with what is used.
fn lack(book: &Book, award: &Award, on: Day, outcome: &Outcome, held: &[Held], used: &[Held]) -> Lack {
    let all: Vec<Held> = held.iter().chain(used).cloned().collect();
    let with_used = verdict(book, award, on, &all);
    let same = |other: &&Outcome| other.requirement == outcome.requirement;
    let before = with_used.as_ref().and_then(|verdict| verdict.requirements.iter().find(same));
    let missing = |outcome: &Outcome| outcome.parts.iter().map(Part::missing).fold(0, i64::saturating_add);
    let helped = before.is_some_and(|before| before.met || missing(before) < missing(outcome));
    let mut lack = Lack {
        requirement: outcome.requirement.clone(),
        reason: if helped { Reason::AlreadyUsed } else { Reason::NoRecord },
        short: Vec::new(),
        count: Vec::new(),
        courses: Vec::new(),
    };
    for part in outcome.parts.iter().filter(|part| part.missing() > 0) {
        let count = u32::try_from(part.missing()).unwrap_or(u32::MAX);
        match part.measured {
            Measured::Credit => lack.short.push(Limit::Credit(Credit(part.missing()))),
            Measured::Minutes => lack.short.push(Limit::Time(Time::Minutes(part.missing()))),
            Measured::Records => lack.count.push(count),
            Measured::Courses => {
                lack.count.push(count);
                lack.courses.extend(part.courses.iter().cloned());
            }
        }
    }
    lack
}

fn fits(book: &Book, expected: &ExpectedMissing, got: &Lack) -> bool {
    let in_minutes = |limit: Limit| match limit {
        Limit::Time(time) => time.minutes(book.xs_minutes).map(|minutes| Limit::Time(Time::Minutes(minutes))),
        Limit::Credit(_) | Limit::Share(_) => Some(limit),
    };
    let sorted = |list: Vec<&Name>| {
        let mut list = list;
        list.sort_unstable();
        list.into_iter().cloned().collect::<Vec<Name>>()
    };
    let courses = || sorted(expected.courses.iter().collect()) == sorted(got.courses.iter().collect());
    expected.requirement == got.requirement
        && expected.reason.is_none_or(|reason| reason == got.reason)
        && expected
            .short
            .is_none_or(|short| in_minutes(short).is_some_and(|short| got.short.contains(&short)))
        && expected.count.is_none_or(|count| got.count.contains(&count))
        && (expected.courses.is_empty() || courses())
}

fn wanted(expected: &ExpectedMissing) -> String {
    let ExpectedMissing { requirement, reason, short, count, courses } = expected;
    let short: Vec<Limit> = short.iter().copied().collect();
    let reason = reason.map(Reason::code).unwrap_or_default();
    text(requirement, reason, &short, count.as_slice(), &names(courses))
}

fn told(got: &Lack) -> String {
    text(&got.requirement, got.reason.code(), &got.short, &got.count, &names(&got.courses))
}

fn text(requirement: &Name, reason: &str, short: &[Limit], count: &[u32], courses: &str) -> String {
    let mut parts = vec![requirement.to_string()];
    parts.extend(short.iter().map(|short| format!("short by {short}")));
    parts.extend(count.iter().map(|count| format!("{count} missing")));
    parts.extend([reason, courses].into_iter().filter(|text| !text.is_empty()).map(str::to_owned));
    parts.join(" ")
}
