//! Record ids from the rows of an issuer's own file.

use credit_types::RecordId;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The id of the record that a row names: a UUIDv8 of HMAC-SHA-256 over the row's key under the issuer's own secret.
///
/// A file that is imported twice names the same records, so the second import changes nothing; and nobody without the
/// secret can tell which row an id stands for.
pub fn record_id_from_row(secret: &[u8; 32], row_key: &[u8]) -> RecordId {
    // HMAC fills a shorter key up with zeros to the hash's block; done here, there is no length to be wrong about.
    let mut block = [0u8; 64];
    for (to, from) in block.iter_mut().zip(secret) {
        *to = *from;
    }
    let mac = Hmac::<Sha256>::new(&block.into()).chain_update(row_key).finalize().into_bytes();
    let mut id = [0u8; 16];
    for (to, from) in id.iter_mut().zip(mac) {
        *to = from;
    }
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut id;
    *version = 0x80 | (*version & 0x0f);
    *variant = 0x80 | (*variant & 0x3f);
    RecordId(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_one_record_under_one_secret() {
        let id = record_id_from_row(&[1; 32], b"S-1|MATH-101|2026-1");
        assert_eq!(id, record_id_from_row(&[1; 32], b"S-1|MATH-101|2026-1"));
        assert_ne!(id, record_id_from_row(&[2; 32], b"S-1|MATH-101|2026-1"));
        assert_ne!(id, record_id_from_row(&[1; 32], b"S-1|MATH-101|2026-2"));
        for row in 0..=255u8 {
            let id = record_id_from_row(&[7; 32], &[row]);
            assert!(RecordId::from_uuid(id.as_bytes()).is_ok());
            assert_eq!(id.0[6] >> 4, 8);
        }
    }

    #[test]
    fn the_derivation_is_the_published_one() {
        // hmac.new(b"\x0b" * 32, b"row", "sha256").hexdigest()[:32], then version 8 and variant 10 set.
        assert_eq!(record_id_from_row(&[0x0b; 32], b"row").to_string(), "0037709a44b081b88de5c0874f8c7c9a");
    }
}
