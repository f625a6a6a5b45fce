//! Records and batches as they are sent, signed outside the measured time. Everything follows from the seed.

use super::super::unmeasured;
use super::wire::Token;
use crate::ending::CommandError;
use credit_log::batch::{Manifest, record_leaf};
use credit_log::commitment::{DETAILS_LABEL, commit};
use credit_log::envelope::SigningKey;
use credit_log::hash::labelled;
use credit_proto::batch::leaf_payload_type;
use credit_proto::{Envelope, Leaf as _, Secret as _, Signable, payload_type, v1};
use credit_types::limits::CHUNK_LEAVES_MAX;
use credit_types::{
    AccountRef, Amount, Anchor, BatchManifest, CivilDate, CommandId, Credits, Digest, Header, InstitutionId,
    Kid, LeafType, LogId, RecordDetails, RecordFacts, RecordId, RecordKind, SchemeId, SignerId, Text,
};
use prost::Message as _;
use prost::bytes::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};
use v1::submit_batch_request::Step;

/// The time of number 0 in milliseconds UTC, and how many numbers have the same: 16,000 a second.
const FIRST_MS: u64 = 1_767_225_600_000;
const NUMBERS_A_MS: u64 = 16;
/// What records are called.
const TITLES: [&str; 4] = [
    "Linear algebra for engineers",
    "Introduction to statistics",
    "Modern Chinese history",
    "Data structures",
];

/// An issuer with its keys.
pub(super) struct Issuer {
    pub(super) id: InstitutionId,
    pub(super) records: SigningKey,
    pub(super) tokens: SigningKey,
}

/// What every statement of a run is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Desk {
    pub(super) seed: u64,
    pub(super) log_id: LogId,
    pub(super) anchor: Anchor,
}

/// A leaf of a batch and its secret part.
pub(super) struct DrawnLeaf {
    pub(super) payload: Vec<u8>,
    pub(super) salt: [u8; 32],
    pub(super) secret: Vec<u8>,
}

/// A batch as it is sent.
pub(super) struct Batch {
    pub(super) token: Token,
    pub(super) start: Bytes,
    pub(super) chunks: Vec<Bytes>,
    pub(super) leaves: u64,
}

/// Bytes drawn from the seed.
pub(super) fn drawn(seed: u64, label: &str, number: u64) -> [u8; 32] {
    labelled(label, &[&seed.to_be_bytes(), &number.to_be_bytes()])
}

/// A number below a bound, drawn from the seed.
pub(super) fn below(seed: u64, label: &str, number: u64, bound: u64) -> u64 {
    let first = drawn(seed, label, number).first_chunk::<8>().copied().unwrap_or_default();
    u64::from_be_bytes(first).checked_rem(bound).unwrap_or(0)
}

/// A UUIDv7: a time that goes on with the number, as those of statements and of records that are sent one by one do, and
/// drawn bits.
pub(super) fn uuid(seed: u64, label: &str, number: u64) -> [u8; 16] {
    let millis = FIRST_MS.saturating_add(number / NUMBERS_A_MS);
    let mut id: [u8; 16] = drawn(seed, label, number).first_chunk().copied().unwrap_or_default();
    let [_, _, time @ ..] = millis.to_be_bytes();
    if let Some(begin) = id.first_chunk_mut() {
        *begin = time;
    }
    versioned(id, 7)
}

/// A UUIDv8: all of it drawn, as the ids of records are that follow from the rows of a file.
fn row_uuid(seed: u64, label: &str, number: u64) -> [u8; 16] {
    versioned(drawn(seed, label, number).first_chunk().copied().unwrap_or_default(), 8)
}

/// Sixteen bytes as a UUID of a version.
fn versioned(mut id: [u8; 16], version: u8) -> [u8; 16] {
    for (at, (keep, set)) in [(6, (0x0f, version << 4)), (8, (0x3f, 0x80))] {
        if let Some(byte) = id.get_mut(at) {
            *byte = (*byte & keep) | set;
        }
    }
    id
}

impl Desk {
    /// One for what is sent to no ledger.
    pub(super) fn empty(seed: u64) -> Self {
        let anchor = Anchor { size: 0, root: Digest([0; 32]) };
        Self { seed, log_id: LogId([0; 32]), anchor }
    }

    /// A header; no two with the same label and number are sent.
    pub(super) fn header(&self, signer: SignerId, label: &str, number: u64) -> Header {
        let statement_id = CommandId(uuid(self.seed, label, number));
        Header { log_id: Some(self.log_id), statement_id, signer, anchor: Some(self.anchor) }
    }

