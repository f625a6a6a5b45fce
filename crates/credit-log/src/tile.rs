//! Tiles of 256 hashes (C2SP tlog-tiles v0.1.0): names, arithmetic, bytes, and the edge kept in memory.
//!
//! Level l, tile n holds the roots of the subtrees of 256^l leaves from n·256 on. A tile enters the level
//! above only when it is full; a partial tile is never hashed upwards.

mod bundle;
mod edge;
mod path;

pub use bundle::{
    BundleError, ENTRY_BYTES_MAX, decode_entries, decode_hashes, encode_entries, encode_hashes,
};
pub use edge::{FullTile, OverEdge, TileEdge};
pub use path::{LEVEL_MAX, PathError, TileKind, TilePath};

use crate::tree::above;

/// The hashes of a full tile, and the entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// The levels of the binary tree that one level of tiles spans.
pub const TILE_HEIGHT: u8 = 8;

const _: () = assert!(TILE_WIDTH == 1 << TILE_HEIGHT);

/// The count of hashes at tile level `level` of a tree of `size` leaves: complete subtrees only.
pub fn hashes_at(level: u8, size: u64) -> u64 {
    above(size, level.saturating_mul(TILE_HEIGHT))
}

/// The count of full tiles at `level`; the partial one, if any, has this index.
pub fn full_tiles(level: u8, size: u64) -> u64 {
    above(hashes_at(level, size), TILE_HEIGHT)
}

/// The width of the partial tile at `level`: 0 (there is none) to 255.
pub fn partial_width(level: u8, size: u64) -> u16 {
    below_width(hashes_at(level, size))
}

/// The remainder by 256, which is the lowest byte.
pub(crate) fn below_width(position: u64) -> u16 {
    let [low, ..] = position.to_le_bytes();
    u16::from(low)
}

/// The width of one tile in a tree of `size` leaves: 1 to 256; `None` where the tree has no such tile.
pub fn width_at(level: u8, index: u64, size: u64) -> Option<u16> {
    let full = full_tiles(level, size);
    if index < full {
        return Some(TILE_WIDTH);
    }
    let width = partial_width(level, size);
    (index == full && width > 0).then_some(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_specification() {
        assert_eq!((full_tiles(0, 70_000), partial_width(0, 70_000)), (273, 112));
        assert_eq!((full_tiles(1, 70_000), partial_width(1, 70_000)), (1, 17));
        assert_eq!((full_tiles(2, 70_000), partial_width(2, 70_000)), (0, 1));
        assert_eq!((full_tiles(3, 70_000), partial_width(3, 70_000)), (0, 0));
        assert_eq!((full_tiles(0, 256), partial_width(0, 256)), (1, 0));
        assert_eq!((full_tiles(1, 256), partial_width(1, 256)), (0, 1));
        assert_eq!(width_at(0, 273, 70_000), Some(112));
        assert_eq!(width_at(0, 272, 70_000), Some(256));
        assert_eq!(width_at(0, 274, 70_000), None);
        assert_eq!(width_at(0, 1, 256), None);
        assert_eq!(width_at(63, 0, u64::MAX), None);
    }
}
