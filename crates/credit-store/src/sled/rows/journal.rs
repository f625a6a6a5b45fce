//! The journal: the changes of rows of one write, packed one behind the other, until they have settled into pages.

use super::super::value::PAYLOAD_BYTES_MAX;
use crate::{ROW_KEY_BYTES_MAX, ROW_VALUE_BYTES_MAX, RowChange};

/// A kind, the key's length, the value's length.
const CHANGE_FRAME_BYTES: usize = 7;
const PUT: u8 = 1;
const DELETE: u8 = 2;

// A change of the largest size has a piece for itself.
const _: () = assert!(ROW_KEY_BYTES_MAX + ROW_VALUE_BYTES_MAX + CHANGE_FRAME_BYTES <= PAYLOAD_BYTES_MAX);

/// Packs changes into pieces, each of whole changes.
pub(super) fn pieces(changes: &[RowChange]) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for change in changes {
        let (kind, key, value) = match change {
            RowChange::Put { key, value } => (PUT, key.as_slice(), value.as_slice()),
            RowChange::Delete { key } => (DELETE, key.as_slice(), [].as_slice()),
        };
        let bytes = key.len().saturating_add(value.len()).saturating_add(CHANGE_FRAME_BYTES);
        if pieces.last().is_none_or(|piece| piece.len().saturating_add(bytes) > PAYLOAD_BYTES_MAX) {
            pieces.push(Vec::with_capacity(PAYLOAD_BYTES_MAX.min(bytes.saturating_mul(changes.len()))));
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(kind);
            piece.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
            piece.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            piece.extend_from_slice(key);
            piece.extend_from_slice(value);
        }
    }
    pieces
}

/// The changes of a piece, in their order; `None` of a piece that is not ours.
pub(super) fn changes(piece: &[u8]) -> Option<Vec<RowChange>> {
    let mut rest = piece;
    let mut changes = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let (key, after) = after.split_first_chunk()?;
        let (value, after) = after.split_first_chunk()?;
        let (key, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*key)))?;
        let (value, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*value)).ok()?)?;
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

    #[test]
    fn changes_come_back_in_pieces_of_whole_changes() {
        let put = |number: u8, length| RowChange::Put { key: vec![number; 9], value: vec![number; length] };
        let all = [
            put(1, 0),
            RowChange::Delete { key: vec![2; ROW_KEY_BYTES_MAX] },
            put(3, ROW_VALUE_BYTES_MAX),
            put(4, 2_000),
            RowChange::Put { key: vec![5; ROW_KEY_BYTES_MAX], value: vec![5; ROW_VALUE_BYTES_MAX] },
        ];
        let pieces = pieces(&all);
        assert!(pieces.iter().all(|piece| piece.len() <= PAYLOAD_BYTES_MAX));
        let read: Vec<RowChange> = pieces.iter().flat_map(|piece| changes(piece).unwrap()).collect();
        assert_eq!(read, all);
        assert!(super::pieces(&[]).is_empty());
    }

    #[test]
    fn a_piece_that_is_cut_off_or_of_another_kind_is_not_taken() {
        let one = RowChange::Put { key: vec![1, 2], value: vec![3, 4, 5] };
        let piece = pieces(std::slice::from_ref(&one)).remove(0);
        assert_eq!(changes(&piece), Some(vec![one]));
        assert!((1..piece.len()).all(|end| changes(&piece[..end]).is_none()));
        let mut other = piece;
        other[0] = 3;
        assert_eq!(changes(&other), None);
    }
}
