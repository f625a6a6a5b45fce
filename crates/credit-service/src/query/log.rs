//! The log itself: heads, entries, proofs, receipts. Nothing beyond the newest signed head is shown.

use super::invalid;
use super::page::{self, Room};
use crate::access::{Principal, parts_seen};
use crate::failure::{Failure, fault};
use crate::reader::{Reader, StoredEntry};
use credit_log::{Hash, consistency, inclusion};
use credit_proto::v1;

/// The newest signed checkpoint.
pub(crate) fn checkpoint(reader: &Reader) -> v1::GetCheckpointResponse {
    v1::GetCheckpointResponse {
        checkpoint: reader.head().checkpoint,
        log_id: reader.log_id().as_bytes().to_vec(),
    }
}

/// The receipt of an entry, with the parts that the caller may see. A receipt opens the head at least, which names who
/// acted: about an account that is for its parties.
pub(crate) fn receipt(
    reader: &Reader,
    principal: &Principal,
    asked: v1::GetReceiptRequest,
) -> Result<v1::GetReceiptResponse, Failure> {
    let v1::GetReceiptRequest { index } = asked;
    let entry = reader.read_entry(index)?;
    let parts = entry.parts()?;
    let is_linked = |subject: &_| parts.links.iter().any(|link| link.subject == *subject);
    let open = parts_seen(principal, &parts.head, is_linked, || reader.events_of(&entry))?;
    let receipt = reader.best_receipt_of(&entry, &open.ok_or(Failure::NotParty)?)?;
    let leaves = entry.leaf_proofs(&receipt)?;
    Ok(v1::GetReceiptResponse { receipt: Some(receipt), leaves })
}

/// Entries in order; secrets and parts for auditors only.
pub(crate) fn entries(
    reader: &Reader,
    principal: &Principal,
    asked: &v1::ListEntriesRequest,
) -> Result<v1::ListEntriesResponse, Failure> {
    let v1::ListEntriesRequest { start, page_size, with_parts } = *asked;
    if with_parts && *principal != Principal::Auditor {
        let anonymous = *principal == Principal::Anonymous;
        return Err(if anonymous { Failure::Unauthenticated("TOKEN_MISSING") } else { Failure::Denied });
    }
    let size = reader.head().size;
    if start > size {
        return Err(invalid("start", format!("is {start}, must be 0 to {size}, the size of the log")));
    }
    let mut room = Room::default();
    let mut entries = Vec::new();
    for StoredEntry { core, secret, parts } in reader.entries(start, page::size(page_size, page::SIZE_MAX))? {
        let entry = if with_parts {
            v1::LogEntry { core, secret: secret.to_vec(), parts }
        } else {
            v1::LogEntry { core, secret: Vec::new(), parts: Vec::new() }
        };
        if !room.takes(bytes(&entry)) {
            break;
        }
        entries.push(entry);
    }
    let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    Ok(v1::ListEntriesResponse { entries, next_start: start.saturating_add(count) })
}

/// An upper bound of an entry's bytes on the wire: a field's key and length take at most eight.
fn bytes(entry: &v1::LogEntry) -> usize {
    let parts = entry.parts.iter().map(|part| part.len().saturating_add(8));
    parts.fold(entry.core.len().saturating_add(entry.secret.len()).saturating_add(32), usize::saturating_add)
}

/// The size of a tree that a caller names: 0 for the newest head, never beyond it.
fn tree_size(field: &str, asked: u64, head: u64) -> Result<u64, Failure> {
    match asked {
        0 => Ok(head),
        asked if asked <= head => Ok(asked),
        asked => {
            Err(invalid(field, format!("is {asked}, must be at most {head}, the size of the signed head")))
        }
    }
}

fn wire(path: &[Hash]) -> Vec<Vec<u8>> {
    path.iter().map(|hash| hash.to_vec()).collect()
}

/// The proof that a leaf is in the tree of a size.
pub(crate) fn inclusion_proof(
    reader: &Reader,
    asked: &v1::GetInclusionProofRequest,
) -> Result<v1::GetInclusionProofResponse, Failure> {
    let v1::GetInclusionProofRequest { index, size } = *asked;
    // The head first: the tiles that are asked for then are at least as large.
    let size = tree_size("size", size, reader.head().size)?;
    if index >= size {
        return Err(invalid("index", format!("is {index}, must be less than the size {size}")));
    }
    let path = inclusion::prove(&reader.tiles(), index, size).map_err(fault("prove an inclusion"))?;
    let leaf_hash = reader.leaf(index)?.as_bytes().to_vec();
    Ok(v1::GetInclusionProofResponse { size, leaf_hash, path: wire(&path) })
}

/// The proof that the tree of one size is a prefix of the tree of another.
pub(crate) fn consistency_proof(
    reader: &Reader,
    asked: &v1::GetConsistencyProofRequest,
) -> Result<v1::GetConsistencyProofResponse, Failure> {
    let v1::GetConsistencyProofRequest { old_size, new_size } = *asked;
    let new_size = tree_size("new_size", new_size, reader.head().size)?;
    if old_size > new_size {
        return Err(invalid("old_size", format!("is {old_size}, must be at most the size {new_size}")));
    }
    let path =
        consistency::prove(&reader.tiles(), old_size, new_size).map_err(fault("prove a consistency"))?;
    Ok(v1::GetConsistencyProofResponse { new_size, path: wire(&path) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_size_reaches_to_the_signed_head_and_not_beyond() {
        assert_eq!(tree_size("size", 0, 9), Ok(9));
        assert_eq!(tree_size("size", 9, 9), Ok(9));
        assert!(matches!(tree_size("size", 10, 9), Err(Failure::Invalid { .. })));
    }

    #[test]
    fn the_bound_of_an_entrys_bytes_is_one() {
        let entry = v1::LogEntry { core: vec![1; 60], secret: vec![2; 32], parts: vec![vec![3; 49_152]; 3] };
        let encoded = prost::Message::encoded_len(&entry);
        assert!(bytes(&entry) >= encoded && bytes(&entry) <= encoded + 64);
    }
}
