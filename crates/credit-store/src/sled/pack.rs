//! Packs consecutive entries, or their sealed items, into blocks: one value a block, not one an entry.
//!
//! A block is a count of pieces, a count of members and the members, each with its lengths. Only a body larger
//! than a value needs more than one piece.

use super::value::PAYLOAD_BYTES_MAX;
use crate::{BodyBytes, EntryBytes, batch};

/// The most members of a block.
pub(super) const BLOCK_ENTRIES_MAX: usize = 256;
/// A block of so many bytes takes no further member. The engine brings in sixteen blocks to read one: larger ones make
/// reads dear, smaller ones writes.
const BLOCK_BYTES_FULL: usize = 16 << 10;
/// The bytes of the two counts at the beginning of a block.
const COUNTS_BYTES: usize = 4;

// The largest entry has a block of one piece for itself.
const _: () = assert!(crate::ENTRY_BYTES_MAX + COUNTS_BYTES <= PAYLOAD_BYTES_MAX);
// The largest body's pieces can be counted.
const _: () = assert!(crate::BODY_BYTES_MAX / PAYLOAD_BYTES_MAX < 0xFFFF);

/// A block to be written.
pub(super) struct Block {
    /// The index of its first member.
    pub(super) first: u64,
    /// Its bytes, in pieces of at most [`PAYLOAD_BYTES_MAX`] bytes.
    pub(super) pieces: Vec<Vec<u8>>,
}

/// What can be a member of a block.
pub(super) trait Packed: Sized {
    /// At least the bytes that [`Packed::pack`] adds.
    fn packed_bytes(&self) -> usize;
    /// The bytes that a reader's bound counts.
    fn bytes(&self) -> usize;
    /// Adds the member to a block.
    fn pack(&self, block: &mut Vec<u8>);
    /// Takes the next member out of a block.
    fn unpack(block: &mut Reader<'_>) -> Option<Self>;
    /// Passes the next member of a block over.
    fn skip(block: &mut Reader<'_>) -> Option<()>;
}

/// Cuts members into blocks, the first of which begins at index `first`.
pub(super) fn blocks<T: Packed>(first: u64, members: &[T]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = members;
    let mut first = first;
    while !rest.is_empty() {
        let count = fitting(rest);
        let (taken, left) = rest.split_at(count);
        blocks.push(Block { first, pieces: pieces(taken) });
        first = first.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        rest = left;
    }
    blocks
}

/// How many of the members the next block takes: at least one.
fn fitting<T: Packed>(members: &[T]) -> usize {
    let mut bytes = COUNTS_BYTES;
    let mut count: usize = 0;
    for member in members.iter().take(BLOCK_ENTRIES_MAX) {
        bytes = bytes.saturating_add(member.packed_bytes());
        if bytes > BLOCK_BYTES_FULL && count > 0 {
            break;
        }
        count = count.saturating_add(1);
    }
    count
}

fn pieces<T: Packed>(members: &[T]) -> Vec<Vec<u8>> {
    let mut packed = vec![0; COUNTS_BYTES];
    for member in members {
        member.pack(&mut packed);
    }
    let pieces = u16::try_from(packed.len().div_ceil(PAYLOAD_BYTES_MAX)).unwrap_or(u16::MAX);
    let count = u16::try_from(members.len()).unwrap_or(u16::MAX);
    let [a, b] = pieces.to_be_bytes();
    let [c, d] = count.to_be_bytes();
    if let Some(counts) = packed.first_chunk_mut() {
        *counts = [a, b, c, d];
    }
    packed.chunks(PAYLOAD_BYTES_MAX).map(<[u8]>::to_vec).collect()
}

/// Reads a block from its beginning.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether all bytes have been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// A count of up to 65,535.
    pub(super) fn count(&mut self) -> Option<u16> {
        let (count, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u16::from_be_bytes(*count))
    }

    /// Bytes behind their length.
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (bytes, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        self.rest = rest;
        Some(bytes)
    }

    fn hash(&mut self) -> Option<[u8; 32]> {
        let (hash, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*hash)
    }
}

fn push_count(block: &mut Vec<u8>, count: usize) {
    block.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
}

fn push_bytes(block: &mut Vec<u8>, bytes: &[u8]) {
    block.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    block.extend_from_slice(bytes);
}

impl Packed for EntryBytes {
    fn packed_bytes(&self) -> usize {
        batch::entry_bytes(self)
    }

    fn bytes(&self) -> usize {
        EntryBytes::bytes(self)
    }

    fn pack(&self, block: &mut Vec<u8>) {
        block.extend_from_slice(&self.secret);
        push_bytes(block, &self.core);
        push_count(block, self.parts.len());
        for part in &self.parts {
            push_bytes(block, part);
        }
    }

