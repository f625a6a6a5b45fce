//! Rule books, applications, decisions, steps, reversals.

use std::fmt::Debug;

use credit_proto::{Secret as _, Signable, v1};
use credit_types::limits::*;
use credit_types::*;

use super::{Row, check, day, institution, x};
use crate::samples::{self, admit};

fn rows<T: Signable + Debug>(body: &T, signer: SignerId, rows: &[Row<T::Wire>])
where
    T::Wire: Clone,
{
    check(&body.to_wire(Some(&samples::header(signer))), |bytes| T::from_payload(bytes, admit), rows);
}

fn acceptor() -> SignerId {
    SignerId::Institution(samples::acceptor())
}

/// So many ids of a book, ascending.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("r{n:03}")).collect()
}

#[test]
fn publications() {
    rows(
        &samples::book_publication(),
        SignerId::Authority,
        &[
            ("header", |_| {}, |w| w.header = None),
            ("book_id", |w| w.book_id = x(ID_BYTES_MAX), |w| w.book_id = x(ID_BYTES_MAX + 1)),
            ("book_id", |w| w.book_id = "a".to_owned(), |w| w.book_id.clear()),
            ("version", |w| w.version = BOOK_VERSION_MAX, |w| w.version = BOOK_VERSION_MAX + 1),
            ("version", |w| w.version = 1, |w| w.version = 0),
            ("sha256", |_| {}, |w| w.sha256.clear()),
            ("sha256", |_| {}, |w| w.sha256.push(0)),
            (
                "size_bytes",
                |w| w.size_bytes = BOOK_BLOB_BYTES_MAX,
                |w| w.size_bytes = BOOK_BLOB_BYTES_MAX + 1,
            ),
            ("size_bytes", |w| w.size_bytes = 1, |w| w.size_bytes = 0),
            ("effective_from", |w| w.effective_from = None, |w| w.effective_from = Some(day(2026, 2, 29))),
            (
                "effective_until",
                |w| w.effective_until = Some(day(2026, 9, 2)),
                |w| w.effective_until = Some(day(2026, 9, 1)),
            ),
            ("effective_until", |w| w.effective_until = None, |w| w.effective_until = Some(day(2026, 8, 31))),
            ("select_by", |w| w.select_by = 3, |w| w.select_by = 0),
        ],
    );
}

#[test]
fn changes_of_books() {
    rows(
        &samples::book_change(),
        SignerId::Authority,
        &[
            ("header", |_| {}, |w| w.header = None),
            ("after", |_| {}, |w| w.after.clear()),
            ("after", |_| {}, |w| w.after.push(0)),
            ("book_id", |_| {}, |w| w.book_id = "A".to_owned()),
            ("version", |w| w.version = BOOK_VERSION_MAX, |w| w.version = BOOK_VERSION_MAX + 1),
            ("version", |w| w.version = 1, |w| w.version = 0),
            ("action", |w| w.action = 2, |w| w.action = 0),
        ],
    );
}

#[test]
fn auto_approvals() {
    rows(
        &samples::auto_approval(),
        acceptor(),
        &[
            ("header", |_| {}, |w| w.header = None),
            ("book_id", |_| {}, |w| w.book_id.clear()),
            ("version", |w| w.version = BOOK_VERSION_MAX, |w| w.version = BOOK_VERSION_MAX + 1),
            (
                "rules",
                |w| w.rules = names(AUTO_APPROVAL_RULES_MAX),
                |w| w.rules = names(AUTO_APPROVAL_RULES_MAX + 1),
            ),
            ("rules[1]", |w| w.rules.clear(), |w| w.rules.swap(0, 1)),
            ("rules[1]", |_| {}, |w| w.rules[1] = w.rules[0].clone()),
            (
                "rules[0]",
                |w| w.rules = vec![x(BOOK_NAME_BYTES_MAX)],
                |w| w.rules = vec![x(BOOK_NAME_BYTES_MAX + 1)],
            ),
            ("rules[1]", |_| {}, |w| w.rules[1] = "a b".to_owned()),
            ("until", |_| {}, |w| w.until = None),
        ],
    );
}

fn record_names(count: usize) -> Vec<v1::RecordName> {
    let record_id = samples::record_id(0).0.to_vec();
    let name = |n| v1::RecordName { issuer_id: format!("a.{n:02}"), record_id: record_id.clone() };
    (0..count).map(name).collect()
}

