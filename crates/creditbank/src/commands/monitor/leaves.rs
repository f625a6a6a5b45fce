//! The leaf hashes of every entry that was seen: 32 bytes an entry. With them a log that was rolled back can be convicted
//! after its server has forgotten the tree.

use credit_log::Hash;
use credit_log::tile::TILE_WIDTH;
use credit_log::tree::{Frontier, Tiles};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The bytes of a hash.
const HASH_BYTES: u64 = 32;
/// Hashes that are read at once.
const READ_HASHES: u64 = 4_096;

/// A file of leaf hashes.
pub(super) struct Leaves {
    file: File,
    count: u64,
}

impl Leaves {
    /// Opens the file, or makes an empty one. What a crash has left of a hash at its end is cut off.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let count = file.metadata()?.len() / HASH_BYTES;
        let mut leaves = Self { file, count };
        leaves.truncate(count)?;
        Ok(leaves)
    }

    /// Count of hashes.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Forgets what lies behind so many hashes.
    pub(super) fn truncate(&mut self, count: u64) -> io::Result<()> {
        self.count = self.count.min(count);
        self.file.set_len(self.count.saturating_mul(HASH_BYTES))
    }

    /// Adds hashes; for good after [`Leaves::sync`].
    pub(super) fn append(&mut self, hashes: &[Hash]) -> io::Result<()> {
        self.file.write_all_at(hashes.as_flattened(), self.count.saturating_mul(HASH_BYTES))?;
        self.count = self.count.saturating_add(u64::try_from(hashes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Puts everything on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// The tree over the first so many hashes.
    pub(super) fn tree(&self, count: u64) -> io::Result<Frontier> {
        self.subtree(0, count)
    }

    fn subtree(&self, first: u64, count: u64) -> io::Result<Frontier> {
        let mut tree = Frontier::new();
        let end = first.saturating_add(count);
        let mut next = first;
        while next < end {
            let hashes = self.read(next, READ_HASHES.min(end.saturating_sub(next)))?;
            next = next.saturating_add(u64::try_from(hashes.len()).unwrap_or(u64::MAX));
            for hash in hashes {
                tree.append(hash);
            }
        }
        Ok(tree)
    }

    fn read(&self, first: u64, count: u64) -> io::Result<Vec<Hash>> {
        let mut hashes = vec![[0; 32]; usize::try_from(count).unwrap_or(0)];
        self.file.read_exact_at(hashes.as_flattened_mut(), first.saturating_mul(HASH_BYTES))?;
        Ok(hashes)
    }
}

impl Tiles for Leaves {
    type Error = io::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> io::Result<Vec<Hash>> {
        let wide = u64::from(TILE_WIDTH);
        let below = (0..level).fold(1u64, |below, _| below.saturating_mul(wide));
        let first = index.saturating_mul(wide);
        if level == 0 {
            return self.read(first, u64::from(width));
        }
        let of = |number: u64| {
            let at = first.saturating_add(number).saturating_mul(below);
            self.subtree(at, below).map(|tree| tree.root())
        };
        (0..u64::from(width)).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::consistency;
    use credit_log::tree::{root_at, root_of};

    fn hash(number: u64) -> Hash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn hashes_are_kept_and_prove_what_every_tree_of_them_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leaves");
        let all: Vec<Hash> = (0..600).map(hash).collect();
        let mut leaves = Leaves::open(&path).unwrap();
        for some in all.chunks(77) {
            leaves.append(some).unwrap();
        }
        leaves.sync().unwrap();
        drop(leaves);
        // A hash that a crash has cut.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend([1; 31]);
        std::fs::write(&path, bytes).unwrap();
        let mut leaves = Leaves::open(&path).unwrap();
        assert_eq!(leaves.count(), 600);
        for size in [1, 2, 255, 256, 257, 512, 599, 600] {
            let root = root_of(&all[..usize::try_from(size).unwrap()]);
            assert_eq!(leaves.tree(size).unwrap().root(), root);
            assert_eq!(root_at(&leaves, size).unwrap(), root);
            let proof = consistency::prove(&leaves, size, 600).unwrap();
            assert_eq!(consistency::verify(size, 600, &proof, &root, &root_of(&all)), Ok(()));
        }
        leaves.truncate(10).unwrap();
        leaves.append(&all[10..20]).unwrap();
        assert_eq!((leaves.count(), leaves.tree(20).unwrap().root()), (20, root_of(&all[..20])));
        assert!(leaves.tree(21).is_err());
    }
}
