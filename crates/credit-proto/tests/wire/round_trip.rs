//! Value, bytes, value: the identity, for every type.

use std::fmt::Debug;

use credit_proto::{BankSigned, Leaf, Secret, Signable, Statement, decode_statement, payload_type};
use credit_types::{Header, RecordFacts, Text};

use crate::random::Random;
use crate::samples::{self, admit};

const SEEDS: u64 = 300;

#[track_caller]
fn signed<T: Signable + PartialEq + Debug>(
    make: impl Fn(&mut Random) -> T,
    header: impl Fn(&mut Random) -> Header,
    expected: impl Fn(Header, T) -> Statement,
) {
    for seed in 0..SEEDS {
        let random = &mut Random(seed);
        let (header, body) = (header(random), make(random));
        let bytes = body.payload(Some(&header));
        let (read_header, read) =
            T::from_payload(&bytes, admit).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!((read_header.as_ref(), &read), (Some(&header), &body), "seed {seed}");
        assert_eq!(read.payload(read_header.as_ref()), bytes, "seed {seed}");
        let statement = decode_statement(T::TYPE, &bytes, admit).unwrap();
        assert_eq!(statement.header(), &header, "seed {seed}");
        assert_eq!(statement, expected(header, body), "seed {seed}");
    }
}

#[test]
fn registry_statements_come_back_as_they_were() {
    signed(Random::genesis, Random::genesis_header, |h, b| Statement::Genesis(h, Box::new(b)));
    signed(Random::admission, Random::header, |h, b| Statement::AdmitInstitution(h, Box::new(b)));
    signed(Random::publication, Random::header, |h, b| Statement::PublishFramework(h, Box::new(b)));
    signed(Random::key_addition, Random::header, |h, b| Statement::AddKey(h, Box::new(b)));
    let start = |random: &mut Random| credit_types::ServerStart {
        epoch: credit_types::Epoch(random.bytes()),
        software: random.ascii(1, 64),
        protocol: random.count(1, u32::MAX),
    };
    signed(start, Random::header, Statement::StartServer);
    let retirement = |random: &mut Random| credit_types::KeyRetirement {
        after: random.digest(),
        kid: credit_types::Kid(random.bytes()),
    };
    signed(retirement, Random::header, Statement::RetireKey);
    let compromise = |random: &mut Random| credit_types::KeyCompromise {
        kid: credit_types::Kid(random.bytes()),
        suspect_from_index: random.big(),
    };
    signed(compromise, Random::header, Statement::ReportKeyCompromise);
    let upgrade = |random: &mut Random| credit_types::ProtocolUpgrade {
        protocol: random.count(2, u32::MAX),
        format: random.count(1, u32::MAX),
    };
    signed(upgrade, Random::header, Statement::UpgradeProtocol);
}

#[test]
fn statements_about_rule_books_and_applications_come_back_as_they_were() {
    signed(Random::book_publication, Random::header, |h, b| Statement::PublishRuleBook(h, Box::new(b)));
    signed(Random::book_change, Random::header, |h, b| Statement::ChangeRuleBook(h, Box::new(b)));
    signed(Random::auto_approval, Random::header, |h, b| Statement::GiveAutoApproval(h, Box::new(b)));
    signed(Random::conversion_request, Random::header, |h, b| Statement::RequestConversion(h, Box::new(b)));
    signed(Random::decision, Random::header, |h, b| Statement::DecideConversion(h, Box::new(b)));
    signed(Random::step, Random::header, |h, b| Statement::StepConversion(h, Box::new(b)));
    signed(Random::reversal, Random::header, |h, b| Statement::ReverseAward(h, Box::new(b)));
}

#[test]
fn statements_about_accounts_and_records_come_back_as_they_were() {
    signed(Random::opening, Random::header, Statement::OpenAccount);
    signed(Random::account_change, Random::header, |h, b| Statement::ChangeAccountStatus(h, Box::new(b)));
    signed(Random::facts, Random::header, |h, b| Statement::DepositRecord(h, Box::new(b)));
    signed(Random::correction, Random::header, |h, b| Statement::CorrectRecord(h, Box::new(b)));
    signed(Random::record_change, Random::header, |h, b| Statement::ChangeRecordStatus(h, Box::new(b)));
    signed(Random::manifest, Random::header, Statement::OpenBatch);
    let close = |random: &mut Random| credit_types::BatchClose { manifest_index: random.big() };
    signed(close, Random::header, Statement::CloseBatch);
}

