//! A commit as the journal has it: what the log and its rows are before and after, blocks, tiles, changes of rows.

use super::pack;
use super::{Head, key};
use crate::{Batch, RowChange, TILE_HASHES};
use std::ops::Range;
use std::sync::Arc;

/// A kind, the key's length, the value's length.
const CHANGE_FRAME_BYTES: usize = 7;
const PUT: u8 = 1;
const DELETE: u8 = 2;

/// A tile's level and its index.
pub(super) type TileName = (u8, u64);
/// A tile's hashes.
pub(super) type Hashes = Arc<[[u8; 32]]>;

/// A commit that has been read, or was just written.
#[derive(Debug)]
pub(super) struct Commit {
    /// The count of entries before it.
    pub(super) before: u64,
    /// What is true after it.
    pub(super) after: Head,
    pub(super) blocks: Vec<Named>,
    pub(super) tiles: Vec<(TileName, Hashes)>,
    /// What the blocks' ranges are of.
    pub(super) bytes: Arc<[u8]>,
}

/// A block within a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) table: u8,
    pub(super) first: u64,
    pub(super) count: u16,
    pub(super) range: Range<usize>,
}

/// Writes a commit: first the log's part, then the rows.
pub(super) fn write(payload: &mut Vec<u8>, before: u64, after: Head, batch: &Batch) {
    write_head(payload, before, after);
    let blocks = [
        (key::ENTRIES, pack::blocks(before, &batch.entries)),
        (key::BODIES, pack::blocks(before, &batch.bodies)),
    ];
    let count = blocks.iter().fold(0usize, |sum, (_, blocks)| sum.saturating_add(blocks.len()));
    push_length(payload, count);
    for (table, block) in
        blocks.iter().flat_map(|(table, blocks)| blocks.iter().map(move |block| (table, block)))
    {
        payload.push(*table);
        payload.extend_from_slice(&block.first.to_be_bytes());
        payload.extend_from_slice(&block.count.to_be_bytes());
        push_length(payload, block.bytes.len());
        payload.extend_from_slice(&block.bytes);
    }
    push_length(payload, batch.tiles.len());
    for tile in &batch.tiles {
        payload.push(tile.level);
        payload.extend_from_slice(&tile.index.to_be_bytes());
        payload.extend_from_slice(tile.hashes.as_flattened());
    }
    write_changes(payload, &batch.rows);
}

/// Writes a commit of rows alone.
pub(super) fn write_rows(payload: &mut Vec<u8>, head: Head, rows: &[RowChange]) {
    write_head(payload, head.size, head);
    push_length(payload, 0);
    push_length(payload, 0);
    write_changes(payload, rows);
}

fn write_head(payload: &mut Vec<u8>, before: u64, after: Head) {
    payload.extend_from_slice(&before.to_be_bytes());
    payload.extend_from_slice(&after.size.to_be_bytes());
    payload.extend_from_slice(&after.root);
    payload.extend_from_slice(&after.applied.to_be_bytes());
}

fn push_length(payload: &mut Vec<u8>, length: usize) {
    payload.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

pub(super) fn write_changes(payload: &mut Vec<u8>, changes: &[RowChange]) {
    for change in changes {
        let (kind, key, value) = match change {
            RowChange::Put { key, value } => (PUT, key.as_slice(), value.as_slice()),
            RowChange::Delete { key } => (DELETE, key.as_slice(), [].as_slice()),
        };
        payload.reserve(key.len().saturating_add(value.len()).saturating_add(CHANGE_FRAME_BYTES));
        payload.push(kind);
        payload.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        push_length(payload, value.len());
        payload.extend_from_slice(key);
        payload.extend_from_slice(value);
    }
}

/// Reads a commit's part of the log, and what is left: its changes of rows.
pub(super) fn read(payload: &[u8]) -> Option<(Commit, &[u8])> {
    let (before, rest) = payload.split_first_chunk()?;
    let (size, rest) = rest.split_first_chunk()?;
    let (root, rest) = rest.split_first_chunk()?;
    let (applied, rest) = rest.split_first_chunk()?;
    let after = Head { size: u64::from_be_bytes(*size), root: *root, applied: u64::from_be_bytes(*applied) };
    let log = rest;
    let (count, mut rest) = length(rest)?;
    let mut blocks = Vec::new();
    for _ in 0..count {
        let (table, after) = rest.split_first()?;
        let (first, after) = after.split_first_chunk()?;
        let (count, after) = after.split_first_chunk()?;
        let (length, after) = length(after)?;
        let begin = log.len().checked_sub(after.len())?;
        rest = after.get(length..)?;
        blocks.push(Named {
            table: *table,
            first: u64::from_be_bytes(*first),
            count: u16::from_be_bytes(*count),
            range: begin..begin.checked_add(length)?,
        });
    }
    let bytes = Arc::from(log.get(..log.len().checked_sub(rest.len())?)?);
    let (count, mut rest) = length(rest)?;
    let mut tiles = Vec::new();
    for _ in 0..count {
        let (level, after) = rest.split_first()?;
        let (index, after) = after.split_first_chunk()?;
        let (hashes, after) = after.split_at_checked(TILE_HASHES.checked_mul(32)?)?;
        tiles.push(((*level, u64::from_be_bytes(*index)), Arc::from(hashes.as_chunks::<32>().0)));
        rest = after;
    }
    Some((Commit { before: u64::from_be_bytes(*before), after, blocks, tiles, bytes }, rest))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_be_bytes(*length)).ok()?, rest))
}

