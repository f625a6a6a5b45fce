//! Nodes and roots read from 256-wide tiles (C2SP tlog-tiles).

use super::shape::{Node, above, peaks};
use super::{SIZE_MAX, bag};
use crate::hash::{Hash, empty_root, node_hash};
use crate::proof::OutOfRange;
use crate::tile::{TILE_HEIGHT, below_width, width_at};

/// Where tiles come from: memory, a store, a folder, another server.
pub trait Tiles {
    /// Why a tile could not be read.
    type Error;

    /// The first hashes of tile `index` of tile level `level`: at least `width` of them (1 to 256), more
    /// being welcome. A source that has fewer gives what it has; the caller then says so.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error>;
}

impl<T: Tiles + ?Sized> Tiles for &T {
    type Error = T::Error;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error> {
        (**self).tile(level, index, width)
    }
}

/// A node, root or proof could not be read from the tiles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError<E> {
    /// The source failed.
    #[error("could not read tile {index} of level {level}")]
    Tile {
        /// The tile's level, from 0.
        level: u8,
        /// The tile's index in its level, from 0.
        index: u64,
        /// What the source said.
        #[source]
        cause: E,
    },
    /// The source has fewer hashes of the tile than the tree has.
    #[error("tile {index} of level {level} has {have} hashes where {want} belong")]
    Short {
        /// The tile's level, from 0.
        level: u8,
        /// The tile's index in its level, from 0.
        index: u64,
        /// The count that belongs there.
        want: u16,
        /// The count given.
        have: usize,
    },
    /// What was asked for lies outside the tree.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

/// Where in the tiles a node lies: it is the fold of `count` hashes from `offset`.
#[derive(Debug, Clone, Copy)]
struct Place {
    level: u8,
    index: u64,
    offset: u16,
    count: u16,
}

impl Place {
    fn of(node: Node) -> Result<Self, OutOfRange> {
        // The remainder by 8 is at most 7, so a node is the fold of at most 128 hashes of one tile.
        let count = 1u16.checked_shl(u32::from(node.level % TILE_HEIGHT)).unwrap_or(1);
        let first = node
            .index
            .checked_mul(u64::from(count))
            .filter(|first| *first <= SIZE_MAX)
            .ok_or(OutOfRange { index: node.index, size: SIZE_MAX })?;
        let (index, offset) = (above(first, TILE_HEIGHT), below_width(first));
        Ok(Self { level: node.level / TILE_HEIGHT, index, offset, count })
    }

    /// The least width of the tile that holds the whole node.
    fn width(self) -> u16 {
        self.offset.saturating_add(self.count)
    }

    fn pick(self, tile: &[Hash]) -> Option<Hash> {
        fold(tile.get(usize::from(self.offset)..usize::from(self.width()))?)
    }
}

/// The root over hashes whose count is a power of two; `None` of any other count.
pub(crate) fn fold(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .filter_map(|pair| <&[Hash; 2]>::try_from(pair).ok())
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    row.first().copied()
}

fn read<T: Tiles + ?Sized>(
    tiles: &T,
    level: u8,
    index: u64,
    want: u16,
) -> Result<Vec<Hash>, ReadError<T::Error>> {
    let tile = tiles.tile(level, index, want).map_err(|cause| ReadError::Tile { level, index, cause })?;
    if tile.len() < usize::from(want) {
        return Err(ReadError::Short { level, index, want, have: tile.len() });
    }
    Ok(tile)
}

/// The hash of the complete subtree of 2^`binary_level` leaves that is the `index`-th of its level.
///
/// The tile is asked for only as wide as the node needs. Proofs ask for whole widths of one tree size
/// instead, since a static source keeps only those.
pub fn node<T: Tiles + ?Sized>(tiles: &T, binary_level: u8, index: u64) -> Result<Hash, ReadError<T::Error>> {
    let place = Place::of(Node { level: binary_level, index })?;
    let tile = read(tiles, place.level, place.index, place.width())?;
    place.pick(&tile).ok_or(ReadError::OutOfRange(OutOfRange { index, size: SIZE_MAX }))
}

/// The root of the first `size` leaves (0 gives the empty root).
pub fn root_at<T: Tiles + ?Sized>(tiles: &T, size: u64) -> Result<Hash, ReadError<T::Error>> {
    let mut reader = Reader::new(tiles, size);
    let mut hashes = Vec::new();
    for peak in peaks(size) {
        hashes.push(reader.node(peak)?);
    }
    Ok(bag(&hashes).unwrap_or_else(empty_root))
}

/// Reads nodes of one tree size, each tile once and exactly as wide as it is at that size.
pub(crate) struct Reader<'a, T: ?Sized> {
    tiles: &'a T,
    size: u64,
    seen: Vec<(u8, u64, Vec<Hash>)>,
}

impl<'a, T: Tiles + ?Sized> Reader<'a, T> {
    pub(crate) fn new(tiles: &'a T, size: u64) -> Self {
        Self { tiles, size, seen: Vec::new() }
    }

    pub(crate) fn node(&mut self, node: Node) -> Result<Hash, ReadError<T::Error>> {
        let refusal = OutOfRange { index: node.index, size: self.size };
        let place = Place::of(node)?;
        let known =
            self.seen.iter().position(|(level, index, _)| (*level, *index) == (place.level, place.index));
        let known = if let Some(at) = known {
            self.seen.get(at)
        } else {
            let want = width_at(place.level, place.index, self.size).ok_or(refusal)?;
            let tile = read(self.tiles, place.level, place.index, want)?;
            self.seen.push((place.level, place.index, tile));
            self.seen.last()
        };
        known.and_then(|(_, _, tile)| place.pick(tile)).ok_or(ReadError::OutOfRange(refusal))
    }
}
