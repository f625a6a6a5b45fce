//! Batches: one signature over many leaves.

use crate::decide::Judgement;
use crate::decide::account::Opening;
use crate::decide::deposit::Deposit;
use crate::evidence::{self, AnchorRule, days_us};
use crate::row::{BatchRow, CommandKey};
use credit_types::limits::{CHUNK_LEAVES_MAX, OPEN_BATCHES_MAX};
use credit_types::{
    AccountRef, BatchClose, BatchManifest, ChunkCommand, ChunkLeaves, Digest, Event, InstitutionId,
    KeyPurpose, LeafType, OpeningLeaf, Reason, RecordId, RecordLeaf, RefusedLeaf, Rejection, Role, Signed,
    SignerId,
};
use std::collections::{BTreeMap, BTreeSet};

/// [`CHUNK_LEAVES_MAX`] as positions count.
const CHUNK_LEAVES: u32 = 64;
const _: () = assert!(CHUNK_LEAVES as usize == CHUNK_LEAVES_MAX);

/// The key purpose and the role that leaves of a type need.
fn needs(leaf_type: LeafType) -> (KeyPurpose, Role) {
    match leaf_type {
        LeafType::Record => (KeyPurpose::Records, Role::Issuer),
        LeafType::Opening => (KeyPurpose::Registry, Role::Registrar),
    }
}

/// An institution opens a batch.
pub(crate) fn open(
    mut judgement: Judgement,
    statement: &Signed<BatchManifest>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let (purpose, role) = needs(body.leaf_type);
    evidence::header(&mut judgement, header, AnchorRule::Required);
    if let Some(row) = evidence::institution(&mut judgement, &header.signer) {
        evidence::role(&mut judgement, row, role);
    }
    if let SignerId::Institution(signer) = &header.signer {
        evidence::one_key(&mut judgement, signer, signers, &[purpose], &[]);
    }
    let open = judgement.view.open_batches(&header.signer).map_or(0, |row| row.batches.len());
    let detail = format!("{OPEN_BATCHES_MAX} at most");
    judgement.require(open < OPEN_BATCHES_MAX, || Rejection::new(Reason::BatchLimitReached).detail(detail));
    judgement.end()?;
    Ok(vec![Event::BatchOpened(statement.clone())])
}

/// The signer ends a batch early.
pub(crate) fn close(
    mut judgement: Judgement,
    statement: &Signed<BatchClose>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    let batch = judgement.view.batch(body.manifest_index);
    evidence::header(&mut judgement, header, AnchorRule::Required);
    evidence::institution(&mut judgement, &header.signer);
    // Of a batch that is not known, a key that could have opened one is as good as can be said.
    let either = [KeyPurpose::Records, KeyPurpose::Registry];
    let one = batch.map(|batch| [needs(batch.leaf_type).0]);
    let purposes = one.as_ref().map_or(either.as_slice(), |one| one.as_slice());
    if let SignerId::Institution(signer) = &header.signer {
        evidence::one_key(&mut judgement, signer, signers, purposes, &[]);
    }
    judgement.require(batch.is_some(), || Rejection::new(Reason::BatchUnknown).field("manifest_index"));
    if let Some(batch) = batch {
        let own = batch.signer == header.signer;
        judgement.require(own, || Rejection::new(Reason::BatchOfAnother).field("manifest_index"));
        judgement.require(!batch.closed, || Rejection::new(Reason::BatchClosed).field("manifest_index"));
    }
    judgement.end()?;
    Ok(batch.map(|batch| closed(batch, batch.accepted, batch.refused)).into_iter().collect())
}

fn closed(batch: &BatchRow, accepted: u32, refused: u32) -> Event {
    Event::BatchClosed { signer: batch.signer.clone(), manifest_index: batch.opened_index, accepted, refused }
}

