//! Packs consecutive entries, or their sealed items, into blocks.
//!
//! A block is a count of pieces, a count of members and the members, each with its lengths. There is always one piece: in
//! stores of earlier layouts a block was cut into pieces that fit into values of the engine.

use crate::{BodyBytes, EntryBytes, batch};

/// The most members of a block.
pub(super) const BLOCK_ENTRIES_MAX: usize = 256;
/// A block of so many bytes takes no further member: what is read for one of them.
const BLOCK_BYTES_FULL: usize = 8 << 10;
/// The bytes of the two counts at the beginning of a block.
const COUNTS_BYTES: usize = 4;

// Members can be counted.
const _: () = assert!(BLOCK_ENTRIES_MAX <= 0xFFFF);

/// A block to be written.
pub(super) struct Block {
    /// The index of its first member.
    pub(super) first: u64,
    /// How many members it has.
    pub(super) count: u16,
    pub(super) bytes: Vec<u8>,
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
    let mut blocks: Vec<Block> = Vec::new();
    for (index, member) in (first..).zip(members) {
        if blocks.last().is_none_or(|block| !block.takes(1, member.packed_bytes())) {
            blocks.push(Block::new(index));
        }
        if let Some(block) = blocks.last_mut() {
            member.pack(&mut block.bytes);
            block.count = block.count.saturating_add(1);
        }
    }
    blocks.iter_mut().for_each(Block::close);
    blocks
}

/// Joins neighbouring blocks into as few as their size allows.
pub(super) fn joined<'a>(small: impl Iterator<Item = (u64, u16, &'a [u8])>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (first, count, bytes) in small {
        let members = bytes.get(COUNTS_BYTES..).unwrap_or_default();
        let next_to = |block: &Block| block.first.saturating_add(u64::from(block.count)) == first;
        if blocks.last().is_none_or(|block| !next_to(block) || !block.takes(count, members.len())) {
            blocks.push(Block::new(first));
        }
        if let Some(block) = blocks.last_mut() {
            block.bytes.extend_from_slice(members);
            block.count = block.count.saturating_add(count);
        }
    }
    blocks.iter_mut().for_each(Block::close);
    blocks
}

impl Block {
    fn new(first: u64) -> Self {
        Self { first, count: 0, bytes: vec![0; COUNTS_BYTES] }
    }

    /// Whether there is room for more members: always for the first.
    fn takes(&self, count: u16, bytes: usize) -> bool {
        let whole = usize::from(self.count.saturating_add(count));
        let fits = self.bytes.len().saturating_add(bytes) <= BLOCK_BYTES_FULL;
        self.count == 0 || (fits && whole <= BLOCK_ENTRIES_MAX)
    }

    /// Writes the counts.
    fn close(&mut self) {
        let [a, b] = 1_u16.to_be_bytes();
        let [c, d] = self.count.to_be_bytes();
        if let Some(counts) = self.bytes.first_chunk_mut() {
            *counts = [a, b, c, d];
        }
    }
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
        blocks(10, entries).iter().map(|block| (block.first, block.bytes.len())).collect()
    }

    #[test]
    fn a_block_takes_256_members_and_no_more() {
        let small = vec![BodyBytes::default(); 513];
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
    fn a_large_member_has_a_block_for_itself() {
        let overhead = batch::entry_bytes(&entry(0));
        let largest = entry(crate::ENTRY_BYTES_MAX.saturating_sub(overhead));
        assert_eq!(sizes(&[largest.clone(), largest]).len(), 2);
        let body = BodyBytes { items: vec![([3; 32], vec![4; 200_000])] };
        let packed = blocks(0, &[BodyBytes::default(), body.clone(), BodyBytes::default()]);
        assert_eq!(packed.iter().map(|block| block.count).collect::<Vec<_>>(), [1, 1, 1]);
        let mut reader = Reader::new(&packed[1].bytes);
        assert_eq!((reader.count(), reader.count()), (Some(1), Some(1)));
        assert_eq!(BodyBytes::unpack(&mut reader), Some(body));
        assert!(reader.is_at_end());
    }

    #[test]
    fn small_blocks_are_joined_into_those_that_would_have_been_made_at_once() {
        let entries: Vec<EntryBytes> = (0..700).map(|number| entry(number % 90)).collect();
        let small: Vec<Block> =
            (0..).zip(&entries).flat_map(|(index, one)| blocks(index, std::slice::from_ref(one))).collect();
        let parts = |blocks: &[Block]| -> Vec<(u64, u16, Vec<u8>)> {
            blocks.iter().map(|block| (block.first, block.count, block.bytes.clone())).collect()
        };
        let joined = joined(small.iter().map(|block| (block.first, block.count, block.bytes.as_slice())));
        assert_eq!(parts(&joined), parts(&blocks(0, &entries)));
        let apart = [(0, 1, small[0].bytes.as_slice()), (2, 1, small[2].bytes.as_slice())];
        assert_eq!(super::joined(apart.into_iter()).len(), 2, "no entry is passed over");
    }

    #[test]
    fn a_block_that_is_cut_off_anywhere_gives_no_member() {
        let entry = EntryBytes { core: vec![1; 9], secret: [2; 32], parts: vec![vec![], vec![3; 5]] };
        let packed = blocks(0, std::slice::from_ref(&entry)).remove(0).bytes;
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
