//! Plans: order, chunks, round trip, damage.

#![expect(clippy::arithmetic_side_effects, reason = "test arithmetic on small numbers")]

use super::*;
use crate::draft::tests::record;
use credit_log::batch::verify_chunk;
use credit_log::commitment::{DETAILS_LABEL, IDENTITY_LABEL, commit};
use credit_proto::payload_type;
use credit_types::{AccountIdentity, Anchor, AssuranceLevel, InstitutionId, RecordFacts, SignerId};

pub(crate) fn header() -> Header {
    Header {
        log_id: Some(LogId([1; 32])),
        statement_id: crate::random::command_id().unwrap(),
        signer: SignerId::Institution(InstitutionId::new("cn.x.school").unwrap()),
        anchor: Some(Anchor { size: 3, root: Digest([2; 32]) }),
    }
}

/// `count` records of few accounts, in no order.
pub(crate) fn records(count: u8) -> Vec<NewRecord> {
    (0..count).map(|number| record(255 - number % 5, number)).collect()
}

pub(crate) fn plan(count: u8) -> BatchPlan {
    BatchPlan::records(&SigningKey::from_seed([1; 32]), &header(), &records(count)).unwrap()
}

fn accounts(count: u8) -> Vec<NewAccount> {
    let account = |number: u8| NewAccount {
        assurance: AssuranceLevel::None,
        identity: AccountIdentity { name: format!("学员{number}"), ..AccountIdentity::default() },
    };
    (0..count).map(account).collect()
}

#[test]
fn records_ascend_and_each_leaf_knows_where_it_came_from() {
    let records = records(130);
    let plan = BatchPlan::records(&SigningKey::from_seed([1; 32]), &header(), &records).unwrap();
    assert_eq!((plan.leaf_count(), plan.chunk_count(), plan.leaf_type()), (130, 3, LeafType::Record));
    let facts: Vec<RecordFacts> =
        (0..130).map(|position| RecordFacts::leaf(plan.facts(position).unwrap()).unwrap()).collect();
    assert!(
        facts.is_sorted_by(|one, next| (one.account_ref, one.record_id) < (next.account_ref, next.record_id))
    );
    for (position, facts) in (0..).zip(&facts) {
        let source = &records[plan.source(position).unwrap() as usize];
        assert_eq!(source.facts(facts.details_commitment), *facts);
    }
    assert_eq!(plan.source(130), None);
}

#[test]
fn chunks_prove_themselves_and_bring_what_was_committed_to() {
    let plan = plan(130);
    let statement =
        decode_statement(&plan.manifest().envelope.payload_type, &plan.manifest().envelope.payload, admit);
    let Ok(Statement::OpenBatch(header, manifest)) = statement else { panic!("a manifest") };
    assert_eq!(header.statement_id, plan.statement_id());
    assert_eq!((manifest.record_count, manifest.leaf_type), (130, LeafType::Record));
    let mut salts = BTreeSet::new();
    for (chunk, leaves) in [(0, 64), (1, 64), (2, 2)] {
        let sent = plan.chunk(chunk).unwrap();
        assert_eq!((sent.chunk, sent.leaves.len()), (chunk, leaves));
        let hashes: Vec<Hash> =
            sent.leaves.iter().map(|leaf| record_leaf(payload_type::RECORD_FACTS, &leaf.facts)).collect();
        let path: Vec<Hash> = sent.path.iter().map(|hash| hash.as_slice().try_into().unwrap()).collect();
        verify_chunk(&manifest.root.0, 130, u64::from(chunk), &hashes, &path).unwrap();
        for leaf in sent.leaves {
            let secret = leaf.secret.unwrap();
            let salt: [u8; 32] = secret.salt.try_into().unwrap();
            let facts = RecordFacts::leaf(&leaf.facts).unwrap();
            let want = commit(DETAILS_LABEL, &salt, payload_type::RECORD_DETAILS, &secret.payload);
            assert_eq!(facts.details_commitment, Digest(want));
            assert!(salts.insert(salt), "a salt is drawn twice");
        }
    }
    assert_eq!(plan.chunk(3), None);
    assert_eq!(plan.positions(1), 64..128);
    assert_eq!(plan.positions(2), 128..130);
    assert!(plan.positions(3).is_empty());
}

#[test]
fn openings_ascend_by_their_leaf_hashes() {
    let plan = BatchPlan::openings(&SigningKey::from_seed([1; 32]), &header(), &accounts(70)).unwrap();
    assert_eq!((plan.leaf_count(), plan.chunk_count(), plan.leaf_type()), (70, 2, LeafType::Opening));
    let hash = |position| record_leaf(payload_type::ACCOUNT_OPENING, plan.facts(position).unwrap());
    let hashes: Vec<Hash> = (0..70).map(hash).collect();
    assert!(hashes.is_sorted_by(|one, next| one < next));
    for leaf in plan.chunk(0).unwrap().leaves {
        let secret = leaf.secret.unwrap();
        let salt = secret.salt.try_into().unwrap();
        let want = commit(IDENTITY_LABEL, &salt, payload_type::ACCOUNT_IDENTITY, &secret.payload);
        assert_eq!(AccountOpening::leaf(&leaf.facts).unwrap().identity_commitment, Digest(want));
    }
}

