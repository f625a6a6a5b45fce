//! Rule books and applications.

use std::collections::{BTreeMap, BTreeSet};

use credit_types::limits::BOOK_VERSION_MAX;
use credit_types::*;

use super::Random;

impl Random {
    fn book_name(&mut self) -> BookName {
        let tail = self.below(100);
        BookName::new(self.pick(&["r-", "A.b/c@1", "9_:+"]).to_owned() + &self.digits(tail)).unwrap()
    }

    fn book(&mut self) -> BookVersion {
        BookVersion { book_id: self.framework(), version: self.count(1, BOOK_VERSION_MAX) }
    }

    fn book_names(&mut self, max: usize) -> Vec<BookName> {
        let names: BTreeSet<BookName> = self.list(0, max, Self::book_name).into_iter().collect();
        names.into_iter().collect()
    }

    fn index(&mut self) -> u64 {
        self.big().max(1)
    }

    pub(crate) fn book_publication(&mut self) -> RuleBookPublication {
        use BookDate::{Decision, Earned, Enrolled};
        let from = self.maybe(Self::date);
        RuleBookPublication {
            book: self.book(),
            digest: self.digest(),
            size_bytes: self.count(1, 16 * 1024 * 1024),
            effective_from: from,
            effective_until: self.maybe(Self::date).filter(|until| from.is_none_or(|from| from < *until)),
            select_by: self.pick(&[Decision, Earned, Enrolled]),
        }
    }

    pub(crate) fn book_change(&mut self) -> RuleBookChange {
        let action = self.pick(&[RuleBookAction::Activate, RuleBookAction::Abolish]);
        RuleBookChange { after: self.digest(), book: self.book(), action }
    }

    pub(crate) fn auto_approval(&mut self) -> AutoApproval {
        AutoApproval { book: self.book(), rules: self.book_names(256), until: self.date() }
    }

    fn record_name(&mut self) -> RecordName {
        RecordName { issuer: self.institution(), record_id: self.record_id() }
    }

    pub(crate) fn conversion_request(&mut self) -> ConversionRequest {
        let records: BTreeSet<RecordName> = self.list(1, 64, Self::record_name).into_iter().collect();
        ConversionRequest {
            account_ref: AccountRef(self.bytes()),
            purpose: self.pick(&[ConversionPurpose::Credit, ConversionPurpose::Award]),
            institution_id: self.institution(),
            book: self.book(),
            target: self.book_name(),
            records: records.into_iter().collect(),
            particulars_commitment: self.maybe(Self::digest),
        }
    }

    pub(crate) fn particulars(&mut self) -> ConversionParticulars {
        let facts: BTreeMap<(u32, BookName), String> = self
            .list(0, 128, |random| ((random.count(0, 63), random.book_name()), random.words(1, 64)))
            .into_iter()
            .collect();
        ConversionParticulars {
            born_on: self.maybe(Self::date),
            enrolled_on: self.maybe(Self::date),
            met: self.book_names(64),
            facts: facts
                .into_iter()
                .map(|((record, name), value)| ConversionFact { record, name, value })
                .collect(),
            consent_ref: self.ascii(0, 64),
        }
    }

    fn decision_reason(&mut self) -> DecisionReason {
        use DecisionReason::{AlreadyUsed, Expired, NotOnList, RuleNotEffective, ScoreBelowMin};
        self.pick(&[AlreadyUsed, Expired, NotOnList, RuleNotEffective, ScoreBelowMin])
    }

    fn credits(&mut self) -> Credits {
        Credits::from_milli(self.range(1, 1_000_000_000)).unwrap()
    }

    fn positions(&mut self, min: usize, count: usize) -> Vec<u32> {
        let last = count as u32 - 1;
        let positions: BTreeSet<u32> =
            self.list(min, count, |random| random.count(0, last)).into_iter().collect();
        positions.into_iter().collect()
    }

