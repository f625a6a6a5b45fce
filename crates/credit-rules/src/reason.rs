//! Why a record grants nothing, or less: one closed list, for rules, reviewers and screens.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)+) => {
        /// Why a record grants nothing, or less.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)+
        }

        impl Reason {
            /// All of them, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

reasons! {
    /// No rule of the book names such a record.
    NotOnList = "NOT_ON_LIST",
    /// The rule is not in force on the day that picks it.
    RuleNotEffective = "RULE_NOT_EFFECTIVE",
    /// The issuer is not one that the rule names.
    IssuerNotNamed = "ISSUER_NOT_NAMED",
    /// The issuer was not accredited for it on the day it was earned.
    IssuerNotAccredited = "ISSUER_NOT_ACCREDITED",
    /// Nobody has verified it.
    EvidenceInsufficient = "EVIDENCE_INSUFFICIENT",
    /// It does not say that the learner passed.
    NotPassed = "NOT_PASSED",
    /// Its grade or score is below the least.
    ScoreBelowMin = "SCORE_BELOW_MIN",
    /// Its grade is of another scale, or it has none.
    GradeMissing = "GRADE_MISSING",
    /// Attendance is below the least.
    AttendanceLow = "ATTENDANCE_LOW",
    /// Its time or credit is below the least.
    TooSmall = "TOO_SMALL",
    /// Its time is above the most.
    TooLarge = "TOO_LARGE",
    /// Its content does not agree enough with the target's.
    ContentMatchLow = "CONTENT_MATCH_LOW",
    /// Its level is below the least.
    LevelTooLow = "LEVEL_TOO_LOW",
    /// Its level is above the highest.
    LevelTooHigh = "LEVEL_TOO_HIGH",
    /// No map leads from its ladder, or its level, to the one asked for. It is never guessed.
    LevelUnmapped = "LEVEL_UNMAPPED",
    /// It was earned outside the window.
    OutsideWindow = "OUTSIDE_WINDOW",
    /// It was entered after the last day.
    EnteredLate = "ENTERED_LATE",
    /// It is no longer valid on the day of the decision.
    Expired = "EXPIRED",
    /// The learner is too young.
    LearnerTooYoung = "LEARNER_TOO_YOUNG",
    /// A fact that the rule asks for is not stated.
    FactMissing = "FACT_MISSING",
    /// The condition over facts does not hold.
    GuardFalse = "GUARD_FALSE",
    /// No row of the table is about it.
    NoRow = "NO_ROW",
    /// Several rows that say different things are about it.
    RowsDisagree = "ROWS_DISAGREE",
    /// Another condition of the rule does not hold: kind, course, subject, mode.
    ConditionFalse = "CONDITION_FALSE",
    /// A rule that overrides this one applies.
    OverriddenBy = "OVERRIDDEN_BY",
    /// Other records of the bundle are missing.
    BundleIncomplete = "BUNDLE_INCOMPLETE",
    /// There is published word that it is not converted.
    NoArticulation = "NO_ARTICULATION",
    /// The result is below the least that is granted, or rounds to nothing.
    BelowLeast = "BELOW_LEAST",
    /// The exact result is no multiple of the step, and the rule does not round.
    NotExact = "NOT_EXACT",
    /// An amount does not fit.
    Overflow = "OVERFLOW",
    /// The programme has no place for it.
    NoTarget = "NO_TARGET",
    /// The target course is met already.
    TargetMet = "TARGET_MET",
    /// It was used before, and that use excludes this one.
    AlreadyUsed = "ALREADY_USED",
    /// A maximum is reached.
    CapReached = "CAP_REACHED",
    /// Another record of the same family counts.
    DuplicateSubject = "DUPLICATE_SUBJECT",
    /// Another use in the plan is better.
    LostTo = "LOST_TO",
    /// Credit of the requirement is left free for the institution's own courses.
    ReservedOwn = "RESERVED_OWN",
    /// There is no record for it.
    NoRecord = "NO_RECORD",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        let mut codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        for reason in Reason::ALL {
            let json = serde_json::to_string(reason).unwrap();
            assert_eq!(json, format!("{:?}", reason.code()));
            assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), *reason);
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
