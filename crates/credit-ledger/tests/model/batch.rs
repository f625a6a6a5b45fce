//! Batches: manifests, chunks, closing.

use super::header::AnchorRule;
use super::record::moved;
use super::{Batch, Faults, Model, Now};
use credit_types::limits::{CHUNK_LEAVES_MAX, DAY_US, OPEN_BATCHES_MAX};
use credit_types::{
    BatchClose, BatchManifest, Bucket, ChunkCommand, ChunkLeaves, Digest, Event, InstitutionId, KeyPurpose,
    LeafType, OpeningLeaf, Reason, RecordLeaf, RefusedLeaf, Role, Signed, SignerId,
};

type Outcome = Result<Vec<Event>, Reason>;

/// Who may open and close a batch of a kind of leaves.
fn needs(leaf_type: LeafType) -> (Role, KeyPurpose) {
    match leaf_type {
        LeafType::Record => (Role::Issuer, KeyPurpose::Records),
        LeafType::Opening => (Role::Registrar, KeyPurpose::Registry),
    }
}

/// By what the leaves of a batch ascend.
fn order_keys(leaves: &ChunkLeaves) -> Vec<Digest> {
    match leaves {
        ChunkLeaves::Records(leaves) => leaves.iter().map(record_key).collect(),
        ChunkLeaves::Openings(leaves) => leaves.iter().map(|leaf| leaf.leaf_hash).collect(),
    }
}

fn record_key(leaf: &RecordLeaf) -> Digest {
    let key = [leaf.body.account_ref.as_bytes(), leaf.body.record_id.as_bytes()].concat();
    Digest::from_slice(&key).unwrap()
}

/// One leaf: what it makes, or why it is refused.
type Judged = (Digest, Digest, Result<Event, Reason>);

impl Model {
    pub(super) fn open_batch(&self, now: Now, statement: &Signed<BatchManifest>) -> Outcome {
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        self.institution_signer(&statement.header, &mut faults);
        if let SignerId::Institution(id) = &statement.header.signer {
            let (role, purpose) = needs(statement.body.leaf_type);
            faults.when(!self.has_role(id, role), Reason::RoleMissing);
            self.one_key(id, &statement.signers, &[], &[purpose], &mut faults);
        }
        let open = self.open_batches(&statement.header.signer);
        faults.when(open >= OPEN_BATCHES_MAX, Reason::BatchLimitReached);
        faults.or(vec![Event::BatchOpened(statement.clone())])
    }

    /// How many batches a signer has open.
    pub(crate) fn open_batches(&self, signer: &SignerId) -> usize {
        let batches = self.batches().into_iter().filter_map(|index| self.batch(index));
        batches.filter(|batch| !batch.closed && batch.manifest.header.signer == *signer).count()
    }

    pub(super) fn close_batch(&self, now: Now, statement: &Signed<BatchClose>) -> Outcome {
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        self.institution_signer(&statement.header, &mut faults);
        let manifest_index = statement.body.manifest_index;
        let batch = self.batch(manifest_index);
        if let SignerId::Institution(id) = &statement.header.signer {
            let purposes: Vec<KeyPurpose> = match &batch {
                Some(batch) => vec![needs(batch.manifest.body.leaf_type).1],
                None => vec![KeyPurpose::Records, KeyPurpose::Registry],
            };
            self.one_key(id, &statement.signers, &[], &purposes, &mut faults);
        }
        let Some(batch) = batch else {
            faults.add(Reason::BatchUnknown);
            return faults.or(Vec::new());
        };
        faults.when(batch.manifest.header.signer != statement.header.signer, Reason::BatchOfAnother);
        faults.when(batch.closed, Reason::BatchClosed);
        let signer = statement.header.signer.clone();
        let (accepted, refused) = (batch.accepted, batch.refused);
        faults.or(vec![Event::BatchClosed { signer, manifest_index, accepted, refused }])
    }