    /// The id of a record that is sent by itself.
    pub(super) fn record_id(&self, number: u64) -> RecordId {
        RecordId(uuid(self.seed, "creditbank/bench/record", number))
    }

    /// The record of a number, for an account.
    pub(super) fn record(
        &self,
        number: u64,
        record_id: RecordId,
        account_ref: AccountRef,
    ) -> Result<(RecordFacts, [u8; 32], Vec<u8>), CommandError> {
        let place = usize::try_from(number % 4).unwrap_or(0);
        let title = TITLES.get(place).copied().unwrap_or_default().to_owned();
        let details = RecordDetails {
            catalogue_ref: "LA-101@1".to_owned(),
            title: Text { zh: String::new(), en: title },
            start_on: Some(CivilDate::new(2026, 2, 20).map_err(unmeasured)?),
            end_on: Some(CivilDate::new(2026, 6, 20).map_err(unmeasured)?),
            certificate_no: record_id.to_string(),
            ..RecordDetails::default()
        };
        let (salt, secret) = (drawn(self.seed, "creditbank/bench/salt", number), details.payload());
        let commitment = commit(DETAILS_LABEL, &salt, payload_type::RECORD_DETAILS, &secret);
        let amount = Amount {
            scheme: SchemeId::new("CN_XF").map_err(unmeasured)?,
            credits: Credits::from_milli(3_000).map_err(unmeasured)?,
        };
        let facts = RecordFacts {
            record_id,
            account_ref,
            kind: RecordKind::FormalCourse,
            amount: Some(amount),
            minutes: None,
            level: None,
            subject_code: "0701".to_owned(),
            occupation_code: String::new(),
            awarded_on: CivilDate::new(2026, 7, 1).map_err(unmeasured)?,
            valid_until: None,
            details_commitment: Digest(commitment),
            credit_eligible: true,
        };
        Ok((facts, salt, secret))
    }

    /// A record signed by itself, as a call or a stream sends it: both have the same bytes.
    pub(super) fn single(
        &self,
        number: u64,
        issuer: &Issuer,
        account: AccountRef,
    ) -> Result<Bytes, CommandError> {
        let (facts, salt, payload) = self.record(number, self.record_id(number), account)?;
        let signer = SignerId::Institution(issuer.id.clone());
        let envelope =
            sealed(&self.header(signer, "creditbank/bench/deposit", number), &facts, &[&issuer.records]);
        let details = Some(v1::SecretPart { salt: salt.to_vec(), payload });
        let envelope = Some((&envelope).into());
        Ok(v1::SubmitRecordRequest { envelope, details, want_receipt: false }.encode_to_vec().into())
    }

    /// Records of one issuer under one signature: numbers and accounts in any order.
    pub(super) fn batch(
        &self,
        issuer: &Issuer,
        token: Token,
        records: impl Iterator<Item = (u64, AccountRef)>,
    ) -> Result<Batch, CommandError> {
        let mut first = None;
        let mut leaves = Vec::new();
        for (number, account) in records {
            first = first.or(Some(number));
            let record_id = RecordId(row_uuid(self.seed, "creditbank/bench/record", number));
            let (facts, salt, secret) = self.record(number, record_id, account)?;
            let order = (account, facts.record_id);
            leaves.push((order, DrawnLeaf { payload: facts.leaf_payload(), salt, secret }));
        }
        leaves.sort_by_key(|(order, _)| *order);
        let leaves = leaves.into_iter().map(|(_, leaf)| leaf).collect();
        let signer = SignerId::Institution(issuer.id.clone());
        let header = self.header(signer, "creditbank/bench/batch", first.unwrap_or(0));
        batch(&header, LeafType::Record, leaves, &issuer.records, token)
    }
}

/// Signs a statement by all of some keys.
pub(super) fn sealed<B: Signable>(header: &Header, body: &B, keys: &[&SigningKey]) -> Envelope {
    let payload = body.payload(Some(header));
    let mut signatures: Vec<(Kid, [u8; 64])> =
        keys.iter().map(|key| (Kid(key.public().kid()), key.sign_statement(B::TYPE, &payload))).collect();
    signatures.sort_unstable();
    Envelope { payload_type: B::TYPE.to_owned(), payload, signatures }
}