/// A chunk of a batch enters: it rests on its manifest. Leaves that the rules refuse stay out one by one.
pub(crate) fn submit_chunk(mut judgement: Judgement, chunk: &ChunkCommand) -> Result<Vec<Event>, Rejection> {
    let view = judgement.view;
    let Some(batch) = view.batch(chunk.manifest_index) else {
        return Err(Rejection::new(Reason::BatchUnknown).field("manifest_index"));
    };
    let (signer, command_id) = (batch.signer.clone(), batch.statement_id);
    if let Some(row) = view.command(&CommandKey { signer, command_id, chunk: Some(chunk.chunk) }) {
        judgement.refuse(Rejection::new(Reason::CommandIdReused).index(row.index));
    }
    open_for_leaves(&mut judgement, batch, chunk);
    let count = u32::try_from(order_keys(&chunk.leaves).len().saturating_add(chunk.refused.len()))
        .unwrap_or(u32::MAX);
    // A chunk that is out of order has no size that it must have.
    if chunk.chunk == batch.next_chunk {
        let whole =
            batch.record_count.saturating_sub(chunk.chunk.saturating_mul(CHUNK_LEAVES)).min(CHUNK_LEAVES);
        let detail = format!("must have {whole} leaves, has {count}");
        judgement.require(count == whole, || Rejection::new(Reason::ChunkSizeWrong).detail(detail));
    }
    let positions = free_positions(chunk, count);
    judgement.require(positions.is_some(), || Rejection::new(Reason::ChunkSizeWrong).field("refused"));
    let ascending = ascends(batch.last_key, &chunk.leaves);
    judgement.require(ascending, || Rejection::new(Reason::LeafOrderWrong).field("leaves"));
    let context = judgement.context;
    judgement.end()?;
    let (Some(positions), SignerId::Institution(signer)) = (positions, &batch.signer) else {
        return Err(Reason::SignerNotAllowed.into());
    };
    let sieve = Sieve { signer, batch, manifest_index: chunk.manifest_index };
    let sifted = sieve.sift(|| Judgement::new(view, context), &chunk.leaves, &positions);
    Ok(events(batch, chunk, count, sifted))
}

/// That a batch takes this chunk here and now.
fn open_for_leaves(judgement: &mut Judgement, batch: &BatchRow, chunk: &ChunkCommand) {
    // A key that was retired since is judged at the manifest's index; one that was compromised is not trusted at all.
    if let Some(compromised) = judgement.view.key(batch.kid).and_then(|row| row.compromised) {
        judgement.refuse(Rejection::new(Reason::KeyCompromised).index(compromised.index));
    }
    judgement.require(!batch.closed, || Reason::BatchClosed);
    if let Some(log) = judgement.view.log() {
        let age_us = judgement.context.recorded_at_us.saturating_sub(batch.opened_at_us);
        judgement.require(age_us <= days_us(log.genesis.policy.batch_days), || Reason::BatchExpired);
    }
    let detail = format!("must be chunk {}", batch.next_chunk);
    let in_order = chunk.chunk == batch.next_chunk;
    judgement.require(in_order, || Rejection::new(Reason::ChunkOutOfOrder).field("chunk").detail(detail));
    let fits = match (&chunk.leaves, batch.leaf_type) {
        (ChunkLeaves::Records(_), LeafType::Record) | (ChunkLeaves::Openings(_), LeafType::Opening) => true,
        // Where every leaf was refused before, nothing is left that has a type.
        (ChunkLeaves::Records(leaves), LeafType::Opening) => leaves.is_empty(),
        (ChunkLeaves::Openings(leaves), LeafType::Record) => leaves.is_empty(),
    };
    judgement.require(fits, || Rejection::new(Reason::PayloadTypeWrong).field("leaves"));
}

/// The positions of the leaves: the chunk's, without those refused before. `None` if the refused ones are not
/// ascending positions of the chunk.
fn free_positions(chunk: &ChunkCommand, count: u32) -> Option<Vec<u32>> {
    let first = chunk.chunk.checked_mul(CHUNK_LEAVES)?;
    let all = first..first.checked_add(count)?;
    let refused: Vec<u32> = chunk.refused.iter().map(|leaf| leaf.position).collect();
    let ascending =
        refused.is_sorted_by(|a, b| a < b) && refused.iter().all(|position| all.contains(position));
    ascending.then(|| all.filter(|position| refused.binary_search(position).is_err()).collect())
}

/// The key by which a record leaf is ordered.
fn record_key(leaf: &RecordLeaf) -> Digest {
    let mut key = [0; 32];
    let (account, record) = key.split_at_mut(16);
    account.copy_from_slice(leaf.body.account_ref.as_bytes());
    record.copy_from_slice(leaf.body.record_id.as_bytes());
    Digest(key)
}

fn order_keys(leaves: &ChunkLeaves) -> Vec<Digest> {
    match leaves {
        ChunkLeaves::Records(leaves) => leaves.iter().map(record_key).collect(),
        ChunkLeaves::Openings(leaves) => leaves.iter().map(|leaf| leaf.leaf_hash).collect(),
    }
}

/// Whether the leaves ascend strictly, also from the last one that was accepted before.
fn ascends(last: Option<Digest>, leaves: &ChunkLeaves) -> bool {
    let keys: Vec<Digest> = last.into_iter().chain(order_keys(leaves)).collect();
    keys.is_sorted_by(|a, b| a < b)
}

/// What came of the leaves of a chunk.
#[derive(Default)]
struct Sifted {
    accepted: Vec<Event>,
    refused: Vec<RefusedLeaf>,
    last_key: Option<Digest>,
}

