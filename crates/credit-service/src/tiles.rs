//! What a public log shows of its tree (C2SP tlog-tiles v0.1.0): hash tiles and bundles of entry cores, under one head.
//! The server and the static directory take their bytes from here, so that they are the same.

use crate::failure::{Failure, fault};
use crate::ledger::load_edge;
use crate::reader::FullTiles;
use credit_log::Hash;
use credit_log::tile::{TILE_WIDTH, TileEdge, TileKind, TilePath, encode_entries, encode_hashes, width_at};
use credit_log::tree::Tiles as _;
use credit_store::Store;
use std::borrow::Cow;

/// The most bytes of entries read at once for a bundle; a bundle itself is far smaller, for it holds cores only.
const READ_BYTES_MAX: usize = 4 << 20;

/// The files of a tree of one size.
pub struct TreeFiles<'a> {
    store: &'a dyn Store,
    edge: Cow<'a, TileEdge>,
}

impl<'a> TreeFiles<'a> {
    /// The files under a head whose edge is at hand.
    pub(crate) fn under(store: &'a dyn Store, edge: &'a TileEdge) -> Self {
        Self { store, edge: Cow::Borrowed(edge) }
    }

    /// The files of the first `size` entries of a store.
    pub fn at(store: &'a dyn Store, size: u64) -> Result<Self, Failure> {
        Ok(Self { store, edge: Cow::Owned(load_edge(store, size)?) })
    }

    /// The count of entries.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// The bytes of a tile or bundle. `None` where this tree has no such tile, or fewer hashes in it than asked for:
    /// there is no empty tile and none that ends beyond the head. Any narrower width is a partial tile of a smaller
    /// size, and stays available.
    pub fn bytes(&self, path: &TilePath) -> Result<Option<Vec<u8>>, Failure> {
        let TilePath { kind, index, width } = *path;
        let level = match kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        };
        if width_at(level, index, self.edge.size()).is_none_or(|has| has < width) {
            return Ok(None);
        }
        match kind {
            TileKind::Hashes(level) => self.hashes(level, index, width),
            TileKind::Entries => self.bundle(index, width),
        }
        .map(Some)
    }

    fn hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Failure> {
        let mut hashes = self.edge.over(&FullTiles(self.store)).tile(level, index, width)?;
        hashes.truncate(usize::from(width));
        if hashes.len() != usize::from(width) {
            return Err(Failure::Fault(format!("tile {index} of level {level} is incomplete")));
        }
        Ok(encode_hashes(&hashes))
    }

    fn bundle(&self, index: u64, width: u16) -> Result<Vec<u8>, Failure> {
        let first = index.saturating_mul(u64::from(TILE_WIDTH));
        let end = first.saturating_add(u64::from(width));
        let mut cores: Vec<Vec<u8>> = Vec::with_capacity(usize::from(width));
        let mut next = first;
        while next < end {
            let entries = self.store.entries(next..end, READ_BYTES_MAX)?;
            if entries.is_empty() {
                return Err(Failure::Fault(format!("entry {next} is missing")));
            }
            next = next.saturating_add(u64::try_from(entries.len()).unwrap_or(u64::MAX));
            cores.extend(entries.into_iter().map(|entry| entry.core));
        }
        encode_entries(&cores).map_err(fault("write a bundle"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::hash::leaf_hash;
    use credit_log::tile::{decode_entries, decode_hashes, hashes_at};
    use credit_store::memory::MemoryStore;
    use credit_store::{Batch, BodyBytes, EntryBytes, Tile};

    /// A store of so many entries, and the edges of every size on the way.
    fn grown(size: u64) -> (MemoryStore, Vec<TileEdge>) {
        let (store, mut edge) = (MemoryStore::default(), TileEdge::new());
        let mut edges = vec![edge.clone()];
        while edge.size() < size {
            let index = edge.size();
            let core = format!("core {index}").into_bytes();
            let full = edge.append(leaf_hash(&core));
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
                root: edge.root(),
            };
            store.append(index, &batch).unwrap();
            edges.push(edge.clone());
        }
        (store, edges)
    }

    fn path(kind: TileKind, index: u64, width: u16) -> TilePath {
        TilePath { kind, index, width }
    }

    /// Every partial tile that a published size owed is served at any later size, the same bytes.
    #[test]
    fn the_tiles_of_every_size_are_served_then_and_later() {
        let (store, edges) = grown(530);
        let last = TreeFiles::at(&store, 530).unwrap();
        for size in 1..=530u64 {
            let files = TreeFiles::under(&store, &edges[usize::try_from(size).unwrap()]);
            for level in 0..2u8 {
                let count = hashes_at(level, size);
                for index in 0..count.div_ceil(256) {
                    let width = width_at(level, index, size).unwrap();
                    let kinds: &[TileKind] = if level == 0 {
                        &[TileKind::Hashes(0), TileKind::Entries]
                    } else {
                        &[TileKind::Hashes(1)]
                    };
                    for kind in kinds {
                        let path = path(*kind, index, width);
                        let bytes = files.bytes(&path).unwrap().unwrap();
                        assert_eq!(last.bytes(&path).unwrap().as_ref(), Some(&bytes), "{size} {path:?}");
                        let members = match kind {
                            TileKind::Hashes(_) => decode_hashes(&bytes).unwrap().len(),
                            TileKind::Entries => decode_entries(&bytes).unwrap().len(),
                        };
                        assert_eq!(members, usize::from(width));
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_empty_and_nothing_beyond_the_head_is_served() {
        let (store, _) = grown(530);
        for (size, kind, index, width) in [
            (300, TileKind::Hashes(0), 1, 45),
            (300, TileKind::Hashes(0), 1, 256),
            (300, TileKind::Entries, 1, 45),
            (300, TileKind::Entries, 2, 1),
            (300, TileKind::Hashes(1), 0, 2),
            (300, TileKind::Hashes(1), 1, 1),
            (300, TileKind::Hashes(2), 0, 1),
            (300, TileKind::Hashes(63), 0, 1),
            (256, TileKind::Hashes(0), 1, 1),
            (255, TileKind::Hashes(0), 0, 256),
            (255, TileKind::Hashes(1), 0, 1),
        ] {
            let files = TreeFiles::at(&store, size).unwrap();
            assert_eq!(
                files.bytes(&path(kind, index, width)).unwrap(),
                None,
                "{size} {kind:?} {index} {width}"
            );
        }
        let files = TreeFiles::at(&store, 300).unwrap();
        assert!(files.bytes(&path(TileKind::Hashes(0), 1, 44)).unwrap().is_some());
        assert!(files.bytes(&path(TileKind::Hashes(1), 0, 1)).unwrap().is_some());
    }
}
