//! Batches: opened, fed chunk by chunk, closed.

use super::{Aim, LEAF};
use credit_types::limits::CHUNK_LEAVES_MAX;
use credit_types::{
    AccountRef, AccountStatus, BatchClose, BatchManifest, ChunkCommand, ChunkLeaf, ChunkLeaves, Command,
    Digest, InstitutionId, KeyPurpose, LeafType, OpeningLeaf, Reason, RecordId, RecordLeaf, RefusedLeaf,
    Role, SignerId,
};

impl Aim<'_> {
    pub(super) fn manifest(&mut self) -> Command {
        let (leaf_type, role, purpose) = if self.draw.chance(65) {
            (LeafType::Record, Role::Issuer, KeyPurpose::Records)
        } else {
            (LeafType::Opening, Role::Registrar, KeyPurpose::Registry)
        };
        let count = match self.draw.below(30) {
            0 => self.draw.between(60, 140),
            1..4 => self.draw.between(8, 20),
            _ => self.draw.between(1, 5),
        };
        let record_count = u32::try_from(count).unwrap();
        let body = BatchManifest { leaf_type, record_count, root: self.digest() };
        let signer = self.one_with(role);
        Command::OpenBatch(self.by_institution(&signer, purpose, body))
    }

    fn some_batch(&mut self, closed: bool) -> Option<u64> {
        let mut batches = self.model.batches();
        batches.retain(|index| self.model.batch(*index).unwrap().closed == closed);
        // An old one has expired more often than not.
        if self.draw.chance(70) { batches.last().copied() } else { self.draw.any(&batches) }
    }

    pub(super) fn chunk(&mut self) -> Command {
        match self.some_batch(false) {
            Some(index) => Command::SubmitChunk(self.next_chunk(index)),
            None => self.manifest(),
        }
    }

    /// The chunk that a batch waits for.
    fn next_chunk(&mut self, manifest_index: u64) -> ChunkCommand {
        let batch = self.model.batch(manifest_index).unwrap();
        let (chunk, last_key) = (batch.next_chunk, batch.last_key);
        let body = batch.manifest.body;
        let owner = batch.manifest.header.signer.institution().unwrap().clone();
        let done = usize::try_from(chunk).unwrap() * CHUNK_LEAVES_MAX;
        let size = usize::try_from(body.record_count).unwrap().saturating_sub(done).min(CHUNK_LEAVES_MAX);
        let mut refused = Vec::new();
        for place in 0..size {
            if self.draw.chance(6) {
                let position = u32::try_from(done + place).unwrap();
                let reason = Reason::CommitmentMismatch;
                refused.push(RefusedLeaf { position, leaf_hash: self.digest(), reason });
            }
        }
        let count = size - refused.len();
        let leaves = match body.leaf_type {
            LeafType::Record => ChunkLeaves::Records(self.record_leaves(&owner, last_key, count)),
            LeafType::Opening => ChunkLeaves::Openings(self.opening_leaves(last_key, count)),
        };
        let path = (0..self.draw.below(3)).map(|_| self.digest()).collect();
        ChunkCommand { manifest_index, chunk, path, leaves, refused }
    }

    /// Leaves above a key: of open accounts as long as there are any, then of accounts that nobody knows.
    fn record_leaves(
        &mut self,
        issuer: &InstitutionId,
        last: Option<Digest>,
        count: usize,
    ) -> Vec<RecordLeaf> {
        let mut accounts = self.accounts(&[AccountStatus::Active, AccountStatus::Suspended]);
        if self.draw.chance(30) {
            accounts.extend(self.accounts(&[AccountStatus::Closed]));
        }
        let mut keys: Vec<(AccountRef, RecordId)> = Vec::new();
        let again = RecordId(self.id());
        for _ in 0..count * 2 {
            if let Some(account_ref) = self.draw.any(&accounts) {
                // The same id under two accounts ascends as well as two ids do.
                let id = if self.draw.chance(10) { again } else { RecordId(self.id()) };
                keys.push((account_ref, id));
            }
        }
        let above = |(account_ref, id): &(AccountRef, RecordId)| {
            last.is_none_or(|last| [account_ref.0, id.0].concat() > last.0.to_vec())
        };
        keys.retain(above);
        keys.truncate(count);
        let top = last.map_or(0, |last| u64::from_be_bytes(last.0[8..16].try_into().unwrap()));
        let high = last.is_some_and(|last| last.0[..8] == [0xff; 8]);
        let mut next = if high { top } else { 0 };
        while keys.len() < count {
            next += 1;
            let mut id = [0xff; 16];
            id[8..].copy_from_slice(&next.to_be_bytes());
            keys.push((AccountRef(id), RecordId(self.id())));
        }
        keys.sort();
        keys.dedup();
        keys.into_iter().map(|key| self.record_leaf(issuer, key)).collect()
    }

    fn record_leaf(&mut self, issuer: &InstitutionId, key: (AccountRef, RecordId)) -> RecordLeaf {
        let mut body = self.facts(issuer, key.0);
        body.record_id = key.1;
        let mut check = self.check(body.awarded_on);
        if self.draw.chance(30) {
            // Few accreditations are narrow enough for this one.
            let narrow = self.draw.chance(20);
            let reason = if narrow { Reason::LevelNotAccredited } else { *self.draw.pick(&LEAF) };
            let moves =
                [Reason::AccountUnknown, Reason::AccountClosed, Reason::AccountFull, Reason::RecordExists];
            if !moves.contains(&reason) {
                self.spoil_facts(reason, issuer, (&mut body, &mut check));
            }
        }
        ChunkLeaf { leaf_hash: self.digest(), body, check }
    }

    fn opening_leaves(&mut self, last: Option<Digest>, count: usize) -> Vec<OpeningLeaf> {
        let mut word = last.map_or(0, |last| u64::from_be_bytes(last.0[..8].try_into().unwrap()));
        let taken: Vec<AccountRef> = self.model.accounts().collect();
        let again = AccountRef(self.id());
        let mut leaves = Vec::new();
        for _ in 0..count {
            word += 1 + self.draw.word() % (1 << 40);
            let mut leaf_hash = self.digest();
            leaf_hash.0[..8].copy_from_slice(&word.to_be_bytes());
            let mut check = self.new_draw();
            match self.draw.below(20) {
                0 => check.account_ref = self.draw.any(&taken).unwrap_or(again),
                1 | 2 => check.account_ref = again,
                3 => check.aliases.iter_mut().for_each(|alias| alias.taken = true),
                _ => {}
            }
            leaves.push(ChunkLeaf { leaf_hash, body: self.new_opening(), check });
        }
        leaves
    }

    fn close(&mut self, signer: &InstitutionId, manifest_index: u64) -> Command {
        let batch = self.model.batch(manifest_index).map(|batch| batch.manifest.body.leaf_type);
        let purpose = match batch {
            Some(LeafType::Opening) => KeyPurpose::Registry,
            Some(LeafType::Record) | None => KeyPurpose::Records,
        };
        Command::CloseBatch(self.by_institution(signer, purpose, BatchClose { manifest_index }))
    }

    pub(super) fn closing(&mut self) -> Command {
        let Some(index) = self.some_batch(false) else { return self.manifest() };
        let owner = self.model.batch(index).unwrap().manifest.header.signer.institution().unwrap().clone();
        self.close(&owner, index)
    }

    pub(super) fn aimed_at_batch(&mut self, reason: Reason) -> Option<Command> {
        match reason {
            Reason::BatchLimitReached => {
                let mut command = self.manifest();
                let openers =
                    self.model.institutions().map(|one| SignerId::Institution(one.institution_id.clone()));
                let busiest = openers.max_by_key(|signer| self.model.open_batches(signer))?;
                if let Command::OpenBatch(statement) = &mut command {
                    let issuer = self.model.has_role(busiest.institution()?, Role::Issuer);
                    statement.body.leaf_type = if issuer { LeafType::Record } else { LeafType::Opening };
                    let purpose = if issuer { KeyPurpose::Records } else { KeyPurpose::Registry };
                    *statement = self.by_institution(busiest.institution()?, purpose, statement.body);
                }
                Some(command)
            }
            Reason::BatchUnknown => {
                let nowhere = self.model.index() - 1;
                let leaves = ChunkLeaves::Records(Vec::new());
                let chunk = ChunkCommand {
                    manifest_index: nowhere,
                    chunk: 0,
                    path: Vec::new(),
                    leaves,
                    refused: Vec::new(),
                };
                let issuer = self.one_with(Role::Issuer);
                Some(if self.draw.chance(50) {
                    Command::SubmitChunk(chunk)
                } else {
                    self.close(&issuer, nowhere)
                })
            }
            Reason::BatchOfAnother => {
                let index = self.some_batch(false)?;
                let another = self.one_with(Role::Issuer);
                Some(self.close(&another, index))
            }
            Reason::BatchClosed => {
                let index = self.some_batch(true)?;
                let owner = self.model.batch(index)?.manifest.header.signer.institution()?.clone();
                let chunk = self.next_chunk(index);
                Some(if self.draw.chance(50) {
                    Command::SubmitChunk(chunk)
                } else {
                    self.close(&owner, index)
                })
            }
            Reason::ProtocolUnknown => {
                let mut command = self.start();
                if let Command::StartServer(statement) = &mut command {
                    statement.body.protocol = 2;
                }
                Some(command)
            }
            _ => {
                let index = self.some_batch(false)?;
                let mut chunk = self.next_chunk(index);
                self.spoil_chunk(reason, &mut chunk);
                Some(Command::SubmitChunk(chunk))
            }
        }
    }

    /// Makes one thing about a chunk wrong.
    pub(super) fn spoil_chunk(&mut self, reason: Reason, chunk: &mut ChunkCommand) {
        match reason {
            Reason::ChunkOutOfOrder => chunk.chunk += 1,
            Reason::CommandIdReused => chunk.chunk = chunk.chunk.saturating_sub(1),
            Reason::ChunkSizeWrong => match self.draw.below(3) {
                0 => drop(chunk.refused.pop()),
                1 => {
                    let position = chunk.chunk * 64 + 64;
                    let (leaf_hash, reason) = (self.digest(), Reason::CommitmentMismatch);
                    chunk.refused.push(RefusedLeaf { position, leaf_hash, reason });
                }
                _ => match &mut chunk.leaves {
                    ChunkLeaves::Records(leaves) => drop(leaves.pop()),
                    ChunkLeaves::Openings(leaves) => drop(leaves.pop()),
                },
            },
            Reason::PayloadTypeWrong => {
                let nobody = self.new_institution_id();
                let count = self.draw.below(3);
                chunk.leaves = match &chunk.leaves {
                    ChunkLeaves::Records(_) => ChunkLeaves::Openings(self.opening_leaves(None, count)),
                    ChunkLeaves::Openings(_) => {
                        ChunkLeaves::Records(self.record_leaves(&nobody, None, count))
                    }
                };
            }
            Reason::LeafOrderWrong => match &mut chunk.leaves {
                ChunkLeaves::Records(leaves) => leaves.reverse(),
                ChunkLeaves::Openings(leaves) => leaves.reverse(),
            },
            _ => {}
        }
    }
}