/// The changes of rows in their order; `None` of bytes that are not ours.
pub(super) fn changes(bytes: &[u8]) -> Option<Vec<RowChange>> {
    let mut rest = bytes;
    let mut changes = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let (key, after) = after.split_first_chunk()?;
        let (value, after) = length(after)?;
        let (key, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*key)))?;
        let (value, after) = after.split_at_checked(value)?;
        changes.push(match *kind {
            PUT => RowChange::Put { key: key.to_vec(), value: value.to_vec() },
            DELETE if value.is_empty() => RowChange::Delete { key: key.to_vec() },
            _ => return None,
        });
        rest = after;
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::{ROW_KEY_BYTES_MAX, ROW_VALUE_BYTES_MAX, Tile};

    fn batch() -> Batch {
        let put = |number: u8, length| RowChange::Put { key: vec![number; 9], value: vec![number; length] };
        Batch {
            tiles: vec![Tile { level: 1, index: 7, hashes: vec![[5; 32]; TILE_HASHES] }],
            rows: vec![
                put(1, 0),
                RowChange::Delete { key: vec![2; ROW_KEY_BYTES_MAX] },
                RowChange::Put { key: vec![3; ROW_KEY_BYTES_MAX], value: vec![3; ROW_VALUE_BYTES_MAX] },
            ],
            ..conformance::batch(10..310)
        }
    }

    fn written() -> (Vec<u8>, Head) {
        let after = Head { size: 310, root: [9; 32], applied: 305 };
        let mut payload = Vec::new();
        write(&mut payload, 10, after, &batch());
        (payload, after)
    }

    #[test]
    fn a_commit_comes_back() {
        let (payload, after) = written();
        let (commit, rows) = read(&payload).unwrap();
        assert_eq!((commit.before, commit.after), (10, after));
        for (table, want) in [
            (key::ENTRIES, pack::blocks(10, &batch().entries)),
            (key::BODIES, pack::blocks(10, &batch().bodies)),
        ] {
            let mine: Vec<_> = commit.blocks.iter().filter(|block| block.table == table).collect();
            assert_eq!(mine.len(), want.len());
            for (block, want) in mine.iter().zip(want) {
                assert_eq!((block.first, block.count), (want.first, want.count));
                assert_eq!(commit.bytes[block.range.clone()], want.bytes);
            }
        }
        assert_eq!(commit.tiles, [((1, 7), Arc::from(vec![[5; 32]; TILE_HASHES]))]);
        assert_eq!(changes(rows), Some(batch().rows));
    }

    #[test]
    fn a_commit_that_is_cut_off_or_of_another_kind_is_not_taken() {
        let mut payload = Vec::new();
        let one = RowChange::Put { key: vec![1, 2], value: vec![3, 4, 5] };
        write_rows(&mut payload, Head { size: 3, root: [0; 32], applied: 2 }, std::slice::from_ref(&one));
        let (commit, rows) = read(&payload).unwrap();
        assert_eq!((commit.before, commit.after.size, commit.after.applied), (3, 3, 2));
        assert!(commit.blocks.is_empty() && commit.tiles.is_empty());
        assert_eq!(changes(rows), Some(vec![one]));
        assert!((1..rows.len()).all(|end| changes(&rows[..end]).is_none()));
        let mut other = rows.to_vec();
        other[0] = 3;
        assert_eq!(changes(&other), None);
        let (whole, _) = written();
        let log = whole.len() - read(&whole).unwrap().1.len();
        assert!((0..log).step_by(97).all(|end| read(&whole[..end]).is_none()));
    }
}
