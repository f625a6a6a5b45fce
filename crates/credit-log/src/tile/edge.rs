//! The right edge of the tiles, kept in memory while a log grows.

use super::{TILE_HEIGHT, TILE_WIDTH, full_tiles, partial_width};
use crate::hash::Hash;
use crate::tree::{Frontier, PartsError, ReadError, SIZE_MAX, Tiles, fold};

/// A tile that just became full: it never changes again and is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// The tile's level, from 0.
    pub level: u8,
    /// The tile's index in its level, from 0.
    pub index: u64,
    /// Its 256 hashes.
    pub hashes: Vec<Hash>,
}

/// The partial tiles of all levels of a growing tree, and with them its root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TileEdge {
    frontier: Frontier,
    /// By level: the hashes of its partial tile, 0 to 255 of them.
    partial: Vec<Vec<Hash>>,
}

impl TileEdge {
    /// The edge of the tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of `size` leaves from the hashes of its partial tiles, by level from 0; a level
    /// whose last tile is full has none, and levels above the last one with hashes may be left out.
    pub fn from_parts(size: u64, mut partial: Vec<Vec<Hash>>) -> Result<Self, PartsError> {
        if size > SIZE_MAX {
            return Err(PartsError::Size { size });
        }
        partial.resize(partial.len().max(levels(size)), Vec::new());
        for (hashes, level) in partial.iter().zip(0u8..) {
            let want = usize::from(partial_width(level, size));
            if hashes.len() != want {
                return Err(PartsError::Hashes { size, want, have: hashes.len() });
            }
        }
        partial.truncate(levels(size));
        // The peaks of the whole tree are those of the partial tiles, the highest level first.
        let peaks = partial.iter().rev().flat_map(|hashes| peaks_in(hashes)).collect();
        Ok(Self { frontier: Frontier::from_parts(size, peaks)?, partial })
    }

    /// Reads the edge of a tree of `size` leaves (at most [`SIZE_MAX`]) from a source that has its partial
    /// tiles, or wider ones.
    pub fn load<T: Tiles + ?Sized>(tiles: &T, size: u64) -> Result<Self, ReadError<T::Error>> {
        let mut partial = Vec::new();
        for level in 0u8.. {
            if usize::from(level) >= levels(size) {
                break;
            }
            let (index, want) = (full_tiles(level, size), partial_width(level, size));
            let mut hashes = Vec::new();
            if want > 0 {
                hashes = tiles.tile(level, index, want).map_err(|cause| ReadError::Tile {
                    level,
                    index,
                    cause,
                })?;
                if hashes.len() < usize::from(want) {
                    return Err(ReadError::Short { level, index, want, have: hashes.len() });
                }
                hashes.truncate(usize::from(want));
            }
            partial.push(hashes);
        }
        Self::from_parts(size, partial)
            .map_err(|_| ReadError::OutOfRange(crate::proof::OutOfRange { index: size, size: SIZE_MAX }))
    }

    /// Adds a leaf by its leaf hash and gives the tiles that it completes, from below: nearly always none,
    /// one per 256 leaves, two per 65,536.
    pub fn append(&mut self, leaf: Hash) -> Vec<FullTile> {
        self.frontier.append(leaf);
        let size = self.frontier.size();
        let mut completed = Vec::new();
        let mut carried = Some(leaf);
        let mut level = 0u8;
        while let Some(hash) = carried.take() {
            if self.partial.len() <= usize::from(level) {
                self.partial.push(Vec::new());
            }
            let Some(hashes) = self.partial.get_mut(usize::from(level)) else { break };
            hashes.push(hash);
            if hashes.len() == usize::from(TILE_WIDTH) {
                let hashes = std::mem::take(hashes);
                carried = fold(&hashes);
                // This tile is the last of the full ones.
                let index = full_tiles(level, size).saturating_sub(1);
                completed.push(FullTile { level, index, hashes });
            }
            level = level.saturating_add(1);
        }
        completed
    }

    /// The count of leaves.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The compact form of the same tree.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The hashes of the partial tiles, by level from 0; an empty one where the last tile is full.
    pub fn edge(&self) -> &[Vec<Hash>] {
        &self.partial
    }

    /// All tiles of the tree: the partial ones from here, the full ones from `full`.
    pub fn over<'a, T: Tiles + ?Sized>(&'a self, full: &'a T) -> OverEdge<'a, T> {
        OverEdge { edge: self, full }
    }
}

/// A store of full tiles together with the edge of its tree; see [`TileEdge::over`].
#[derive(Debug)]
pub struct OverEdge<'a, T: ?Sized> {
    edge: &'a TileEdge,
    full: &'a T,
}

impl<T: Tiles + ?Sized> Tiles for OverEdge<'_, T> {
    type Error = T::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        if index < full_tiles(level, self.edge.size()) {
            return self.full.tile(level, index, width);
        }
        let on_edge = index == full_tiles(level, self.edge.size());
        let hashes = self.edge.partial.get(usize::from(level)).filter(|_| on_edge);
        Ok(hashes.cloned().unwrap_or_default())
    }
}

/// The count of levels that have any hash.
fn levels(size: u64) -> usize {
    let bits = size.checked_ilog2().map_or(0, |top| top.saturating_add(1));
    usize::try_from(bits.div_ceil(u32::from(TILE_HEIGHT))).unwrap_or(0)
}

/// The roots of the complete subtrees that the hashes of one partial tile form, from left to right.
fn peaks_in(hashes: &[Hash]) -> Vec<Hash> {
    let mut small = Frontier::new();
    for hash in hashes {
        small.append(*hash);
    }
    small.hashes().to_vec()
}
