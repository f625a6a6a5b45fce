//! What an earlier use of a record excludes.

use crate::book::{Consumption, Rule};
use crate::input::{Question, Record, Use};
use crate::program::Program;
use crate::value::Name;

/// Whether an earlier use keeps a rule from using a record.
pub(crate) fn excluded(program: &Program, question: &Question, rule: &Rule, record: &Record) -> bool {
    let level = question.programme.as_ref().and_then(|programme| award_level(program, programme));
    question
        .uses
        .iter()
        .filter(|earlier| earlier.record == record.id)
        .any(|earlier| excludes(earlier, rule.consumption, question.programme.as_ref(), level))
}

/// The level of the award that ends a programme.
fn award_level<'p>(program: &'p Program, programme: &Name) -> Option<&'p Name> {
    let mut awards = program.book.awards.iter().filter(|award| award.programme.as_ref() == Some(programme));
    awards.find_map(|award| award.level.as_ref())
}

/// Whether one use excludes another that would consume in its own way.
pub(crate) fn excludes(
    earlier: &Use,
    consumption: Consumption,
    programme: Option<&Name>,
    level: Option<&Name>,
) -> bool {
    if consumption == Consumption::NonConsuming {
        return false;
    }
    let by_earlier = match earlier.consumption {
        Consumption::NonConsuming => return false,
        Consumption::ConsumeGlobal | Consumption::OnceForAllDegrees => true,
        Consumption::ExclusivePerProgramme => earlier.programme.as_ref() == programme,
        Consumption::ExclusivePerAwardLevel => {
            earlier.programme.as_ref() == programme
                || (level.is_some() && earlier.award_level.as_ref() == level)
        }
    };
    // What is to be used up for ever must be whole.
    by_earlier || matches!(consumption, Consumption::ConsumeGlobal | Consumption::OnceForAllDegrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    use Consumption::{
        ConsumeGlobal, ExclusivePerAwardLevel, ExclusivePerProgramme, NonConsuming, OnceForAllDegrees,
    };

    #[test]
    fn each_policy_excludes_what_it_says() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let (p, q, low, high) = (name("P"), name("Q"), name("low"), name("high"));
        let earlier = |consumption| Use {
            record: name("r"),
            consumption,
            programme: Some(name("P")),
            award_level: Some(name("low")),
            rule: None,
            kind: None,
            target: None,
            issuer: None,
            earned_on: None,
            credit: None,
        };
        let cases = [
            // earlier, now, programme, level, excluded
            (ConsumeGlobal, ExclusivePerProgramme, &q, &high, true),
            (OnceForAllDegrees, ExclusivePerProgramme, &q, &high, true),
            (ExclusivePerProgramme, ExclusivePerProgramme, &p, &low, true),
            (ExclusivePerProgramme, ExclusivePerProgramme, &q, &low, false),
            (ExclusivePerProgramme, ConsumeGlobal, &q, &low, true),
            (ExclusivePerAwardLevel, ExclusivePerAwardLevel, &q, &low, true),
            (ExclusivePerAwardLevel, ExclusivePerAwardLevel, &q, &high, false),
            (NonConsuming, ConsumeGlobal, &p, &low, false),
            (ConsumeGlobal, NonConsuming, &p, &low, false),
        ];
        for (before, now, programme, level, expected) in cases {
            let got = excludes(&earlier(before), now, Some(programme), Some(level));
            assert_eq!(got, expected, "{before:?} then {now:?} in {programme}");
        }
    }
}
