//! The keys of the engine's one keyspace: a byte for the table, then fixed-width big-endian numbers.

/// Layout version, size, root, what rows stand for, where blocks end and the journal begins; changed together.
pub(super) const HEAD: &[u8] = b"mhead";
/// The count of entries that the rows stand for, in earlier layouts.
pub(super) const APPLIED: &[u8] = b"mapplied";

/// Where the blocks stand that hold entries of a stretch of 256.
pub(super) const STRETCHES: u8 = b'x';
/// Where full tiles stand.
pub(super) const TILES: u8 = b't';
/// Public blobs.
pub(super) const BLOBS: u8 = b'd';
/// Where pages of rows of callers stand.
pub(super) const PAGES: u8 = b'q';
/// What patches of pages are named.
const PATCHES: u8 = b'k';

/// Packed entries, as blocks are named; in earlier layouts the blocks themselves.
pub(super) const ENTRIES: u8 = b'l';
/// Packed sealed items, as blocks are named; in earlier layouts the blocks themselves.
pub(super) const BODIES: u8 = b'v';
/// Full tiles of earlier layouts.
pub(super) const TILES_INSIDE: u8 = b'h';
/// Pages of the second layout.
pub(super) const PAGES_INSIDE: u8 = b'p';
/// The journal of rows of the second layout.
pub(super) const JOURNAL_INSIDE: u8 = b'j';
/// Rows of the first layout, one value each.
pub(super) const ROWS_APART: u8 = b'r';

/// The piece of a blob's key under which its length stands: above all chunks.
pub(super) const BLOB_LENGTH: u16 = u16::MAX;

/// The name of the block that begins with entry `first`, of its piece, or of a piece of a write of an earlier journal.
pub(super) fn block(table: u8, first: u64, piece: u16) -> Vec<u8> {
    [&[table][..], &first.to_be_bytes(), &piece.to_be_bytes()].concat()
}

/// The first index of the block, or the number of the journal's write, whose piece has this key.
pub(super) fn block_first(key: &[u8]) -> Option<u64> {
    key.get(1..9)?.first_chunk().map(|first| u64::from_be_bytes(*first))
}

/// The key of a stretch of 256 entries.
pub(super) fn stretch(number: u64) -> Vec<u8> {
    [&[STRETCHES][..], &number.to_be_bytes()].concat()
}

/// The key of a tile.
pub(super) fn tile(level: u8, index: u64) -> Vec<u8> {
    [&[TILES, level][..], &index.to_be_bytes()].concat()
}

/// The key of a blob's chunk, or of its length.
pub(super) fn blob(digest: &[u8; 32], chunk: u16) -> Vec<u8> {
    [&[BLOBS][..], digest, &chunk.to_be_bytes()].concat()
}

/// The name that a patch of the page with this lower end has in its frame; the engine has no such key.
pub(super) fn patch(lower: &[u8]) -> Vec<u8> {
    [&[PATCHES][..], lower].concat()
}

/// The key of the page of rows with this lower end.
pub(super) fn page(lower: &[u8]) -> Vec<u8> {
    [&[PAGES][..], lower].concat()
}
