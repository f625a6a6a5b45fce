//! A record proved to a stranger: details against their commitment, a leaf against its manifest, a bundle by its file
//! and the trust file alone.

use crate::bank::text;
use crate::change::{BatchStream, RawBatch};
use crate::client::{client_of, client_with, institution_id, trust};
use crate::institution::Institution;
use crate::session::{Session, World, refusal};
use crate::shared::busy;
use crate::statement::Draft;
use credit_client::{ClientError, Receipt};
use credit_log::hash::leaf_hash;
use credit_log::receipt::TlogProof;
use credit_proto::v1;
use credit_types::{LeafType, RecordId};
use credit_verify::{BundleFault, BundleRule, verify_bundle, verify_leaf, verify_receipt};
use prost::Message as _;
use serde_json::Value;
use std::path::Path;

fn id(bytes: &[u8]) -> RecordId {
    RecordId::from_slice(bytes).expect("an id")
}

async fn deposited(session: &Session<'_>) -> (Vec<u8>, RecordId) {
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account);
    session.deposit(&session.world.school, &draft).await;
    (account, id(&draft.facts.record_id))
}

#[tokio::test]
async fn details_are_shown_only_if_they_open_the_signed_commitment() {
    let session = busy().await;
    let (account, record) = deposited(&session).await;
    let issuer = institution_id(&session.world.school);
    for client in [
        client_with(session.world, session.world.learner_token(&account)),
        client_of(session.world, &session.world.school),
        client_with(session.world, session.world.auditor_token()),
    ] {
        let view = client.get_record(&issuer, record).await.expect("a record");
        assert_eq!(view.details.as_ref().expect("details").title.en, "Basic accounting");
        client.prove_record(&view).await.expect("a proof");
        // Facts that nobody signed are not proved.
        let mut bent = view.clone();
        bent.facts.subject_code = "0412".to_owned();
        let error = client.prove_record(&bent).await.expect_err("other facts");
        assert!(matches!(error, ClientError::BadReceipt(_)), "{error}");
    }
}

/// A batch of 70 records, all taken; gives the account, the records and the index of each chunk's entry.
async fn batch(session: &Session<'_>, school: &Institution) -> (Vec<u8>, Vec<RecordId>, Vec<u64>) {
    let account = session.account().await.account_ref;
    let drafts: Vec<Draft> = (0..70).map(|_| Draft::course(&account)).collect();
    let ids = drafts.iter().map(|draft| id(&draft.facts.record_id)).collect();
    let batch = RawBatch::of_records(session, school, drafts).await;
    let (mut stream, _) = BatchStream::open(session, school, batch.start()).await.expect("a batch opens");
    let mut entries = Vec::new();
    for chunk in 0..batch.chunks() {
        let outcome = stream.chunk(batch.chunk(chunk)).await.expect("a chunk");
        assert!(outcome.refused.is_empty());
        entries.push(outcome.position.expect("a position").index);
    }
    stream.end().await.expect("the stream ends well");
    (account, ids, entries)
}

/// By raw messages: the way of a leaf, held against its manifest by whoever has the two receipts.
#[tokio::test]
async fn a_leaf_is_proved_to_a_third_party() {
    let session = busy().await;
    let school = Institution::school();
    session.admit(&school).await;
    let (account, ids, entries) = batch(&session, &school).await;
    let trust = trust(session.world);
    let mut ways = 0;
    for index in entries {
        let answer = session.learner(&account).log().get_receipt(v1::GetReceiptRequest { index }).await;
        let v1::GetReceiptResponse { receipt, leaves } = answer.expect("a receipt").into_inner();
        let chunk = verify_receipt(&receipt.expect("a receipt"), &trust).expect("it holds");
        assert_eq!(leaves.len(), chunk.statements.len());
        let request = v1::GetReceiptRequest { index: leaves[0].manifest_index };
        let answer = session.anyone().log().get_receipt(request).await.expect("a receipt").into_inner();
        assert!(answer.leaves.is_empty());
        let manifest = verify_receipt(&answer.receipt.expect("a receipt"), &trust).expect("it holds");
        for (statement, way) in chunk.statements.values().zip(&leaves) {
            let credit_proto::entry::StatementPart::Leaf { position, facts, .. } = statement else {
                panic!("a chunk holds leaves")
            };
            assert_eq!(way.position, *position);
            let signed = verify_leaf(&manifest, LeafType::Record, facts, way).expect("a way");
            assert_eq!(signed.record_count, 70);
            let mut bent = way.clone();
            bent.position ^= 1;
            assert!(verify_leaf(&manifest, LeafType::Record, facts, &bent).is_err());
            ways += 1;
        }
        // Nobody in particular sees anything of a chunk.
        let answer = session.anyone().log().get_receipt(v1::GetReceiptRequest { index }).await;
        assert_eq!(answer.expect_err("no party").code(), tonic::Code::PermissionDenied);
    }
    assert_eq!(ways, 70);
    let learner = client_with(session.world, session.world.learner_token(&account));
    let view = learner.get_record(&institution_id(&school), ids[65]).await.expect("a record");
    learner.prove_record(&view).await.expect("a proof");
}