#[test]
fn requests() {
    rows(
        &samples::conversion_request(),
        SignerId::Institution(samples::university()),
        &[
            ("header", |_| {}, |w| w.header = None),
            ("account_ref", |_| {}, |w| w.account_ref.clear()),
            ("account_ref", |_| {}, |w| w.account_ref.push(0)),
            ("purpose", |w| w.purpose = 2, |w| w.purpose = 0),
            (
                "institution_id",
                |w| w.institution_id = institution(ID_BYTES_MAX),
                |w| w.institution_id = institution(ID_BYTES_MAX + 1),
            ),
            ("book_id", |_| {}, |w| w.book_id.clear()),
            ("version", |w| w.version = BOOK_VERSION_MAX, |w| w.version = BOOK_VERSION_MAX + 1),
            ("target", |w| w.target = x(BOOK_NAME_BYTES_MAX), |w| w.target = x(BOOK_NAME_BYTES_MAX + 1)),
            ("target", |_| {}, |w| w.target.clear()),
            ("target", |_| {}, |w| w.target = "-a".to_owned()),
            (
                "records",
                |w| w.records = record_names(APPLICATION_RECORDS_MAX),
                |w| w.records = record_names(APPLICATION_RECORDS_MAX + 1),
            ),
            ("records", |w| w.records = record_names(1), |w| w.records.clear()),
            ("records[1]", |_| {}, |w| w.records.swap(0, 1)),
            ("records[1]", |_| {}, |w| w.records[1] = w.records[0].clone()),
            ("records[1].issuer_id", |_| {}, |w| w.records[1].issuer_id.clear()),
            ("records[0].record_id", |_| {}, |w| w.records[0].record_id[6] = 0x40),
            (
                "particulars_commitment",
                |w| w.particulars_commitment.clear(),
                |w| w.particulars_commitment.push(0),
            ),
        ],
    );
}

fn facts(count: usize) -> Vec<v1::ConversionFact> {
    let fact = |name| v1::ConversionFact { record: 0, name, value: "1".to_owned() };
    names(count).into_iter().map(fact).collect()
}

const PARTICULARS: &[Row<v1::ConversionParticulars>] = &[
    ("born_on", |w| w.born_on = None, |w| w.born_on = Some(day(2003, 2, 29))),
    ("enrolled_on", |w| w.enrolled_on = None, |w| w.enrolled_on = Some(day(2200, 1, 1))),
    ("met", |w| w.met = names(MET_MAX), |w| w.met = names(MET_MAX + 1)),
    ("met[1]", |w| w.met.clear(), |w| w.met.swap(0, 1)),
    ("met[1]", |_| {}, |w| w.met[1] = w.met[0].clone()),
    ("met[0]", |w| w.met = vec![x(BOOK_NAME_BYTES_MAX)], |w| w.met = vec![x(BOOK_NAME_BYTES_MAX + 1)]),
    ("facts", |w| w.facts = facts(CONVERSION_FACTS_MAX), |w| w.facts = facts(CONVERSION_FACTS_MAX + 1)),
    ("facts[1]", |w| w.facts.clear(), |w| w.facts.swap(0, 1)),
    ("facts[2]", |w| w.facts[2].value = w.facts[1].value.clone(), |w| w.facts.swap(1, 2)),
    ("facts[2]", |_| {}, |w| w.facts[2].name = w.facts[1].name.clone()),
    (
        "facts[2].record",
        |w| w.facts[2].record = APPLICATION_RECORDS_MAX as u32 - 1,
        |w| w.facts[2].record = APPLICATION_RECORDS_MAX as u32,
    ),
    (
        "facts[0].name",
        |w| w.facts[0].name = x(BOOK_NAME_BYTES_MAX),
        |w| w.facts[0].name = x(BOOK_NAME_BYTES_MAX + 1),
    ),
    ("facts[0].name", |_| {}, |w| w.facts[0].name.clear()),
    (
        "facts[0].value",
        |w| w.facts[0].value = x(FACT_VALUE_BYTES_MAX),
        |w| w.facts[0].value = x(FACT_VALUE_BYTES_MAX + 1),
    ),
    ("facts[0].value", |w| w.facts[0].value = x(1), |w| w.facts[0].value.clear()),
    ("facts[0].value", |_| {}, |w| w.facts[0].value = "e\u{301}".to_owned()),
    (
        "consent_ref",
        |w| w.consent_ref = x(REFERENCE_BYTES_MAX),
        |w| w.consent_ref = x(REFERENCE_BYTES_MAX + 1),
    ),
    ("consent_ref", |w| w.consent_ref.clear(), |w| w.consent_ref = "同意".to_owned()),
];

#[test]
fn particulars() {
    check(&samples::particulars().to_wire(), ConversionParticulars::from_payload, PARTICULARS);
    let nothing = v1::ConversionParticulars::default();
    let read = ConversionParticulars::from_payload(&credit_proto::strict::encode(&nothing)).unwrap();
    assert_eq!(read, ConversionParticulars::default());
}

fn items(count: usize) -> Vec<v1::DecidedItem> {
    let item = |n| v1::DecidedItem { position: n as u32, credits_milli: 0, reason: 1 };
    (0..count).map(item).collect()
}