impl Sifted {
    fn take(&mut self, position: u32, leaf_hash: Digest, key: Digest, judged: Result<Event, Rejection>) {
        match judged {
            Ok(event) => {
                self.accepted.push(event);
                self.last_key = Some(key);
            }
            Err(Rejection { reason, .. }) => self.refused.push(RefusedLeaf { position, leaf_hash, reason }),
        }
    }
}

/// What all leaves of a chunk share.
struct Sieve<'a> {
    signer: &'a InstitutionId,
    batch: &'a BatchRow,
    manifest_index: u64,
}

impl Sieve<'_> {
    /// Judges every leaf by itself, but for what the accepted ones before it in the chunk have changed.
    fn sift<'v>(
        &self,
        judgement: impl Fn() -> Judgement<'v>,
        leaves: &ChunkLeaves,
        positions: &[u32],
    ) -> Sifted {
        let mut sifted = Sifted::default();
        let positions = positions.iter().copied();
        match leaves {
            ChunkLeaves::Records(leaves) => {
                let mut added: BTreeMap<AccountRef, u32> = BTreeMap::new();
                // The order of leaves lets a record_id come again under another account.
                let mut deposited: BTreeSet<RecordId> = BTreeSet::new();
                for (leaf, position) in leaves.iter().zip(positions) {
                    let before = added.entry(leaf.body.account_ref).or_default();
                    let mut judgement = judgement();
                    let fresh = !deposited.contains(&leaf.body.record_id);
                    judgement.require(fresh, || Reason::RecordExists);
                    let judged = self.record(judgement, leaf, *before);
                    if judged.is_ok() {
                        *before = before.saturating_add(1);
                        deposited.insert(leaf.body.record_id);
                    }
                    sifted.take(position, leaf.leaf_hash, record_key(leaf), judged);
                }
            }
            ChunkLeaves::Openings(leaves) => {
                let mut opened = BTreeSet::new();
                for (leaf, position) in leaves.iter().zip(positions) {
                    let judged = self.opening(judgement(), leaf, &opened);
                    if judged.is_ok() {
                        opened.insert(leaf.check.account_ref);
                    }
                    sifted.take(position, leaf.leaf_hash, leaf.leaf_hash, judged);
                }
            }
        }
        sifted
    }

    fn record(&self, mut judgement: Judgement, leaf: &RecordLeaf, added: u32) -> Result<Event, Rejection> {
        let admission = judgement.view.institution(self.signer);
        if let Some(row) = admission {
            evidence::role(&mut judgement, row, Role::Issuer);
        }
        let deposit =
            Deposit { issuer: self.signer, admission, facts: &leaf.body, check: &leaf.check, added };
        deposit.guard(&mut judgement);
        judgement.end()?;
        Ok(deposit.event(self.batch.kid, Some(self.manifest_index), None))
    }

    fn opening(
        &self,
        mut judgement: Judgement,
        leaf: &OpeningLeaf,
        opened: &BTreeSet<AccountRef>,
    ) -> Result<Event, Rejection> {
        if let Some(row) = judgement.view.institution(self.signer) {
            evidence::role(&mut judgement, row, Role::Registrar);
        }
        judgement.require(!opened.contains(&leaf.check.account_ref), || Reason::AccountExists);
        let opening = Opening {
            opening: &leaf.body,
            draw: &leaf.check,
            registrar: self.signer,
            kid: self.batch.kid,
            manifest_index: Some(self.manifest_index),
        };
        opening.guard(&mut judgement);
        judgement.end()?;
        Ok(opening.event())
    }
}

/// The chunk first, then its accepted leaves in order, then the end of the batch if it is the last chunk.
fn events(batch: &BatchRow, chunk: &ChunkCommand, count: u32, sifted: Sifted) -> Vec<Event> {
    let Sifted { accepted, refused, last_key } = sifted;
    let mut all_refused = chunk.refused.clone();
    all_refused.extend(refused);
    all_refused.sort_unstable_by_key(|leaf| leaf.position);
    let accepted_total = batch.accepted.saturating_add(u32::try_from(accepted.len()).unwrap_or(u32::MAX));
    let refused_total = batch.refused.saturating_add(u32::try_from(all_refused.len()).unwrap_or(u32::MAX));
    let mut events = Vec::with_capacity(accepted.len().saturating_add(2));
    events.push(Event::BatchChunk {
        manifest_index: chunk.manifest_index,
        chunk: chunk.chunk,
        path: chunk.path.clone(),
        leaves: count,
        last_key,
        refused: all_refused,
    });
    events.extend(accepted);
    if accepted_total.saturating_add(refused_total) == batch.record_count {
        events.push(closed(batch, accepted_total, refused_total));
    }
    events
}
