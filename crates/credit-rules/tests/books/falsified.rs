//! Cases that expect something else in one field, none of which may pass.

use credit_rules::book::{LevelValue, Number};
use credit_rules::cases::{
    AwardExpect, Case, ComplianceExpect, ConvertExpect, ExpectedMissing, ExpectedShort, GradeExpect,
    LevelExpect, LevelRelation,
};
use credit_rules::reason::Reason;
use credit_rules::value::{Credit, Limit, Many, Time};

/// A case with one field of its expectation changed, and which.
pub(crate) fn falsified(case: &Case) -> Vec<(&'static str, Case)> {
    let mut all = Vec::new();
    let mut add = |what: &'static str, change: &dyn Fn(&mut Case)| {
        let mut other = case.clone();
        change(&mut other);
        if other != *case {
            all.push((what, other));
        }
    };
    for (what, change) in CONVERT {
        add(what, &|case| case.convert.iter_mut().for_each(|asked| change(&mut asked.expect)));
    }
    for (what, change) in AWARD {
        add(what, &|case| case.award.iter_mut().for_each(|asked| change(&mut asked.expect)));
    }
    for (what, change) in COMPLIANCE {
        add(what, &|case| case.compliance.iter_mut().for_each(|asked| change(&mut asked.expect)));
    }
    for (what, change) in GRADE {
        add(what, &|case| case.grade.iter_mut().for_each(|asked| change(&mut asked.expect)));
    }
    for (what, change) in LEVEL {
        add(what, &|case| case.level.iter_mut().for_each(|asked| change(&mut asked.expect)));
    }
    all
}

type Change<T> = (&'static str, fn(&mut T));

const CONVERT: &[Change<ConvertExpect>] = &[
    ("credit", |expect| expect.credit.iter_mut().for_each(more)),
    ("proven", |expect| expect.proven.iter_mut().for_each(|proven| *proven = !*proven)),
    ("credit of an offer", |expect| first(&mut expect.offers, |offer| more(&mut offer.credit))),
    ("rule of an offer", |expect| first(&mut expect.offers, |offer| offer.rule = "other".parse().unwrap())),
    ("count of offers", |expect| {
        if let Some(offers) = &mut expect.offers {
            offers.pop();
        }
    }),
    ("credit of a grant", |expect| expect.items.iter_mut().for_each(|item| more(&mut item.credit))),
    ("grade of a grant", |expect| {
        expect
            .items
            .iter_mut()
            .filter_map(|item| item.grade.as_mut())
            .for_each(|grade| *grade = "other".parse().unwrap());
    }),
    ("reason of a refusal", |expect| {
        expect.refused.iter_mut().for_each(|refusal| refusal.reason = another(refusal.reason));
    }),
    ("rule of a refusal", |expect| {
        let rules = expect.refused.iter_mut().filter_map(|refusal| refusal.rule.as_mut());
        rules.for_each(|rule| *rule = "other".parse().unwrap());
    }),
    ("detail of a refusal", |expect| {
        let details = expect.refused.iter_mut().filter_map(|refusal| refusal.detail.as_mut());
        details.for_each(|detail| *detail = "elsewhere".parse().unwrap());
    }),
    ("waiver", |expect| expect.waived.0.push("other".parse().unwrap())),
    ("completion", |expect| expect.completed.0.push("other".parse().unwrap())),
    ("shortage", |expect| {
        expect.short.insert("other".parse().unwrap(), Credit(1));
    }),
];

const AWARD: &[Change<AwardExpect>] = &[
    ("verdict", |expect| expect.granted = !expect.granted),
    ("credit", |expect| expect.credit.iter_mut().for_each(more)),
    ("step", |expect| expect.step = Some("other".parse().unwrap())),
    ("count of what is missing", |expect| {
        if let Some(missing) = &mut expect.missing
            && missing.pop().is_none()
        {
            missing.push(ExpectedMissing {
                requirement: "other".parse().unwrap(),
                reason: None,
                short: None,
                count: None,
                courses: Many::default(),
            });
        }
    }),
    ("reason", |expect| first(&mut expect.missing, |missing| missing.reason = Some(Reason::LostTo))),
    ("shortage", |expect| {
        first(&mut expect.missing, |missing| missing.short.iter_mut().for_each(more_of));
    }),
    ("count", |expect| {
        first(&mut expect.missing, |missing| missing.count.iter_mut().for_each(|count| *count += 1));
    }),
    ("course", |expect| {
        first(&mut expect.missing, |missing| missing.courses.0.push("other".parse().unwrap()));
    }),
];

const COMPLIANCE: &[Change<ComplianceExpect>] = &[
    ("verdict", |expect| expect.compliant = !expect.compliant),
    ("total", |expect| expect.total.iter_mut().for_each(more_of)),
    ("loss", |expect| expect.lost.iter_mut().for_each(more_of)),
    ("class", |expect| expect.classes.values_mut().for_each(more_of)),
    ("shortage", |expect| first(&mut expect.short, |short| more_of(&mut short.by))),
    ("count of what is short", |expect| {
        if let Some(short) = &mut expect.short
            && short.pop().is_none()
        {
            short.push(ExpectedShort { class: None, by: Limit::Time(Time::Minutes(1)) });
        }
    }),
];

const GRADE: &[Change<GradeExpect>] = &[
    ("word", |expect| expect.word.iter_mut().for_each(|word| *word = "other".parse().unwrap())),
    ("number", |expect| expect.number.iter_mut().for_each(|number| *number = Number(number.0 + 100))),
    ("reason", |expect| expect.refused.iter_mut().for_each(|reason| *reason = another(*reason))),
];

const LEVEL: &[Change<LevelExpect>] = &[
    ("relation", |expect| {
        expect.is =
            if expect.is == LevelRelation::Equal { LevelRelation::Above } else { LevelRelation::Equal };
    }),
    ("distance", |expect| expect.by.iter_mut().for_each(|by| *by += 1)),
    ("level", |expect| expect.level.iter_mut().for_each(|level| *level = LevelValue(level.0 + 10))),
];

/// Another reason.
fn another(reason: Reason) -> Reason {
    if reason == Reason::NoRecord { Reason::Overflow } else { Reason::NoRecord }
}

fn first<T>(list: &mut Option<Vec<T>>, change: impl FnOnce(&mut T)) {
    if let Some(one) = list.as_mut().and_then(|list| list.first_mut()) {
        change(one);
    }
}

fn more(credit: &mut Credit) {
    credit.0 = credit.0.saturating_add(1);
}

fn more_of(limit: &mut Limit) {
    match limit {
        Limit::Credit(credit) => credit.0 = credit.0.saturating_add(1),
        Limit::Time(Time::Minutes(count) | Time::ClassHours(count)) => *count = count.saturating_add(1),
        Limit::Share(share) => share.0 = share.0.saturating_add(1),
    }
}
