//! Rule books and applications.

use credit_types::*;

use super::{date, digest, learner, record_id, scheme, university};

/// Who accepts, grants and decides.
pub(crate) fn acceptor() -> InstitutionId {
    InstitutionId::new("cn.cq.tech").unwrap()
}

pub(crate) fn name(text: &str) -> BookName {
    BookName::new(text).unwrap()
}

fn book() -> BookVersion {
    BookVersion { book_id: FrameworkId::new("cn.cq.tech.transfer").unwrap(), version: 7 }
}

pub(crate) fn book_publication() -> RuleBookPublication {
    RuleBookPublication {
        book: book(),
        digest: digest(0xB0),
        size_bytes: 54_321,
        effective_from: Some(date("2026-09-01")),
        effective_until: Some(date("2029-09-01")),
        select_by: BookDate::Enrolled,
    }
}

pub(crate) fn book_change() -> RuleBookChange {
    RuleBookChange { after: digest(0x1C), book: book(), action: RuleBookAction::Activate }
}

pub(crate) fn auto_approval() -> AutoApproval {
    AutoApproval {
        book: book(),
        rules: vec![name("cert/1+x"), name("course-equal")],
        until: date("2027-08-31"),
    }
}

pub(crate) fn record_name(byte: u8) -> RecordName {
    RecordName { issuer: university(), record_id: record_id(byte) }
}

pub(crate) fn conversion_request() -> ConversionRequest {
    ConversionRequest {
        account_ref: learner(),
        purpose: ConversionPurpose::Credit,
        institution_id: acceptor(),
        book: book(),
        target: name("software-bsc:2026"),
        records: vec![record_name(0x61), record_name(0x71)],
        particulars_commitment: Some(digest(0xC6)),
    }
}

pub(crate) fn particulars() -> ConversionParticulars {
    let fact =
        |record, of: &str, value: &str| ConversionFact { record, name: name(of), value: value.to_owned() };
    ConversionParticulars {
        born_on: Some(date("2004-02-29")),
        enrolled_on: Some(date("2026-09-01")),
        met: vec![name("CS-100"), name("MA-110")],
        facts: vec![fact(0, "placing", "2.5"), fact(1, "level", "省级"), fact(1, "placing", "true")],
        consent_ref: "consent-2026-0815".to_owned(),
    }
}

pub(crate) fn decision() -> ConversionDecision {
    let lowered = DecidedItem {
        position: 0,
        credits: Some(Credits::from_milli(2_500).unwrap()),
        reason: DecisionReason::CapReached,
    };
    let declined = DecidedItem { position: 3, credits: None, reason: DecisionReason::ContentMatchLow };
    ConversionDecision {
        after: digest(0x1D),
        application: 4_700,
        outcome: DecisionOutcome::Partly,
        explanation_commitment: digest(0xC7),
        items: vec![lowered, declined],
        reason: None,
        provisional_until: Some(date("2027-01-31")),
        opinion_commitment: Some(digest(0xC8)),
    }
}

/// The other form of a decision: nothing is granted, for one reason.
pub(crate) fn rejection() -> ConversionDecision {
    ConversionDecision {
        outcome: DecisionOutcome::Reject,
        items: Vec::new(),
        reason: Some(DecisionReason::EvidenceInsufficient),
        provisional_until: None,
        ..decision()
    }
}

pub(crate) fn step() -> ConversionStep {
    ConversionStep {
        after: digest(0x1E),
        application: 4_700,
        action: ConversionAction::Appeal,
        explanation_commitment: Some(digest(0xC9)),
    }
}

pub(crate) fn reversal() -> AwardReversal {
    AwardReversal {
        after: digest(0x1F),
        application: 4_700,
        regulator_id: InstitutionId::new("cn.cq.edu").unwrap(),
        order_ref: "YU-2027-003".to_owned(),
        kept: vec![0, 2],
        explanation_commitment: Some(digest(0xCA)),
    }
}

pub(crate) fn proposed() -> Vec<ProposedItem> {
    let course = ProposedItem {
        rule: name("course-equal"),
        rule_kind: Some(name("course")),
        place: ConvertedPlace::Course(name("CS-201")),
        scheme: scheme(),
        credits: Some(Credits::from_milli(3_500).unwrap()),
        sources: vec![0, 1],
        consumption: Consumption::PerAwardLevel,
        programme: Some(name("software-bsc:2026")),
        award_level: Some(name("bachelor")),
    };
    let waiver = ProposedItem {
        rule: name("cert/1+x"),
        place: ConvertedPlace::Requirement(name("practice")),
        credits: None,
        sources: vec![1],
        consumption: Consumption::OnceForAllDegrees,
        ..course.clone()
    };
    let standard = ProposedItem {
        rule: name("bank:step"),
        rule_kind: None,
        place: ConvertedPlace::Standard(name("standard")),
        consumption: Consumption::None,
        programme: None,
        award_level: None,
        ..waiver.clone()
    };
    vec![course, waiver, standard]
}

pub(crate) fn granted() -> Vec<Granted> {
    let one = |position, credits| Granted { record_id: record_id(0xA0), position, credits };
    vec![one(0, Some(Credits::from_milli(2_500).unwrap())), one(1, None)]
}
