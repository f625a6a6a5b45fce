use super::*;
use credit_log::hash::leaf_hash;
use credit_log::note::VerifierKey;
use credit_store::memory::MemoryStore;
use credit_store::{Batch, BodyBytes, EntryBytes, Tile};
use tempfile::TempDir;

const ORIGIN: &str = "dev.test/heads";

/// A store with a history of its own, and its edge.
struct History {
    store: MemoryStore,
    edge: TileEdge,
    name: u8,
}

impl History {
    fn new(name: u8) -> Self {
        Self { store: MemoryStore::default(), edge: TileEdge::new(), name }
    }

    /// Appends entries one by one up to a size; `shared` of them are the same in every history.
    fn grow(&mut self, to: u64, shared: u64) {
        while self.edge.size() < to {
            let index = self.edge.size();
            let name = if index < shared { 0 } else { self.name };
            let core = [&[name][..], &index.to_be_bytes()].concat();
            let full = self.edge.append(leaf_hash(&core));
            let tiles = full.into_iter().map(|tile| Tile {
                level: tile.level,
                index: tile.index,
                hashes: tile.hashes,
            });
            let batch = Batch {
                entries: vec![EntryBytes { core, secret: [1; 32], parts: vec![vec![1]] }],
                bodies: vec![BodyBytes::default()],
                tiles: tiles.collect(),
                rows: Vec::new(),
                root: self.edge.root(),
            };
            self.store.append(index, &batch).unwrap();
        }
    }

    fn sign(&self, signer: &mut HeadSigner) -> Result<Arc<SignedHead>, SignError> {
        signer.advance(&self.store, self.edge.clone(), 7)
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn signers() -> CheckpointSigners {
    CheckpointSigners::new(ORIGIN, key(1), Some(key(2))).unwrap()
}

/// A signer whose high-water file knows the history's head.
fn signer_of(folder: &TempDir, history: &History) -> HeadSigner {
    let path = folder.path().join("high-water");
    let identity = Identity { log_id: [3; 32], instance: [4; 16] };
    begin(&path, identity, &signers(), &history.edge).unwrap();
    let high_water = HighWater::open(&path, &[3; 32]).unwrap();
    HeadSigner::start(high_water, signers(), 9, &history.store, history.edge.clone(), 7).unwrap()
}

#[test]
fn a_head_that_continues_the_last_one_is_marked_and_signed_by_both_keys() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::new(1);
    history.grow(1, 0);
    let mut signer = signer_of(&folder, &history);
    for size in [1, 2, 255, 256, 257, 600, 600] {
        history.grow(size, 0);
        let head = history.sign(&mut signer).unwrap();
        assert_eq!((head.edge.size(), head.root, head.recorded_at_us), (size, history.edge.root(), 7));
        assert!(Arc::ptr_eq(&head, &signer.newest()));
        for seed in [1, 2] {
            let known = [VerifierKey::new(ORIGIN, key(seed).public()).unwrap()];
            let opened = checkpoint::open(&head.checkpoint, &known, ORIGIN).unwrap();
            assert_eq!((opened.size, opened.root), (size, head.root));
        }
        let mark = HighWater::open(&folder.path().join("high-water"), &[3; 32]).unwrap().newest().clone();
        assert_eq!((mark.size, mark.root, mark.epoch), (size, head.root, 9));
        assert_eq!(mark.checkpoint, head.checkpoint.as_bytes());
    }
}

#[test]
fn a_head_that_does_not_continue_the_last_one_is_never_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut signed = History::new(1);
    signed.grow(300, 200);
    let mut signer = signer_of(&folder, &signed);
    let mut other = |size, shared| {
        let mut other = History::new(2);
        other.grow(size, shared);
        let refused = other.sign(&mut signer).unwrap_err();
        assert!(
            matches!(refused, SignError::NotContinued { held: 300, asked } if asked == size),
            "{refused}"
        );
        assert_eq!(refused.code(), "HEAD_CONTRADICTS");
    };
    // Rolled back; rolled back and grown again to the same size, one more, far more; forked within a full tile.
    other(200, 200);
    other(299, 200);
    other(300, 200);
    other(301, 299);
    other(700, 200);
    other(700, 0);
    let mark = HighWater::open(&folder.path().join("high-water"), &[3; 32]).unwrap().newest().clone();
    assert_eq!((mark.size, mark.root), (300, signed.edge.root()));
    assert_eq!(signer.newest().root, signed.edge.root(), "who watches has heard of none of them");
    signed.grow(301, 200);
    assert!(signed.sign(&mut signer).is_ok(), "the true history goes on");
}

#[test]
fn a_head_that_is_not_durable_is_never_signed() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::new(1);
    history.grow(10, 0);
    let mut signer = signer_of(&folder, &history);
    let mut ahead = history.edge.clone();
    ahead.append([5; 32]);
    let refused = signer.advance(&history.store, ahead, 7).unwrap_err();
    assert!(matches!(refused, SignError::NotDurable { held: 10, asked: 11 }), "{refused}");
    let mut behind = History::new(1);
    behind.grow(9, 0);
    let refused = signer.advance(&history.store, behind.edge, 7).unwrap_err();
    assert!(matches!(refused, SignError::NotDurable { held: 10, asked: 9 }), "{refused}");
}

#[test]
fn two_signers_fit_the_high_water_file_with_the_longest_origin() {
    let origin = "o".repeat(credit_types::limits::ORIGIN_BYTES_MAX);
    let signers = CheckpointSigners::new(&origin, key(1), Some(key(2))).unwrap();
    assert_eq!(signers.signers.len(), CHECKPOINT_SIGNERS_MAX);
    let note = signers.note(u64::MAX >> 1, [9; 32]).unwrap();
    assert!(note.len() <= high_water::CHECKPOINT_BYTES_MAX, "{}", note.len());
}
