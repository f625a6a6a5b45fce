//! The bytes of tiles and of entry bundles.

use super::TILE_WIDTH;
use crate::hash::Hash;

/// The most bytes one entry of a bundle has: its length is a u16.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The bytes are not a tile or bundle, or the entries do not fit into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// None at all, or more than 256.
    #[error("a tile has 1 to 256 members")]
    Width,
    /// An entry is longer than [`ENTRY_BYTES_MAX`].
    #[error("an entry is too long for a bundle")]
    EntryBytes,
    /// The bytes end within a member.
    #[error("the bytes end within a hash or an entry")]
    Cut,
}

fn checked_width<M>(members: Vec<M>) -> Result<Vec<M>, BundleError> {
    if (1..=usize::from(TILE_WIDTH)).contains(&members.len()) { Ok(members) } else { Err(BundleError::Width) }
}

/// The bytes of a tile: its hashes one after the other.
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// Reads a tile of 1 to 256 hashes.
pub fn decode_hashes(bytes: &[u8]) -> Result<Vec<Hash>, BundleError> {
    let chunks = bytes.chunks_exact(size_of::<Hash>());
    if !chunks.remainder().is_empty() {
        return Err(BundleError::Cut);
    }
    checked_width(chunks.filter_map(|chunk| Hash::try_from(chunk).ok()).collect())
}

/// The bytes of an entry bundle: per entry its length as big-endian u16, then the entry.
pub fn encode_entries<B: AsRef<[u8]>>(entries: &[B]) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    for entry in checked_width(entries.iter().collect())? {
        let length = u16::try_from(entry.as_ref().len()).map_err(|_| BundleError::EntryBytes)?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry.as_ref());
    }
    Ok(bytes)
}

/// Reads an entry bundle of 1 to 256 entries.
pub fn decode_entries(bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(BundleError::Cut)?;
        let (entry, after) =
            after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(BundleError::Cut)?;
        entries.push(entry);
        rest = after;
    }
    checked_width(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_reads_back() {
        let entries = vec![b"one".to_vec(), vec![], vec![7; ENTRY_BYTES_MAX]];
        let bytes = encode_entries(&entries).unwrap();
        assert_eq!(decode_entries(&bytes).unwrap(), entries);
        assert_eq!(decode_entries(&bytes[..4]), Err(BundleError::Cut));
        assert_eq!(decode_entries(&bytes[..1]), Err(BundleError::Cut));
        assert_eq!(decode_entries(&[]), Err(BundleError::Width));
    }

    #[test]
    fn an_entry_reaches_its_maximum_and_not_beyond() {
        assert!(encode_entries(&[vec![0; ENTRY_BYTES_MAX]]).is_ok());
        assert_eq!(encode_entries(&[vec![0; 65_536]]), Err(BundleError::EntryBytes));
    }

    #[test]
    fn a_tile_reaches_its_width_and_not_beyond() {
        let full = vec![[3; 32]; 256];
        assert_eq!(decode_hashes(&encode_hashes(&full)), Ok(full.clone()));
        assert_eq!(encode_hashes(&full).len(), 8192);
        assert_eq!(decode_hashes(&[0; 257 * 32]), Err(BundleError::Width));
        assert_eq!(decode_hashes(&[0; 33]), Err(BundleError::Cut));
        assert_eq!(decode_hashes(&[]), Err(BundleError::Width));
        assert!(encode_entries(&vec![[0u8]; 256]).is_ok());
        assert_eq!(encode_entries(&vec![[0u8]; 257]), Err(BundleError::Width));
    }
}
