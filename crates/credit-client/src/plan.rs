//! The plan of a batch: every byte that is sent, fixed once, so that a client that was killed goes on with the same.

use credit_log::Hash;
use credit_log::batch::{Manifest, RecordCount, record_leaf};
use credit_log::envelope::SigningKey;
use credit_log::hash::sha256;
use credit_proto::batch::leaf_payload_type;
use credit_proto::{Envelope, Leaf, Statement, decode_statement, v1};
use credit_types::limits::CHUNK_LEAVES_MAX;
use credit_types::{AccountOpening, BatchManifest, CommandId, Digest, Header, LeafType, LogId, RecordId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::account::NewAccount;
use crate::draft::{Committed, NewRecord};
use crate::error::ClientError;
use crate::signer::{Outgoing, admit, seal};

/// What the bytes of a plan begin with; the digest of all that follows comes next.
const MAGIC: &[u8] = b"creditbank batch plan 1\n";

/// A batch plan that cannot be made or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No leaves, or too many.
    #[error("the batch cannot be planned")]
    Count(#[source] RecordCount),
    /// The bytes are not a plan, or not all of one.
    #[error("the plan is damaged or is none")]
    Damaged,
    /// The leaves are not those that the manifest signs.
    #[error("the plan's leaves are not those that its manifest signs")]
    OtherLeaves,
    /// The plan is for another log than the client's.
    #[error("the plan is for another log")]
    OtherLog,
    /// Planning was interrupted.
    #[error("the batch could not be planned")]
    Interrupted,
}

/// One leaf as it will be sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedLeaf {
    /// Its position in the caller's input, from 0.
    source: u32,
    salt: [u8; 32],
    facts: Vec<u8>,
    secret: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    manifest: Vec<u8>,
    leaves: Vec<PlannedLeaf>,
}

/// A signed batch with all its leaves and their secret parts.
///
/// Kept on disk before it is sent, it makes a batch resumable across processes: the same bytes get the same answers.
/// It holds personal data, so its file is for its owner only.
#[derive(Clone)]
pub struct BatchPlan {
    outgoing: Outgoing,
    log_id: LogId,
    leaf_type: LeafType,
    leaves: Vec<PlannedLeaf>,
    tree: Manifest,
}

impl fmt::Debug for BatchPlan {
    /// Shows no leaf.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BatchPlan")
            .field("statement_id", &self.outgoing.statement_id)
            .field("leaf_type", &self.leaf_type)
            .field("leaves", &self.leaves.len())
            .finish_non_exhaustive()
    }
}

/// Puts the path of an input before what is wrong with it.
fn of_input(list: &str, position: usize, error: ClientError) -> ClientError {
    let ClientError::Invalid { field, problem } = error else { return error };
    let dot = if field.is_empty() { "" } else { "." };
    ClientError::Invalid { field: format!("{list}[{position}]{dot}{field}"), problem }
}

/// Refuses the same record twice: sent under two accounts it would be an equivocation of the issuer.
fn distinct(records: &[NewRecord]) -> Result<(), ClientError> {
    let mut seen: BTreeMap<RecordId, usize> = BTreeMap::new();
    for (position, record) in records.iter().enumerate() {
        if let Some(first) = seen.insert(record.record_id, position) {
            let field = format!("records[{position}].record_id");
            return Err(ClientError::invalid(
                field,
                format!("is that of records[{first}]: leave one of them out"),
            ));
        }
    }
    Ok(())
}

impl BatchPlan {
    /// Plans a batch of records: draws salts, commits, sorts, signs the root.
    pub(crate) fn records(
        key: &SigningKey,
        header: &Header,
        records: &[NewRecord],
    ) -> Result<Self, ClientError> {
        distinct(records)?;
        let mut leaves = Vec::with_capacity(records.len());
        for (position, record) in records.iter().enumerate() {
            let at = |error: ClientError| of_input("records", position, error);
            let details = Committed::details(&record.details).map_err(at)?;
            let leaf = leaf(position, &record.facts(details.commitment), details).map_err(at)?;
            leaves.push(((record.account_ref, record.record_id), leaf));
        }
        leaves.sort_by_key(|(order, _)| *order);
        let leaves = leaves.into_iter().map(|(_, leaf)| leaf).collect();
        Self::signed(key, header, LeafType::Record, leaves)
    }

    /// Plans a batch of openings in the same way.
    pub(crate) fn openings(
        key: &SigningKey,
        header: &Header,
        accounts: &[NewAccount],
    ) -> Result<Self, ClientError> {
        let mut leaves = Vec::with_capacity(accounts.len());
        for (position, account) in accounts.iter().enumerate() {
            let at = |error: ClientError| of_input("accounts", position, error);
            let identity = Committed::identity(&account.identity).map_err(at)?;
            let identity_commitment = identity.commitment;
            let body = AccountOpening { assurance: account.assurance, identity_commitment };
            let leaf = leaf(position, &body, identity).map_err(at)?;
            leaves.push((record_leaf(leaf_payload_type(LeafType::Opening), &leaf.facts), leaf));
        }
        leaves.sort_by_key(|(order, _)| *order);
        let leaves = leaves.into_iter().map(|(_, leaf)| leaf).collect();
        Self::signed(key, header, LeafType::Opening, leaves)
    }

    fn signed(
        key: &SigningKey,
        header: &Header,
        leaf_type: LeafType,
        leaves: Vec<PlannedLeaf>,
    ) -> Result<Self, ClientError> {
        let tree = tree(leaf_type, &leaves)?;
        let record_count = u32::try_from(tree.record_count()).unwrap_or(u32::MAX);
        let body = BatchManifest { leaf_type, record_count, root: Digest(tree.root()) };
        let outgoing = seal(header, &body, &[key])?;
        let log_id = header.log_id.ok_or(PlanError::OtherLog)?;
        Ok(Self { outgoing, log_id, leaf_type, leaves, tree })
    }

