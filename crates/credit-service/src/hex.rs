//! Hexadecimal digits.

use std::fmt::Write as _;

/// Bytes of lower-case or upper-case hexadecimal digits; `None` of anything else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .map(|b| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let mut pairs = digits.chunks_exact(2);
    let bytes = pairs.by_ref().filter_map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    let bytes = bytes.collect();
    pairs.remainder().is_empty().then_some(bytes)
}

/// The lower-case hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_back_and_nothing_else_is_read() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        assert_eq!(unhex("aBcD"), Some(vec![0xab, 0xcd]));
        assert_eq!(unhex(""), Some(Vec::new()));
        for bad in ["a", "abc", "0g", "0x00", " 00", "é0"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