#[track_caller]
fn leaf<T: Leaf + PartialEq + Debug>(make: impl Fn(&mut Random) -> T) {
    for seed in 0..SEEDS {
        let random = &mut Random(seed);
        let body = make(random);
        let bytes = body.leaf_payload();
        assert!(bytes.len() <= credit_types::limits::LEAF_BYTES_MAX, "seed {seed}");
        assert_eq!(T::leaf(&bytes).unwrap(), body, "seed {seed}");
        // What stands in a leaf is no statement of its own, and the other way round.
        assert_eq!(decode_statement(T::TYPE, &bytes, admit).unwrap_err().field, "header", "seed {seed}");
        let alone = body.payload(Some(&random.header()));
        if alone.len() <= credit_types::limits::LEAF_BYTES_MAX {
            assert_eq!(T::leaf(&alone).unwrap_err().field, "header", "seed {seed}");
        }
    }
}

#[test]
fn leaves_come_back_without_a_header() {
    leaf(Random::facts);
    leaf(Random::opening);
}

#[track_caller]
fn secret<T: Secret + PartialEq + Debug>(make: impl Fn(&mut Random) -> T) {
    for seed in 0..SEEDS {
        let value = make(&mut Random(seed));
        let bytes = value.payload();
        assert_eq!(T::from_payload(&bytes).unwrap(), value, "seed {seed}");
    }
}

#[test]
fn secret_parts_come_back_as_they_were() {
    secret(Random::details);
    secret(Random::identity);
    secret::<Text>(Random::text);
    secret(Random::particulars);
}

#[track_caller]
fn bank<T: BankSigned + PartialEq + Debug>(make: impl Fn(&mut Random) -> T) {
    for seed in 0..SEEDS {
        let value = make(&mut Random(seed));
        let bytes = value.payload();
        assert_eq!(T::from_payload(&bytes).unwrap(), value, "seed {seed}");
    }
}

#[test]
fn what_the_bank_signs_comes_back_as_it_was() {
    bank(Random::subject_head);
    bank(Random::balance);
    bank(Random::file_manifest);
    bank(Random::record_status);
}

#[test]
fn a_type_that_is_no_statements_is_refused_by_name() {
    let bytes = samples::facts().payload(Some(&samples::by_university()));
    for other in
        payload_type::SECRETS.iter().chain(&payload_type::BANK_SIGNED).copied().chain(["", "text/plain"])
    {
        let refusal = decode_statement(other, &bytes, admit).unwrap_err();
        assert_eq!(refusal.reason, credit_types::Reason::PayloadTypeWrong, "{other}");
    }
}

#[test]
fn a_statement_names_the_keys_that_it_brings() {
    let brought = |statement: &Statement| statement.brought_keys();
    let genesis = samples::genesis();
    let keys = genesis.authority_keys.clone();
    assert_eq!(brought(&Statement::Genesis(samples::genesis_header(), Box::new(genesis))), keys);
    let admission = Statement::AdmitInstitution(samples::by_university(), Box::new(samples::admission()));
    assert_eq!(brought(&admission).len(), 2);
    let addition = Statement::AddKey(samples::by_university(), Box::new(samples::key_addition()));
    assert_eq!(brought(&addition), [samples::institution_key().key]);
    let deposit = Statement::DepositRecord(samples::by_university(), Box::new(samples::facts()));
    assert!(brought(&deposit).is_empty());
    let request =
        Statement::RequestConversion(samples::by_university(), Box::new(samples::conversion_request()));
    assert!(brought(&request).is_empty());
}