    /// The plan as it is kept in a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stored = Stored { manifest: self.outgoing.envelope.encode(), leaves: self.leaves.clone() };
        // Bytes, numbers and lists of them: there is nothing that postcard couldn't hold.
        let body = postcard::to_stdvec(&stored).unwrap_or_default();
        assert!(!body.is_empty(), "a plan has a form in bytes");
        [MAGIC, &sha256(&body), &body].concat()
    }

    /// Reads a plan: its digest, its leaves against the root that its manifest signs.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(PlanError::Damaged)?;
        let (digest, body) = rest.split_first_chunk::<32>().ok_or(PlanError::Damaged)?;
        if sha256(body) != *digest {
            return Err(PlanError::Damaged);
        }
        let Stored { manifest, leaves } = postcard::from_bytes(body).map_err(|_| PlanError::Damaged)?;
        let envelope = Envelope::decode(&manifest).map_err(|_| PlanError::Damaged)?;
        let statement = decode_statement(&envelope.payload_type, &envelope.payload, admit);
        let Ok(Statement::OpenBatch(header, body)) = statement else { return Err(PlanError::Damaged) };
        let tree = tree(body.leaf_type, &leaves)?;
        if (tree.root(), tree.record_count()) != (body.root.0, u64::from(body.record_count)) {
            return Err(PlanError::OtherLeaves);
        }
        let sources: BTreeSet<u32> = leaves.iter().map(|leaf| leaf.source).collect();
        let whole =
            sources.len() == leaves.len() && sources.last().is_some_and(|last| *last < body.record_count);
        if !whole {
            return Err(PlanError::Damaged);
        }
        let Header { log_id, statement_id, signer, anchor: _ } = header;
        let outgoing = Outgoing { statement_id, signer, envelope };
        let log_id = log_id.ok_or(PlanError::Damaged)?;
        Ok(Self { outgoing, log_id, leaf_type: body.leaf_type, leaves, tree })
    }

    /// The manifest's statement_id: the batch's name until it has an index.
    pub fn statement_id(&self) -> CommandId {
        self.outgoing.statement_id
    }

    /// What the leaves are.
    pub fn leaf_type(&self) -> LeafType {
        self.leaf_type
    }

    /// Count of leaves, 1 to 2^20.
    pub fn leaf_count(&self) -> u32 {
        u32::try_from(self.leaves.len()).unwrap_or(u32::MAX)
    }

    /// Count of chunks.
    pub fn chunk_count(&self) -> u32 {
        u32::try_from(self.tree.chunk_count()).unwrap_or(u32::MAX)
    }

    /// The position in the caller's input (from 0) of the leaf at a position of the batch.
    pub fn source(&self, position: u32) -> Option<u32> {
        self.leaf(position).map(|leaf| leaf.source)
    }

    /// The log that it is for.
    pub(crate) fn log_id(&self) -> LogId {
        self.log_id
    }

    /// The signed manifest.
    pub(crate) fn manifest(&self) -> &Outgoing {
        &self.outgoing
    }

    /// The facts of the leaf at a position of the batch.
    pub(crate) fn facts(&self, position: u32) -> Option<&[u8]> {
        self.leaf(position).map(|leaf| leaf.facts.as_slice())
    }

    fn leaf(&self, position: u32) -> Option<&PlannedLeaf> {
        self.leaves.get(usize::try_from(position).ok()?)
    }

    /// The positions of a chunk's leaves in the batch.
    pub(crate) fn positions(&self, chunk: u32) -> std::ops::Range<u32> {
        let size = u32::try_from(CHUNK_LEAVES_MAX).unwrap_or(u32::MAX);
        let from = chunk.saturating_mul(size).min(self.leaf_count());
        from..from.saturating_add(size).min(self.leaf_count())
    }

    /// A chunk as it is sent; `None` where there is no such chunk.
    pub(crate) fn chunk(&self, chunk: u32) -> Option<v1::ChunkSubmission> {
        let path = self.tree.path(u64::from(chunk)).ok()?;
        let leaves = self.positions(chunk).filter_map(|position| self.leaf(position)).map(|leaf| {
            let secret = v1::SecretPart { salt: leaf.salt.to_vec(), payload: leaf.secret.clone() };
            v1::LeafSubmission { facts: leaf.facts.clone(), secret: Some(secret) }
        });
        let path = path.iter().map(|hash| hash.to_vec()).collect();
        Some(v1::ChunkSubmission { chunk, leaves: leaves.collect(), path })
    }
}

/// Checks a leaf against every bound that the bank will check it against.
fn leaf<L: Leaf>(position: usize, body: &L, secret: Committed) -> Result<PlannedLeaf, ClientError> {
    let facts = body.leaf_payload();
    L::leaf(&facts)?;
    // Positions beyond 2^32 belong to a batch that is refused for its count.
    let source = u32::try_from(position).unwrap_or(u32::MAX);
    Ok(PlannedLeaf { source, salt: secret.salt, facts, secret: secret.payload })
}

fn tree(leaf_type: LeafType, leaves: &[PlannedLeaf]) -> Result<Manifest, PlanError> {
    let payload_type = leaf_payload_type(leaf_type);
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| record_leaf(payload_type, &leaf.facts)).collect();
    Manifest::of(&hashes).map_err(PlanError::Count)
}

#[cfg(test)]
pub(crate) mod tests;
