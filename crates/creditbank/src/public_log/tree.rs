//! A tree whose every tile and bundle is held against one root, from the top down: what is wrong is found at the first
//! file that is, and nothing is kept but one tile a level.

use super::{LogSource, SourceError};
use credit_log::Hash;
use credit_log::hash::leaf_hash;
use credit_log::tile::{
    TILE_WIDTH, TileEdge, TileKind, TilePath, decode_entries, decode_hashes, encode_hashes, full_tiles,
    hashes_at, width_at,
};
use credit_log::tree::{ReadError, Tiles, root_at, root_of};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The hashes of a full tile, as a count.
const WIDTH: u64 = TILE_WIDTH as u64;

/// What is wrong with the files of a log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    /// A file could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file that the signed head needs is not there.
    #[error("{path} is missing under the signed head")]
    Missing {
        /// Its path.
        path: String,
        /// The first entry below it.
        first: u64,
    },
    /// A file does not hash to what the signed head says.
    #[error("{path} is not what the signed head says")]
    Wrong {
        /// Its path.
        path: String,
        /// The first entry below it.
        first: u64,
    },
    /// The partial tiles of the right edge have another root than was signed.
    #[error("the tiles have another root than the signed head")]
    Root,
}

/// The entries before a tile or bundle.
fn first_below(path: &TilePath) -> u64 {
    let levels = match path.kind {
        TileKind::Hashes(level) => u32::from(level).saturating_add(1),
        TileKind::Entries => 1,
    };
    (0..levels).fold(path.index, |first, _| first.saturating_mul(WIDTH))
}

/// The tiles of a source, as they are said to be.
struct Unchecked<'s>(&'s dyn LogSource);

impl Tiles for Unchecked<'_> {
    type Error = TreeError;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, TreeError> {
        read(self.0, &TilePath { kind: TileKind::Hashes(level), index, width })
    }
}

fn read(source: &dyn LogSource, path: &TilePath) -> Result<Vec<Hash>, TreeError> {
    let (first, name) = (first_below(path), path.encode());
    let bytes = source.file(path)?.ok_or_else(|| TreeError::Missing { path: name.clone(), first })?;
    let hashes = decode_hashes(&bytes).ok().filter(|hashes| hashes.len() == usize::from(path.width));
    hashes.ok_or(TreeError::Wrong { path: name, first })
}

/// The tree under a signed head.
pub(crate) struct CheckedTree<'s> {
    source: &'s dyn LogSource,
    edge: TileEdge,
    /// The full tile of each level that was checked last.
    last: RefCell<BTreeMap<u8, (u64, Vec<Hash>)>>,
}

impl<'s> CheckedTree<'s> {
    /// Reads the right edge and holds it against the root.
    pub(crate) fn new(source: &'s dyn LogSource, size: u64, root: &Hash) -> Result<Self, TreeError> {
        let edge = TileEdge::load(&Unchecked(source), size).map_err(told)?;
        if edge.root() != *root {
            return Err(TreeError::Root);
        }
        Ok(Self { source, edge, last: RefCell::default() })
    }

    /// The count of entries.
    pub(crate) fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root at a smaller size.
    pub(crate) fn root_at(&self, size: u64) -> Result<Hash, TreeError> {
        root_at(self, size).map_err(told)
    }

    /// The paths of a kind under this head, in order; the last one may be partial.
    pub(crate) fn paths(&self, kind: TileKind) -> impl Iterator<Item = TilePath> + use<> {
        let level = match kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        };
        let size = self.size();
        (0..hashes_at(level, size).div_ceil(WIDTH))
            .filter_map(move |index| Some(TilePath { kind, index, width: width_at(level, index, size)? }))
    }

    /// The tile levels that have any hash.
    pub(crate) fn levels(&self) -> impl Iterator<Item = u8> + use<> {
        let size = self.size();
        (0u8..).take_while(move |level| hashes_at(*level, size) > 0)
    }

    /// A hash of a level. It is in the edge, or in a full tile, which is checked against the level above: eight levels
    /// at most.
    fn hash(&self, level: u8, index: u64) -> Result<Hash, TreeError> {
        let (tile, offset) = (index / WIDTH, index % WIDTH);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let hashes = self.tile_at(level, tile)?;
        hashes.get(offset).copied().ok_or(TreeError::Root)
    }

    fn tile_at(&self, level: u8, index: u64) -> Result<Vec<Hash>, TreeError> {
        if index >= full_tiles(level, self.size()) {
            let hashes = self.edge.edge().get(usize::from(level)).cloned();
            return hashes.filter(|_| index == full_tiles(level, self.size())).ok_or(TreeError::Root);
        }
        if let Some((known, hashes)) = self.last.borrow().get(&level)
            && *known == index
        {
            return Ok(hashes.clone());
        }
        let path = TilePath { kind: TileKind::Hashes(level), index, width: TILE_WIDTH };
        let hashes = read(self.source, &path)?;
        if root_of(&hashes) != self.hash(level.saturating_add(1), index)? {
            return Err(TreeError::Wrong { path: path.encode(), first: first_below(&path) });
        }
        self.last.borrow_mut().insert(level, (index, hashes.clone()));
        Ok(hashes)
    }

    /// The bytes of a hash tile under this head, read from the source and checked.
    pub(crate) fn tile_bytes(&self, level: u8, index: u64) -> Result<Vec<u8>, TreeError> {
        Ok(encode_hashes(&self.tile_at(level, index)?))
    }

    /// The bytes of a bundle, read from the source and checked.
    pub(crate) fn bundle_bytes(&self, path: &TilePath) -> Result<Vec<u8>, TreeError> {
        let missing = || TreeError::Missing { path: path.encode(), first: first_below(path) };
        let bytes = self.source.file(path)?.ok_or_else(missing)?;
        self.check_bundle(path, &bytes)?;
        Ok(bytes)
    }

    /// Holds the bytes of a bundle against the head, and gives the leaf hashes: the tile of level 0 beside it.
    pub(crate) fn check_bundle(&self, path: &TilePath, bytes: &[u8]) -> Result<Vec<Hash>, TreeError> {
        let wrong = || TreeError::Wrong { path: path.encode(), first: first_below(path) };
        let entries = decode_entries(bytes).map_err(|_| wrong())?;
        let leaves: Vec<Hash> = entries.into_iter().map(leaf_hash).collect();
        let same = if path.width == TILE_WIDTH {
            leaves.len() == usize::from(TILE_WIDTH) && root_of(&leaves) == self.hash(1, path.index)?
        } else {
            self.edge.edge().first() == Some(&leaves)
        };
        if same { Ok(leaves) } else { Err(wrong()) }
    }
}

impl Tiles for CheckedTree<'_> {
    type Error = TreeError;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, TreeError> {
        self.tile_at(level, index)
    }
}

/// What went wrong below a proof or an edge.
fn told(error: ReadError<TreeError>) -> TreeError {
    match error {
        ReadError::Tile { level: _, index: _, cause } => cause,
        ReadError::Short { .. } | ReadError::OutOfRange(_) => TreeError::Root,
    }
}

#[cfg(test)]
mod tests;