#[test]
fn only_the_short_name_of_a_payload_type_is_one() {
    for known in
        payload_type::STATEMENTS.iter().chain(&payload_type::SECRETS).chain(&payload_type::BANK_SIGNED)
    {
        assert!(
            payload_type::short_name(known).is_some_and(|short| short.rsplit('.').next() == Some("v1")),
            "{known}"
        );
        assert!(!payload_type::is_newer(known), "{known}");
        assert!(known.len() <= credit_types::limits::PAYLOAD_TYPE_BYTES_MAX);
    }
    let of = |middle: &str| format!("application/vnd.creditbank.{middle}+protobuf");
    for newer in ["record-facts.v2", "book.v1", "a-1-b.v10"] {
        assert!(payload_type::is_newer(&of(newer)), "{newer}");
    }
    // What the bank makes itself is no message.
    let json = |middle: &str| format!("application/vnd.creditbank.{middle}+json");
    let explanation = json("conversion-explanation.v1");
    assert_eq!(payload_type::short_name(&explanation), Some("conversion-explanation.v1"));
    assert!(payload_type::is_newer(&json("conversion-explanation.v2")));
    for wrong in ["application/vnd.creditbank.a.v1", "application/vnd.creditbank.a.v1+xml"] {
        assert_eq!(payload_type::short_name(wrong), None, "{wrong}");
        assert!(!payload_type::is_newer(wrong), "{wrong}");
    }
    for wrong in
        ["", ".v1", "a", "a.v", "a.v0", "a.v01", "A.v1", "a--b.v1", "-a.v1", "a.b.v1", "a.v1x", "a b.v1"]
    {
        assert_eq!(payload_type::short_name(&of(wrong)), None, "{wrong}");
        assert!(!payload_type::is_newer(&of(wrong)), "{wrong}");
    }
}

/// A replay must not depend on a table of letters: what was admitted once is read for ever.
#[test]
fn text_is_asked_for_its_form_at_admission_only() {
    use credit_proto::{Reading, Stage};
    let mut admission = samples::admission();
    admission.name.en = "cafe\u{301}".to_owned();
    let bytes = admission.payload(Some(&samples::header(credit_types::SignerId::Authority)));
    let refusal = decode_statement(payload_type::INSTITUTION_ADMISSION, &bytes, admit).unwrap_err();
    assert_eq!(refusal.field, "name.en");
    let replay = Reading { admit, stage: Stage::Replay };
    let read = <credit_types::InstitutionAdmission as Signable>::read(&bytes, replay).unwrap();
    assert_eq!(read.1, admission);
    let mut details = samples::details();
    details.certificate_no = "a\u{202E}b".to_owned();
    let bytes = details.payload();
    let refusal = <credit_types::RecordDetails as Secret>::from_payload(&bytes).unwrap_err();
    assert_eq!(refusal.field, "certificate_no");
    assert_eq!(credit_types::RecordDetails::read(&bytes, Stage::Replay).unwrap(), details);
}

#[test]
fn an_inadmissible_key_is_refused_where_it_stands() {
    let mut admission = samples::admission();
    admission.keys[1].key.bytes = [0xFF; 32];
    let bytes = admission.payload(Some(&samples::header(credit_types::SignerId::Authority)));
    let refusal = decode_statement(payload_type::INSTITUTION_ADMISSION, &bytes, admit).unwrap_err();
    assert_eq!(refusal.field, "keys[1].key.key");
    assert!(refusal.problem.contains("torsion-free"), "{refusal}");
}

#[test]
fn a_refusal_carries_field_and_problem_to_the_ledgers_own() {
    let mut wire = samples::facts().to_wire(Some(&samples::by_university()));
    wire.amount.as_mut().unwrap().credits_milli = -5;
    let bytes = credit_proto::strict::encode(&wire);
    let refusal = RecordFacts::from_payload(&bytes, admit).unwrap_err().within("envelope.payload");
    assert_eq!(refusal.field, "envelope.payload.amount.credits_milli");
    assert!(refusal.problem.contains("is -5") && refusal.problem.contains("never negative"), "{refusal}");
    let rejection = credit_types::Rejection::from(refusal.clone());
    assert_eq!(rejection.reason, credit_types::Reason::FieldInvalid);
    assert_eq!((rejection.field, rejection.detail), (Some(refusal.field), Some(refusal.problem)));
}