const DECISIONS: &[Row<v1::ConversionDecision>] = &[
    ("header", |_| {}, |w| w.header = None),
    ("after", |_| {}, |w| w.after.clear()),
    ("application_index", |w| w.application_index = 1, |w| w.application_index = 0),
    ("outcome", |w| w.application_index = u64::MAX, |w| w.outcome = 0),
    ("explanation_commitment", |_| {}, |w| w.explanation_commitment.clear()),
    ("explanation_commitment", |_| {}, |w| w.explanation_commitment.push(0)),
    ("items", |w| w.items = items(APPLICATION_ITEMS_MAX), |w| w.items = items(APPLICATION_ITEMS_MAX + 1)),
    ("items", |w| w.items = items(1), |w| w.items.clear()),
    // All that was proposed, and yet not all.
    (
        "items",
        |w| {
            w.outcome = 1;
            w.items.clear();
        },
        |w| w.outcome = 1,
    ),
    ("items[1]", |_| {}, |w| w.items.swap(0, 1)),
    ("items[1]", |_| {}, |w| w.items[1].position = 0),
    (
        "items[1].position",
        |w| w.items[1].position = APPLICATION_ITEMS_MAX as u32 - 1,
        |w| w.items[1].position = APPLICATION_ITEMS_MAX as u32,
    ),
    (
        "items[0].credits_milli",
        |w| w.items[0].credits_milli = CREDITS_MILLI_MAX,
        |w| w.items[0].credits_milli = CREDITS_MILLI_MAX + 1,
    ),
    ("items[0].credits_milli", |w| w.items[0].credits_milli = 0, |w| w.items[0].credits_milli = -1),
    ("items[1].reason", |w| w.items[1].reason = 11, |w| w.items[1].reason = 0),
    ("reason", |_| {}, |w| w.reason = 1),
    ("provisional_until", |w| w.provisional_until = None, |w| w.provisional_until = Some(day(2027, 2, 29))),
    ("opinion_commitment", |w| w.opinion_commitment.clear(), |w| w.opinion_commitment.push(0)),
];

#[test]
fn decisions() {
    rows(&samples::decision(), acceptor(), DECISIONS);
    rows(
        &samples::rejection(),
        acceptor(),
        &[
            ("reason", |w| w.reason = 11, |w| w.reason = 0),
            (
                "reason",
                |w| w.outcome = 4,
                |w| {
                    w.outcome = 4;
                    w.reason = 0;
                },
            ),
            // An approval gives no reason, and nothing that isn't granted is provisional.
            (
                "reason",
                |w| {
                    w.outcome = 1;
                    w.reason = 0;
                    w.provisional_until = Some(day(2027, 1, 31));
                },
                |w| w.outcome = 1,
            ),
            ("provisional_until", |_| {}, |w| w.provisional_until = Some(day(2027, 1, 31))),
            ("items", |_| {}, |w| w.items = items(1)),
        ],
    );
}

#[test]
fn steps() {
    rows(
        &samples::step(),
        SignerId::Institution(samples::university()),
        &[
            ("header", |_| {}, |w| w.header = None),
            ("after", |_| {}, |w| w.after.clear()),
            ("after", |_| {}, |w| w.after.push(0)),
            ("application_index", |w| w.application_index = 1, |w| w.application_index = 0),
            ("action", |w| w.action = 5, |w| w.action = 0),
            (
                "explanation_commitment",
                |w| w.explanation_commitment.clear(),
                |w| w.explanation_commitment.push(0),
            ),
        ],
    );
}

#[test]
fn reversals() {
    const LAST: u32 = APPLICATION_RECORDS_MAX as u32 - 1;
    rows(
        &samples::reversal(),
        acceptor(),
        &[
            ("header", |_| {}, |w| w.header = None),
            ("after", |_| {}, |w| w.after.clear()),
            ("application_index", |w| w.application_index = 1, |w| w.application_index = 0),
            ("regulator_id", |_| {}, |w| w.regulator_id = "operator".to_owned()),
            (
                "order_ref",
                |w| w.order_ref = x(REFERENCE_BYTES_MAX),
                |w| w.order_ref = x(REFERENCE_BYTES_MAX + 1),
            ),
            ("order_ref", |_| {}, |w| w.order_ref.clear()),
            ("kept", |w| w.kept = (0..=LAST).collect(), |w| w.kept = vec![0; APPLICATION_RECORDS_MAX + 1]),
            ("kept[1]", |w| w.kept = vec![0, LAST], |w| w.kept = vec![0, LAST + 1]),
            ("kept[1]", |w| w.kept.clear(), |w| w.kept.swap(0, 1)),
            ("kept[1]", |_| {}, |w| w.kept = vec![2, 2]),
            (
                "explanation_commitment",
                |w| w.explanation_commitment.clear(),
                |w| w.explanation_commitment.push(0),
            ),
        ],
    );
}