#[tokio::test]
async fn a_bundle_needs_nothing_but_the_trust_file() {
    let session = busy().await;
    let school = Institution::school();
    session.admit(&school).await;
    let (account, ids, _) = batch(&session, &school).await;
    let (other, alone) = deposited(&session).await;
    let trust = trust(session.world);
    let at = [
        (&account, institution_id(&school), ids[65]),
        (&other, institution_id(&session.world.school), alone),
    ];
    for (account, issuer, record) in at {
        let learner = client_with(session.world, session.world.learner_token(account));
        for disclose in [false, true] {
            let bundle = learner.get_record_bundle(&issuer, record, disclose).await.expect("a bundle");
            let verified = verify_bundle(bundle.to_bytes(), &trust).expect("it holds");
            assert_eq!((verified.facts.record_id, &verified.issuer), (record, &issuer));
            assert_eq!(verified.details.is_some(), disclose);
            assert!(verified.in_force());
            // Of other parts of the entry nothing is opened: the head, a link, a statement, an event.
            let opened = &verified.receipt;
            assert_eq!((opened.links.len(), opened.statements.len(), opened.events.len()), (1, 1, 1));
            // The C2SP proof alone.
            let proof = TlogProof::parse(bundle.tlog_proof()).expect("a tlog-proof");
            let core = proof.extra.clone().expect("the core");
            proof.verify(&leaf_hash(&core), &trust.checkpoint_keys, &trust.origin).expect("a proof");
        }
    }
}

#[tokio::test]
async fn a_bundle_is_for_who_may_read_the_record() {
    let session = busy().await;
    let (account, record) = deposited(&session).await;
    let stranger = session.account().await.account_ref;
    let other = Institution::school();
    session.admit(&other).await;
    let world = session.world;
    let request = |issuer: &Institution, record: RecordId| v1::GetRecordBundleRequest {
        issuer_id: issuer.id.clone(),
        record_id: record.as_bytes().to_vec(),
        disclose_details: true,
    };
    for caller in [session.learner(&account), session.of(&world.school), session.auditor()] {
        caller.records().get_record_bundle(request(&world.school, record)).await.expect("a bundle");
    }
    for caller in [session.learner(&stranger), session.of(&other), session.of(&world.registrar)] {
        let there = caller.records().get_record_bundle(request(&world.school, record)).await;
        let missing = caller.records().get_record_bundle(request(&world.school, RecordId([7; 16]))).await;
        assert_eq!(refusal("PERMISSION_DENIED", there), refusal("PERMISSION_DENIED", missing));
    }
    let nobody = session.anyone().records().get_record_bundle(request(&world.school, record)).await;
    refusal("TOKEN_MISSING", nobody);
    let unknown =
        session.auditor().records().get_record_bundle(request(&world.school, RecordId([7; 16]))).await;
    refusal("RECORD_UNKNOWN", unknown);
}

