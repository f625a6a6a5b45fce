//! Whether a period holds enough, held against what is expected.

use super::Found;
use crate::book::Book;
use crate::cases::{ComplianceCase, ExpectedShort};
use crate::compliance::{Activity, Count, PeriodVerdict, period_with_carry};
use crate::value::{Credit, Limit, Name, Time};

pub(super) fn compare(book: &Book, asked: &ComplianceCase, found: &mut Found) {
    let Some(rule) = book.compliance.iter().find(|rule| rule.id == asked.compliance) else {
        return found.add("compliance", &asked.compliance, "no such rule in the book");
    };
    let mut activities = Vec::new();
    for (index, activity) in asked.activities.iter().enumerate() {
        let Ok(id) = format!("a{index}").parse() else { continue };
        activities.push(Activity {
            id,
            amount: activity.amount,
            class: activity.class.clone(),
            earned_on: activity.on,
            entered_on: activity.recorded_on,
        });
    }
    match period_with_carry(rule, book.xs_minutes, asked.period, &activities) {
        Ok(verdict) => {
            let unit =
                Unit { of_credit: matches!(rule.total, Limit::Credit(_)), xs_minutes: book.xs_minutes };
            hold(unit, asked, &verdict, found);
        }
        Err(error) => found.add("compliance", "a verdict", error),
    }
}

/// In what a rule counts.
#[derive(Clone, Copy)]
struct Unit {
    of_credit: bool,
    xs_minutes: Option<i64>,
}

impl Unit {
    fn text(self, count: Count) -> String {
        if self.of_credit { Credit(count).to_string() } else { Time::Minutes(count).to_string() }
    }

    /// An amount as it is counted; `None` of another unit.
    fn count(self, limit: Limit) -> Option<Count> {
        match (limit, self.of_credit) {
            (Limit::Credit(credit), true) => Some(credit.0),
            (Limit::Time(time), false) => time.minutes(self.xs_minutes),
            (Limit::Credit(_) | Limit::Time(_) | Limit::Share(_), _) => None,
        }
    }
}

fn hold(unit: Unit, asked: &ComplianceCase, verdict: &PeriodVerdict, found: &mut Found) {
    let expect = &asked.expect;
    found.same("compliant", &expect.compliant, &verdict.compliant);
    let mut amount = |field: &str, expected: Option<Limit>, got: Count| {
        if let Some(expected) = expected.filter(|expected| unit.count(*expected) != Some(got)) {
            found.add(field, expected, unit.text(got));
        }
    };
    amount("total", expect.total, verdict.have);
    amount("lost", expect.lost, verdict.lost);
    for (class, expected) in &expect.classes {
        let got = verdict.classes.get(class).map_or(0, |class| class.have);
        amount(&format!("classes.{class}"), Some(*expected), got);
    }
    if let Some(expected) = &expect.short {
        let in_all = (verdict.missing > 0).then_some((None, verdict.missing));
        let of_classes = verdict.classes.iter().filter(|(_, class)| class.missing > 0);
        let of_classes = of_classes.map(|(name, class)| (Some(name.clone()), class.missing));
        let got: Vec<(Option<Name>, Count)> = in_all.into_iter().chain(of_classes).collect();
        let text = |class: &Option<Name>, by: String| match class {
            Some(class) => format!("{class} by {by}"),
            None => format!("in all by {by}"),
        };
        found.exactly(
            "short",
            expected,
            &got,
            |ExpectedShort { class, by }, (own, missing)| class == own && unit.count(*by) == Some(*missing),
            (|one| text(&one.class, one.by.to_string()), |(class, missing)| text(class, unit.text(*missing))),
        );
    }
}
