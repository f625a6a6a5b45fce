//! The one place that signs a head. The order is that of the promises: the head is durable in the store; its note is
//! signed; the high-water mark with the note is durable; only then the head leaves this file for readers.
//!
//! What the high-water file remembers decides: a head that does not continue the last signed one is never signed, not
//! after a crash, not on a directory that was rolled back, not by a second process on a copy.

use crate::failure::{Failure, fault};
use crate::reader::FullTiles;
use credit_log::checkpoint::{self, Checkpoint};
use credit_log::envelope::SigningKey;
use credit_log::note::NoteSigner;
use credit_log::tile::TileEdge;
use credit_log::tree::root_at;
use credit_log::{Hash, note};
use credit_store::high_water::{self, HighWater, Identity, Mark};
use credit_store::{Store, StoreError};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// The most keys that sign a checkpoint at once: the old one and the new one of an exchange.
pub(crate) const CHECKPOINT_SIGNERS_MAX: usize = 2;

// A note is a text of three lines and a line per signature; names are origins, signatures 68 bytes in base64.
const _: () = assert!(
    credit_types::limits::ORIGIN_BYTES_MAX
        + 96
        + CHECKPOINT_SIGNERS_MAX * (credit_types::limits::ORIGIN_BYTES_MAX + 100)
        <= high_water::CHECKPOINT_BYTES_MAX
);

/// A head that is durable, in the high-water file and signed, with the right edge of its tiles.
#[derive(Debug)]
pub(crate) struct SignedHead {
    pub(crate) edge: TileEdge,
    pub(crate) root: Hash,
    pub(crate) checkpoint: String,
    pub(crate) recorded_at_us: i64,
}

/// Why a head was not signed. Nothing has left then, and the mark is where it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    /// A signature never precedes durability.
    #[error("the head of {asked} entries is not the one that the store holds durably, of {held}")]
    NotDurable {
        /// The size in the store.
        held: u64,
        /// The size to be signed.
        asked: u64,
    },
    /// It would be another history than the one signed last.
    #[error("the head of {asked} entries does not continue the last signed one, of {held}")]
    NotContinued {
        /// The size signed last.
        held: u64,
        /// The size to be signed.
        asked: u64,
    },
    /// The tiles under the last signed head could not be read.
    #[error("could not compute the root at the last signed size")]
    Tiles(#[source] Failure),
    /// The store could not be asked for its head.
    #[error("could not ask the store for its head")]
    Store(#[from] StoreError),
    /// The note could not be written.
    #[error("could not write the note")]
    Note(#[from] checkpoint::Error),
    /// The mark could not be made durable: nobody may see the note.
    #[error("could not write the high-water mark")]
    Mark(#[from] high_water::Error),
}

impl SignError {
    /// The code with which writes stop.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotDurable { .. } | Self::NotContinued { .. } => "HEAD_CONTRADICTS",
            Self::Tiles(_) | Self::Store(_) | Self::Note(_) | Self::Mark(_) => "STORE_FAILED",
        }
    }
}

/// The keys that sign checkpoints, under the log's origin as their name.
#[derive(Debug)]
pub(crate) struct CheckpointSigners {
    origin: String,
    signers: Vec<NoteSigner>,
}

impl CheckpointSigners {
    /// One key, or the two of an exchange. That the genesis names them has been checked.
    pub(crate) fn new(origin: &str, first: SigningKey, second: Option<SigningKey>) -> Result<Self, Failure> {
        let signers = std::iter::once(first).chain(second).map(|key| NoteSigner::new(origin, key));
        let signers: Result<Vec<NoteSigner>, note::VkeyError> = signers.collect();
        Ok(Self { origin: origin.to_owned(), signers: signers.map_err(fault("use the origin as a name"))? })
    }

    fn note(&self, size: u64, root: Hash) -> Result<String, checkpoint::Error> {
        checkpoint::sign_all(&Checkpoint { origin: self.origin.clone(), size, root }, &self.signers)
    }
}

/// Signs the head of a log that is being made, with the high-water file that remembers it.
pub(crate) fn begin(
    path: &Path,
    identity: Identity,
    signers: &CheckpointSigners,
    edge: &TileEdge,
) -> Result<(), SignError> {
    let (size, root) = (edge.size(), edge.root());
    let note = signers.note(size, root)?;
    HighWater::create(path, identity, Mark { size, root, epoch: 0, checkpoint: note.into_bytes() })?;
    Ok(())
}

/// What is remembered of the heads that were signed, and what signs them.
#[derive(Debug)]
struct Marks {
    high_water: HighWater,
    signers: CheckpointSigners,
    epoch: u64,
}

/// Signs the heads of a running log, and tells who watches.
#[derive(Debug)]
pub(crate) struct HeadSigner {
    marks: Marks,
    heads: watch::Sender<Arc<SignedHead>>,
}

impl HeadSigner {
    /// A signer that goes on where the high-water file ends: it begins by signing the stored head, which may be ahead
    /// of the mark by a group that was durable but not signed.
    pub(crate) fn start(
        high_water: HighWater,
        signers: CheckpointSigners,
        epoch: u64,
        store: &dyn Store,
        edge: TileEdge,
        recorded_at_us: i64,
    ) -> Result<Self, SignError> {
        let mut marks = Marks { high_water, signers, epoch };
        let first = marks.sign(store, edge, recorded_at_us)?;
        let (heads, _) = watch::channel(first);
        Ok(Self { marks, heads })
    }

    /// The newest signed head.
    pub(crate) fn newest(&self) -> Arc<SignedHead> {
        Arc::clone(&self.heads.borrow())
    }

    /// Follows the heads as they are signed.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<SignedHead>> {
        self.heads.subscribe()
    }

    /// Signs the store's head, if it continues the last signed one, and gives it to readers once the mark is durable.
    pub(crate) fn advance(
        &mut self,
        store: &dyn Store,
        edge: TileEdge,
        recorded_at_us: i64,
    ) -> Result<Arc<SignedHead>, SignError> {
        let head = self.marks.sign(store, edge, recorded_at_us)?;
        self.heads.send_replace(Arc::clone(&head));
        Ok(head)
    }
}

impl Marks {
    fn sign(
        &mut self,
        store: &dyn Store,
        edge: TileEdge,
        recorded_at_us: i64,
    ) -> Result<Arc<SignedHead>, SignError> {
        let (size, root) = (edge.size(), edge.root());
        let (held, durable) = store.head()?;
        if (held, durable) != (size, root) {
            return Err(SignError::NotDurable { held, asked: size });
        }
        self.continues(store, &edge, root)?;
        let checkpoint = self.signers.note(size, root)?;
        let mark = Mark { size, root, epoch: self.epoch, checkpoint: checkpoint.clone().into_bytes() };
        self.high_water.record(mark)?;
        Ok(Arc::new(SignedHead { edge, root, checkpoint, recorded_at_us }))
    }

    /// The last signed head must be a head of this tree: by its tiles, not by what the writer remembers.
    fn continues(&self, store: &dyn Store, edge: &TileEdge, root: Hash) -> Result<(), SignError> {
        let mark = self.high_water.newest();
        let (held, asked) = (mark.size, edge.size());
        let at = match asked.cmp(&held) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(root),
            std::cmp::Ordering::Greater => {
                let at = root_at(&edge.over(&FullTiles(store)), held);
                Some(at.map_err(fault("read tiles")).map_err(SignError::Tiles)?)
            }
        };
        if at == Some(mark.root) { Ok(()) } else { Err(SignError::NotContinued { held, asked }) }
    }
}

#[cfg(test)]
mod tests;