#[test]
fn a_record_that_stands_twice_or_breaks_a_bound_is_named() {
    let key = SigningKey::from_seed([1; 32]);
    let refused = |records: &[NewRecord]| match BatchPlan::records(&key, &header(), records) {
        Err(ClientError::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let mut twice = records(5);
    twice[4].record_id = twice[1].record_id;
    assert_eq!(refused(&twice), "records[4].record_id");
    let mut bare = records(5);
    bare[3].subject_code = String::new();
    assert_eq!(refused(&bare), "records[3].subject_code");
    let mut untitled = records(5);
    untitled[2].details.title.zh = "\u{202e}".to_owned();
    assert_eq!(refused(&untitled), "records[2].details.title.zh");
}

#[test]
fn a_batch_has_one_leaf_at_least_and_a_million_at_most() {
    let key = SigningKey::from_seed([1; 32]);
    let none = BatchPlan::records(&key, &header(), &[]);
    assert!(matches!(none, Err(ClientError::Plan(PlanError::Count(RecordCount { record_count: 0 })))));
    assert_eq!(plan(1).leaf_count(), 1);
    let leaf = |source| PlannedLeaf { source, salt: [0; 32], facts: vec![1], secret: Vec::new() };
    let leaves = |count: u32| (0..count).map(leaf).collect::<Vec<_>>();
    let max = credit_types::limits::BATCH_LEAVES_MAX;
    assert_eq!(
        BatchPlan::signed(&key, &header(), LeafType::Record, leaves(max)).unwrap().chunk_count(),
        16_384
    );
    let over = BatchPlan::signed(&key, &header(), LeafType::Record, leaves(max + 1));
    assert!(matches!(over, Err(ClientError::Plan(PlanError::Count(_)))));
}

#[test]
fn a_plan_goes_on_with_the_same_bytes_after_it_was_kept() {
    for plan in
        [plan(130), BatchPlan::openings(&SigningKey::from_seed([1; 32]), &header(), &accounts(3)).unwrap()]
    {
        let kept = plan.to_bytes();
        let read = BatchPlan::from_bytes(&kept).unwrap();
        assert_eq!(read.to_bytes(), kept);
        assert_eq!(read.manifest(), plan.manifest());
        assert_eq!(read.log_id(), plan.log_id());
        assert_eq!(read.leaf_type(), plan.leaf_type());
        for chunk in 0..=plan.chunk_count() {
            assert_eq!(read.chunk(chunk), plan.chunk(chunk));
        }
        for position in 0..=plan.leaf_count() {
            assert_eq!(read.source(position), plan.source(position));
        }
    }
}

#[test]
fn a_damaged_plan_is_not_sent() {
    let plan = plan(3);
    let kept = plan.to_bytes();
    let read = |bytes: &[u8]| BatchPlan::from_bytes(bytes).map(|_| ());
    for at in 0..kept.len() {
        let mut bent = kept.clone();
        bent[at] ^= 1;
        assert_eq!(read(&bent), Err(PlanError::Damaged), "byte {at}");
    }
    assert_eq!(read(&kept[..kept.len() - 1]), Err(PlanError::Damaged));
    assert_eq!(read(&[]), Err(PlanError::Damaged));
    // With a right digest the leaves must still be those that the manifest signs.
    let with = |change: fn(&mut Vec<PlannedLeaf>)| {
        let mut leaves = plan.leaves.clone();
        change(&mut leaves);
        let stored = Stored { manifest: plan.outgoing.envelope.encode(), leaves };
        let body = postcard::to_stdvec(&stored).unwrap();
        read(&[MAGIC, &sha256(&body), &body].concat())
    };
    assert_eq!(with(|_| {}), Ok(()));
    assert_eq!(with(|leaves| leaves.swap(0, 1)), Err(PlanError::OtherLeaves));
    assert_eq!(with(|leaves| leaves.truncate(2)), Err(PlanError::OtherLeaves));
    assert_eq!(with(|leaves| leaves[0].facts[0] ^= 1), Err(PlanError::OtherLeaves));
    assert_eq!(with(|leaves| leaves[0].source = 3), Err(PlanError::Damaged));
    assert_eq!(with(|leaves| leaves[0].source = leaves[1].source), Err(PlanError::Damaged));
}

#[test]
fn a_plan_shows_no_leaf() {
    assert!(!format!("{:?}", plan(3)).contains("facts"));
}