/// Runs the binary in a home of its own that knows nothing but the trust file.
fn stranger(world: &World, code: i32, arguments: &[&str]) -> Value {
    let trust = world.bank.home().join("trust.toml").display().to_string();
    let mut command = world.bank.command();
    command.env("CREDITBANK_HOME", world.bank.folder().join("nowhere"));
    let output = command.args(["--output", "json"]).args(arguments).args(["--trust", &trust]).output();
    let output = output.expect("the binary runs");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// From the learner's command to the employer's, and after a revocation.
#[tokio::test]
async fn a_bundle_is_written_handed_on_and_checked_by_the_command_line() {
    let session = busy().await;
    let world = session.world;
    let (account, record) = deposited(&session).await;
    let unique = record.to_string();
    let path = |name: &str| world.bank.folder().join(format!("{unique}.{name}")).display().to_string();
    let token = path("token");
    std::fs::write(&token, world.learner_token(&account)).expect("a file");
    let url = world.bank.endpoint();
    let write = |code: i32, more: &[&str]| {
        let arguments = ["record", "bundle", &world.school.id, &unique];
        let output = world.bank.run(&[&arguments, more, &["--token-file", &token, "--url", &url]].concat());
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        text(&output)
    };
    let (first, closed, proof) = (path("bundle"), path("closed"), path("tlog-proof"));
    assert!(write(0, &[&first, "--disclose-details", "--tlog-proof", &proof]).contains("Basic accounting"));
    assert!(write(0, &[&closed]).contains("the details are not disclosed"));
    write(2, &[]);
    let told = stranger(world, 0, &["verify", "bundle", &first]);
    assert_eq!((&told["verdict"], &told["status"]), (&"OK".into(), &"VALID".into()));
    assert_eq!(told["details"]["title"]["en"], "Basic accounting");
    assert!(stranger(world, 0, &["verify", "bundle", &closed])["details"].is_null());
    let written = std::fs::read_to_string(&proof).expect("a proof");
    assert!(written.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{written}");
    // One flipped byte.
    let mut bytes = std::fs::read(&first).expect("a bundle");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let bent = path("bent");
    std::fs::write(&bent, &bytes).expect("a file");
    assert_eq!(stranger(world, 3, &["verify", "bundle", &bent])["verdict"], "BROKEN");
    // Another ledger's trust file.
    let other = crate::bank::Bank::new(&[]);
    let trust = other.home().join("trust.toml").display().to_string();
    let output = world.bank.run(&["verify", "bundle", &first, "--trust", &trust]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    // A revocation: the next bundle says so; the old one still says of which moment it is.
    let change = session.record_change(&world.school, record.as_bytes(), v1::RecordAction::Revoke).await;
    session.change_record(&world.school, change).await.expect("a revocation");
    let second = path("revoked");
    assert!(write(1, &[&second]).contains("Do not rely on the record"));
    let told = stranger(world, 1, &["verify", "bundle", &second]);
    assert_eq!((&told["verdict"], &told["status"]), (&"NOT_IN_FORCE".into(), &"REVOKED".into()));
    let before = stranger(world, 0, &["verify", "bundle", &first]);
    assert!(before["size"].as_u64() < told["size"].as_u64());
    in_both_languages(world, &first);
    compatible(&first);
}

/// What is said in each language is said in the other.
fn in_both_languages(world: &World, bundle: &str) {
    let zh = world.bank.must(&["--lang", "zh", "verify", "bundle", bundle]);
    let en = world.bank.must(&["verify", "bundle", bundle]);
    assert_eq!(zh.lines().count(), en.lines().count());
    assert!(zh.contains("证明包属实") && en.contains("the bundle is genuine"), "{zh}{en}");
}

/// The receipt in a bundle is a receipt like any other.
fn compatible(bundle: &str) {
    let bytes = std::fs::read(Path::new(bundle)).expect("a bundle");
    let files = credit_log::container::parse(&bytes).expect("a container");
    let receipt = files.iter().find(|file| file.name == "receipt").expect("a receipt");
    let wire = v1::Receipt::decode(receipt.bytes).expect("a receipt");
    assert_eq!(Receipt::from_bytes(receipt.bytes).expect("a receipt").to_bytes(), wire.encode_to_vec());
}

/// A key that is reported as compromised takes the records of that time with it, also those of old bundles' issuers.
#[tokio::test]
async fn a_reported_key_is_seen_by_the_next_bundle() {
    let session = busy().await;
    let school = Institution::school();
    session.admit(&school).await;
    let account = session.account().await.account_ref;
    let draft = Draft::course(&account);
    let position = session.deposit(&school, &draft).await;
    let record = id(&draft.facts.record_id);
    let issuer = institution_id(&school);
    let learner = client_with(session.world, session.world.learner_token(&account));
    let before = learner.get_record_bundle(&issuer, record, false).await.expect("a bundle");
    assert!(before.verified.in_force());
    let kid = credit_types::Kid(school.key(v1::KeyPurpose::Records).public().kid());
    client_of(session.world, &school)
        .report_key_compromise(
            credit_client::KeyAuthority::Owner,
            &credit_types::KeyCompromise { kid, suspect_from_index: position.index },
        )
        .await
        .expect("a report");
    let error = learner.get_record_bundle(&issuer, record, false).await.expect_err("a suspect key");
    let ClientError::BadReceipt(credit_client::BadReceipt::Bundle(fault)) = error else { panic!("{error}") };
    assert!(matches!(fault, BundleFault::Broken { rule: BundleRule::KeySuspect, .. }), "{fault}");
}