    fn unpack(block: &mut Reader<'_>) -> Option<Self> {
        let secret = block.hash()?;
        let core = block.bytes()?.to_vec();
        let count = block.count()?;
        let parts = (0..count).map(|_| block.bytes().map(<[u8]>::to_vec)).collect::<Option<_>>()?;
        Some(Self { core, secret, parts })
    }

    fn skip(block: &mut Reader<'_>) -> Option<()> {
        block.hash()?;
        block.bytes()?;
        let count = block.count()?;
        (0..count).try_for_each(|_| block.bytes().map(drop))
    }
}

impl Packed for BodyBytes {
    fn packed_bytes(&self) -> usize {
        batch::body_bytes(self)
    }

    fn bytes(&self) -> usize {
        BodyBytes::bytes(self)
    }

    fn pack(&self, block: &mut Vec<u8>) {
        push_count(block, self.items.len());
        for (id, sealed) in &self.items {
            block.extend_from_slice(id);
            push_bytes(block, sealed);
        }
    }

    fn unpack(block: &mut Reader<'_>) -> Option<Self> {
        let count = block.count()?;
        let items =
            (0..count).map(|_| Some((block.hash()?, block.bytes()?.to_vec()))).collect::<Option<_>>()?;
        Some(Self { items })
    }

    fn skip(block: &mut Reader<'_>) -> Option<()> {
        let count = block.count()?;
        (0..count).try_for_each(|_| block.hash().and_then(|_| block.bytes()).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: usize) -> EntryBytes {
        EntryBytes { core: vec![1; bytes], secret: [2; 32], parts: Vec::new() }
    }

    fn sizes(entries: &[EntryBytes]) -> Vec<(u64, usize)> {
        blocks(10, entries)
            .iter()
            .map(|block| {
                assert_eq!(block.pieces.len(), 1);
                assert!(block.pieces[0].len() <= PAYLOAD_BYTES_MAX);
                (block.first, block.pieces[0].len())
            })
            .collect()
    }

    #[test]
    fn a_block_takes_256_members_and_no_more() {
        let small = vec![entry(1); 513];
        let firsts: Vec<u64> = blocks(10, &small).iter().map(|block| block.first).collect();
        assert_eq!(firsts, [10, 266, 522]);
        assert_eq!(blocks(10, &small[..256]).len(), 1);
    }

    #[test]
    fn entries_too_large_together_go_into_the_next_block() {
        let half = BLOCK_BYTES_FULL / 2;
        assert_eq!(sizes(&[entry(half), entry(half)]).len(), 2);
        assert_eq!(sizes(&[entry(half), entry(half.saturating_sub(100))]).len(), 1);
    }

    #[test]
    fn the_largest_entry_is_one_piece() {
        let overhead = batch::entry_bytes(&entry(0));
        let largest = entry(crate::ENTRY_BYTES_MAX.saturating_sub(overhead));
        assert_eq!(sizes(&[largest.clone(), largest]).len(), 2);
    }

    #[test]
    fn a_large_body_has_a_block_of_several_pieces() {
        let body = BodyBytes { items: vec![([3; 32], vec![4; 200_000])] };
        let packed = blocks(0, &[BodyBytes::default(), body.clone(), BodyBytes::default()]);
        let pieces: Vec<usize> = packed.iter().map(|block| block.pieces.len()).collect();
        assert_eq!(pieces, [1, 4, 1]);
        let joined = packed[1].pieces.concat();
        let mut reader = Reader::new(&joined);
        assert_eq!((reader.count(), reader.count()), (Some(4), Some(1)));
        assert_eq!(BodyBytes::unpack(&mut reader), Some(body));
        assert!(reader.is_at_end());
    }

    #[test]
    fn a_block_that_is_cut_off_anywhere_gives_no_member() {
        let entry = EntryBytes { core: vec![1; 9], secret: [2; 32], parts: vec![vec![], vec![3; 5]] };
        let packed = blocks(0, std::slice::from_ref(&entry)).remove(0).pieces.concat();
        let members = &packed[COUNTS_BYTES..];
        for length in 0..members.len() {
            assert_eq!(EntryBytes::unpack(&mut Reader::new(&members[..length])), None, "{length} bytes");
            assert_eq!(EntryBytes::skip(&mut Reader::new(&members[..length])), None, "{length} bytes");
        }
        assert_eq!(EntryBytes::unpack(&mut Reader::new(members)), Some(entry));
        let mut reader = Reader::new(members);
        assert!(EntryBytes::skip(&mut reader).is_some() && reader.is_at_end());
    }
}