/// Signs the root over leaves in their order, and encodes every message.
pub(super) fn batch(
    header: &Header,
    leaf_type: LeafType,
    leaves: Vec<DrawnLeaf>,
    key: &SigningKey,
    token: Token,
) -> Result<Batch, CommandError> {
    let leaf_payload_type = leaf_payload_type(leaf_type);
    let hashes: Vec<_> = leaves.iter().map(|leaf| record_leaf(leaf_payload_type, &leaf.payload)).collect();
    let tree = Manifest::of(&hashes).map_err(unmeasured)?;
    let record_count = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
    let body = BatchManifest { leaf_type, record_count, root: Digest(tree.root()) };
    let manifest = Some((&sealed(header, &body, &[key])).into());
    let start = v1::SubmitBatchRequest { step: Some(Step::Start(v1::BatchStart { manifest })) };
    let mut chunks = Vec::new();
    let mut rest = leaves.into_iter().peekable();
    while rest.peek().is_some() {
        let number = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        let path = tree.path(u64::from(number)).map_err(unmeasured)?;
        let leaf = |DrawnLeaf { payload, salt, secret }| v1::LeafSubmission {
            facts: payload,
            secret: Some(v1::SecretPart { salt: salt.to_vec(), payload: secret }),
        };
        let leaves = rest.by_ref().take(CHUNK_LEAVES_MAX).map(leaf).collect();
        let path = path.iter().map(|hash| hash.to_vec()).collect();
        let chunk = Step::Chunk(v1::ChunkSubmission { chunk: number, leaves, path });
        chunks.push(v1::SubmitBatchRequest { step: Some(chunk) }.encode_to_vec().into());
    }
    Ok(Batch { token, start: start.encode_to_vec().into(), chunks, leaves: u64::from(record_count) })
}

/// Makes one thing of each of a list, on all cores, in the list's order. Each core takes the next: some take long.
pub(super) fn on_all_cores<T: Sync, M: Send>(
    list: &[T],
    make: impl Fn(&T) -> Result<M, CommandError> + Sync,
) -> Result<Vec<M>, CommandError> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = list.get(place) else { return Ok::<_, CommandError>(made) };
            made.push((place, make(item)?));
        }
    };
    let mut all: Vec<(usize, M)> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::with_capacity(list.len());
        for part in parts {
            all.extend(part.join().map_err(|_| unmeasured(anyhow::anyhow!("a thread broke off")))??);
        }
        Ok::<_, CommandError>(all)
    })?;
    all.sort_unstable_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, made)| made).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_cores_make_stands_in_the_order_of_the_list() {
        let list: Vec<u64> = (0..1_000).collect();
        assert_eq!(on_all_cores(&list, |number| Ok(number * 2)).unwrap()[999], 1_998);
        let broken =
            on_all_cores(
                &list,
                |number| {
                    if *number == 700 { Err(unmeasured(anyhow::anyhow!("x"))) } else { Ok(()) }
                },
            );
        assert!(broken.is_err());
    }

    #[test]
    fn ids_are_what_the_ledger_takes_and_those_of_single_records_go_on_in_time() {
        let ids: Vec<RecordId> = (0..100).map(|n| Desk::empty(1).record_id(n * NUMBERS_A_MS)).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| RecordId::from_uuid(&id.0).is_ok()));
        assert!(CommandId::from_uuid(&uuid(1, "x", 5)).is_ok() && uuid(1, "x", 5) != uuid(1, "x", 6));
        let rows: Vec<[u8; 16]> = (0..100).map(|number| row_uuid(1, "x", number)).collect();
        assert!(!rows.is_sorted() && rows.iter().all(|id| RecordId::from_uuid(id).is_ok()));
    }

    #[test]
    fn a_record_follows_from_the_seed_and_its_number() {
        let desk = |seed| {
            let desk = Desk::empty(seed);
            desk.record(7, desk.record_id(7), AccountRef([1; 16])).unwrap()
        };
        assert_eq!(desk(1), desk(1));
        assert_ne!(desk(1).0.record_id, desk(2).0.record_id);
        let issuer = Issuer {
            id: InstitutionId::new("cn.bench.issuer-1").unwrap(),
            records: SigningKey::from_seed([1; 32]),
            tokens: SigningKey::from_seed([2; 32]),
        };
        let token = super::super::wire::bearer("x").unwrap();
        let accounts = (0..130).map(|number| (number, AccountRef([u8::try_from(number).unwrap(); 16])));
        let batch = Desk::empty(1).batch(&issuer, token, accounts).unwrap();
        assert_eq!((batch.leaves, batch.chunks.len()), (130, 3));
        let request = v1::SubmitBatchRequest::decode(batch.chunks[2].clone()).unwrap();
        let Some(Step::Chunk(chunk)) = request.step else { panic!("a chunk") };
        assert_eq!((chunk.chunk, chunk.leaves.len()), (2, 2));
    }
}