    pub(super) fn submit_chunk(&self, now: Now, command: &ChunkCommand) -> Outcome {
        let mut faults = Faults::default();
        let Some(batch) = self.batch(command.manifest_index) else { return Err(Reason::BatchUnknown) };
        let header = &batch.manifest.header;
        let used = (header.signer.clone(), header.statement_id, Some(command.chunk));
        faults.when(self.entries.iter().any(|entry| entry.used == used), Reason::CommandIdReused);
        // Where no leaf is left, none is of the wrong type.
        let leaf_types = match &command.leaves {
            ChunkLeaves::Records(leaves) => vec![LeafType::Record; leaves.len()],
            ChunkLeaves::Openings(leaves) => vec![LeafType::Opening; leaves.len()],
        };
        let strange = leaf_types.iter().any(|leaf_type| *leaf_type != batch.manifest.body.leaf_type);
        faults.when(strange, Reason::PayloadTypeWrong);
        let kid = batch.manifest.signers[0];
        faults.when(self.compromised(kid).is_some(), Reason::KeyCompromised);
        faults.when(batch.closed, Reason::BatchClosed);
        let days = self.genesis().unwrap().policy.batch_days;
        let ends_us = batch.opened_at_us + i64::from(days) * DAY_US;
        faults.when(now.recorded_at_us > ends_us, Reason::BatchExpired);
        faults.when(command.chunk != batch.next_chunk, Reason::ChunkOutOfOrder);
        let total = usize::try_from(batch.manifest.body.record_count).unwrap();
        let before = usize::try_from(command.chunk).unwrap() * CHUNK_LEAVES_MAX;
        let size = total.saturating_sub(before).min(CHUNK_LEAVES_MAX);
        let keys = order_keys(&command.leaves);
        faults.when(keys.len() + command.refused.len() != size, Reason::ChunkSizeWrong);
        let gone: Vec<usize> =
            command.refused.iter().map(|leaf| usize::try_from(leaf.position).unwrap()).collect();
        let strictly = gone.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = gone.iter().all(|position| (before..before + size).contains(position));
        faults.when(!strictly || !inside, Reason::ChunkSizeWrong);
        let ladder: Vec<Digest> = batch.last_key.into_iter().chain(keys).collect();
        faults.when(ladder.windows(2).any(|pair| pair[0] >= pair[1]), Reason::LeafOrderWrong);
        faults.or(())?;
        Ok(self.chunk_events(now, command, &batch, size))
    }

    fn chunk_events(&self, now: Now, command: &ChunkCommand, batch: &Batch<'_>, size: usize) -> Vec<Event> {
        let owner = batch.manifest.header.signer.institution().unwrap();
        let mut made: Vec<Event> = Vec::new();
        let mut refused = command.refused.clone();
        let mut last_key = None;
        let first = usize::try_from(command.chunk).unwrap() * CHUNK_LEAVES_MAX;
        let positions: Vec<u32> = (first..first + size)
            .map(|position| u32::try_from(position).unwrap())
            .filter(|position| command.refused.iter().all(|leaf| leaf.position != *position))
            .collect();
        for (place, position) in positions.into_iter().enumerate() {
            let (leaf_hash, key, judged) = match &command.leaves {
                ChunkLeaves::Records(leaves) => {
                    self.judge_record(now, owner, (command.manifest_index, batch), &leaves[place], &made)
                }
                ChunkLeaves::Openings(leaves) => {
                    self.judge_opening(owner, (command.manifest_index, batch), &leaves[place], &made)
                }
            };
            match judged {
                Ok(event) => {
                    made.push(event);
                    last_key = Some(key);
                }
                Err(reason) => refused.push(RefusedLeaf { position, leaf_hash, reason }),
            }
        }
        refused.sort_by_key(|leaf| leaf.position);
        let (now_accepted, now_refused) =
            (u32::try_from(made.len()).unwrap(), u32::try_from(refused.len()).unwrap());
        let (manifest_index, chunk) = (command.manifest_index, command.chunk);
        let leaves = u32::try_from(size).unwrap();
        let path = command.path.clone();
        let mut events = vec![Event::BatchChunk { manifest_index, chunk, path, leaves, last_key, refused }];
        events.extend(made);
        if first + size == usize::try_from(batch.manifest.body.record_count).unwrap() {
            let (accepted, refused) = (batch.accepted + now_accepted, batch.refused + now_refused);
            let signer = batch.manifest.header.signer.clone();
            events.push(Event::BatchClosed { signer, manifest_index, accepted, refused });
        }
        events
    }

    fn judge_record(
        &self,
        now: Now,
        issuer: &InstitutionId,
        (manifest_index, batch): (u64, &Batch<'_>),
        leaf: &RecordLeaf,
        made: &[Event],
    ) -> Judged {
        let mut faults = Faults(self.deposit_faults(now, issuer, (&leaf.body, &leaf.check), made));
        faults.when(!self.has_role(issuer, Role::Issuer), Reason::RoleMissing);
        let event = Event::RecordDeposited {
            facts: Box::new(leaf.body.clone()),
            issuer: issuer.clone(),
            kid: batch.manifest.signers[0],
            manifest_index: Some(manifest_index),
            supersedes: None,
            fingerprint_version: leaf.check.fingerprint_version,
            postings: moved(leaf.body.amount.as_ref(), Bucket::Issued, Bucket::Available),
        };
        (leaf.leaf_hash, record_key(leaf), faults.or(event))
    }

    fn judge_opening(
        &self,
        registrar: &InstitutionId,
        (manifest_index, batch): (u64, &Batch<'_>),
        leaf: &OpeningLeaf,
        made: &[Event],
    ) -> Judged {
        let mut faults = Faults(self.opening_faults(&leaf.body, &leaf.check, made));
        faults.when(!self.has_role(registrar, Role::Registrar), Reason::RoleMissing);
        let event = Event::AccountOpened {
            account_ref: leaf.check.account_ref,
            opening: leaf.body,
            registrar: registrar.clone(),
            kid: batch.manifest.signers[0],
            manifest_index: Some(manifest_index),
            aliases: leaf.check.aliases.iter().map(|alias| alias.asserted).collect(),
        };
        (leaf.leaf_hash, leaf.leaf_hash, faults.or(event))
    }
}
