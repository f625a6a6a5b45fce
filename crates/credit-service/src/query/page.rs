//! Pages: how many elements, how many bytes, and where the next one begins.
//!
//! A token says where to go on and under which filter, and is sealed by a key of this process: it can't be made up,
//! nor taken from one list to another. After a restart a reader begins again.

use crate::failure::Failure;
use crate::hex::{hex, unhex};
use crate::random;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Elements of a page where nothing is asked for.
pub(crate) const SIZE_DEFAULT: usize = 50;
/// The most elements of a page; more is coerced down.
pub(crate) const SIZE_MAX: usize = 1_000;
/// The most institutions of a page; each has all its keys with it.
pub(crate) const INSTITUTIONS_MAX: usize = 200;
/// The most bytes of a page's elements. A page ends before the element that would exceed it, unless it is the first.
pub(crate) const BYTES_MAX: usize = 3 << 20;
/// The most bytes of a position: a record id and an institution id.
pub(crate) const POSITION_BYTES_MAX: usize = 16 + credit_types::limits::ID_BYTES_MAX;
/// Bytes of a token's seal.
const SEAL_BYTES: usize = 32;

/// The field that a token stands in.
const FIELD: &str = "page_token";

/// How many elements a page has at most.
pub(crate) fn size(asked: u32, max: usize) -> usize {
    match usize::try_from(asked).unwrap_or(usize::MAX) {
        0 => SIZE_DEFAULT,
        asked => asked.min(max),
    }
}

/// Counts the bytes of a page's elements.
#[derive(Debug, Default)]
pub(crate) struct Room {
    used: usize,
    taken: usize,
}

impl Room {
    /// Whether an element of so many bytes still finds room; the first always does.
    pub(crate) fn takes(&mut self, bytes: usize) -> bool {
        let used = self.used.saturating_add(bytes);
        if self.taken > 0 && used > BYTES_MAX {
            return false;
        }
        self.used = used;
        self.taken = self.taken.saturating_add(1);
        true
    }
}

/// Seals and opens page tokens.
pub(crate) struct Tokens {
    key: [u8; 32],
}

impl Tokens {
    /// Draws a key for this process.
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self { key: random::bytes()? })
    }

    /// The seal over a list's name, its filter and a position.
    fn seal(&self, list: &str, filter: &[u8], position: &[u8]) -> Hmac<Sha256> {
        // HMAC takes keys of any length, so this has no failure; the other arm keeps the types honest.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
        for part in [list.as_bytes(), filter, position] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac
    }

    /// The token of a position in a list; the filter is all that the list depends on beside the position.
    pub(crate) fn issue(&self, list: &str, filter: &[u8], position: &[u8]) -> String {
        let seal = self.seal(list, filter, position).finalize().into_bytes();
        hex(&[position, seal.as_slice()].concat())
    }

    /// The position of a token of this list and filter; `None` of the empty token.
    pub(crate) fn read(&self, list: &str, filter: &[u8], token: &str) -> Result<Option<Vec<u8>>, Failure> {
        if token.is_empty() {
            return Ok(None);
        }
        let opened = self.open(list, filter, token);
        opened.map(Some).ok_or_else(foreign)
    }

    fn open(&self, list: &str, filter: &[u8], token: &str) -> Option<Vec<u8>> {
        // Two digits a byte: a longer token is not even decoded.
        if token.len() > (POSITION_BYTES_MAX.saturating_add(SEAL_BYTES)).saturating_mul(2) {
            return None;
        }
        let bytes = unhex(token)?;
        let (position, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
        self.seal(list, filter, position).verify_slice(seal).ok()?;
        Some(position.to_vec())
    }
}

/// The refusal of a token that was not given out for this list by this process.
pub(crate) fn foreign() -> Failure {
    Failure::Invalid {
        field: FIELD.to_owned(),
        problem: "is not a token of this list; begin again without one".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_fifty_elements_unless_asked_and_never_more_than_its_maximum() {
        let max = u32::try_from(SIZE_MAX).unwrap();
        for (asked, want) in [(0, 50), (1, 1), (max, SIZE_MAX), (max + 1, SIZE_MAX), (u32::MAX, SIZE_MAX)] {
            assert_eq!(size(asked, SIZE_MAX), want, "{asked}");
        }
        assert_eq!(size(201, INSTITUTIONS_MAX), 200);
    }

    #[test]
    fn a_page_ends_before_the_element_that_would_exceed_its_bytes() {
        let mut room = Room::default();
        assert!(room.takes(BYTES_MAX - 1));
        assert!(room.takes(1));
        assert!(!room.takes(1));
        assert!(Room::default().takes(BYTES_MAX + 1));
    }

    #[test]
    fn a_token_opens_only_in_its_own_list_filter_and_process() {
        let tokens = Tokens::new().unwrap();
        for position in [&[][..], &[7], &[9; POSITION_BYTES_MAX]] {
            let token = tokens.issue("records", b"ann", position);
            assert_eq!(tokens.read("records", b"ann", &token), Ok(Some(position.to_vec())));
            assert_eq!(tokens.read("records", b"bob", &token), Err(foreign()));
            assert_eq!(tokens.read("postings", b"ann", &token), Err(foreign()));
            assert_eq!(Tokens::new().unwrap().read("records", b"ann", &token), Err(foreign()));
        }
        // The borders between list, filter and position are part of what is sealed.
        let token = tokens.issue("a", b"bc", b"");
        assert_eq!(tokens.read("ab", b"c", &token), Err(foreign()));
        assert_eq!(tokens.read("a", b"bc", ""), Ok(None));
    }

    #[test]
    fn a_bent_token_is_refused() {
        let tokens = Tokens::new().unwrap();
        let token = tokens.issue("records", b"ann", &[1, 2, 3]);
        for at in 0..token.len() {
            let mut bent = token.clone().into_bytes();
            bent[at] = if bent[at] == b'0' { b'1' } else { b'0' };
            let bent = String::from_utf8(bent).unwrap();
            assert_eq!(tokens.read("records", b"ann", &bent), Err(foreign()));
        }
        let too_long = tokens.issue("records", b"ann", &[9; POSITION_BYTES_MAX + 1]);
        for bad in ["x", "00", &token[2..], &token[1..], &format!("{token}00"), &too_long] {
            assert_eq!(tokens.read("records", b"ann", bad), Err(foreign()));
        }
    }
}