    pub(crate) fn decision(&mut self) -> ConversionDecision {
        use DecisionOutcome::{Approve, Ask, Partly, Reject};
        let outcome = self.pick(&[Approve, Partly, Reject, Ask]);
        let positions = if outcome == Partly { self.positions(1, 64) } else { Vec::new() };
        let grants = matches!(outcome, Approve | Partly);
        ConversionDecision {
            after: self.digest(),
            application: self.index(),
            outcome,
            explanation_commitment: self.digest(),
            items: positions
                .into_iter()
                .map(|position| DecidedItem {
                    position,
                    credits: self.maybe(Self::credits),
                    reason: self.decision_reason(),
                })
                .collect(),
            reason: (!grants).then(|| self.decision_reason()),
            provisional_until: self.maybe(Self::date).filter(|_| grants),
            opinion_commitment: self.maybe(Self::digest),
        }
    }

    pub(crate) fn step(&mut self) -> ConversionStep {
        use ConversionAction::{Answer, Appeal, Confirm, Rescind, Withdraw};
        ConversionStep {
            after: self.digest(),
            application: self.index(),
            action: self.pick(&[Answer, Appeal, Confirm, Rescind, Withdraw]),
            explanation_commitment: self.maybe(Self::digest),
        }
    }

    pub(crate) fn reversal(&mut self) -> AwardReversal {
        AwardReversal {
            after: self.digest(),
            application: self.index(),
            regulator_id: self.institution(),
            order_ref: self.ascii(1, 64),
            kept: self.positions(0, 64),
            explanation_commitment: self.maybe(Self::digest),
        }
    }

    /// Items of a proposal on so many records. Fewer than the bound, for an entry holds no 64 of the longest.
    pub(crate) fn proposed(&mut self, records: usize) -> Vec<ProposedItem> {
        use Consumption::{Global, None, OnceForAllDegrees, PerAwardLevel, PerProgramme};
        self.list(1, 16, |random| {
            let place =
                random.pick(&[ConvertedPlace::Course, ConvertedPlace::Requirement, ConvertedPlace::Standard]);
            ProposedItem {
                rule: random.book_name(),
                rule_kind: random.maybe(Self::book_name),
                place: place(random.book_name()),
                scheme: random.scheme(),
                credits: random.maybe(Self::credits),
                sources: random.positions(1, records),
                consumption: random.pick(&[Global, None, OnceForAllDegrees, PerAwardLevel, PerProgramme]),
                programme: random.maybe(Self::book_name),
                award_level: random.maybe(Self::book_name),
            }
        })
    }

    /// Some of the records of a request, in its order.
    pub(crate) fn held(&mut self, records: &[RecordName]) -> Vec<RecordMoved> {
        let held: Vec<RecordName> = records.iter().filter(|_| self.coin()).take(16).cloned().collect();
        held.into_iter().map(|record| RecordMoved { record, postings: self.postings() }).collect()
    }

    pub(crate) fn change(&mut self, kid: Kid) -> ConversionChange {
        use ApplicationStatus::{InfoRequested, Lapsed, Posted, Rejected, Reversed, UnderReview, Withdrawn};
        let positions = self.positions(0, 64);
        let granted: Vec<Granted> = positions
            .into_iter()
            .map(|position| Granted {
                record_id: self.record_id(),
                position,
                credits: self.maybe(Self::credits),
            })
            .collect();
        ConversionChange {
            account_ref: AccountRef(self.bytes()),
            application: self.index(),
            status: self.pick(&[InfoRequested, Lapsed, Posted, Rejected, Reversed, UnderReview, Withdrawn]),
            moved: self.list(0, 16, |random| RecordMoved {
                record: random.record_name(),
                postings: random.postings(),
            }),
            granted_on: (!granted.is_empty()).then(|| self.date()),
            granted,
            auto_approval: self.maybe(Self::index),
            provisional_until: None,
            kid,
        }
    }
}
