//! Decimal numbers as C2SP texts write them: no sign, no leading zero.

/// Reads a number; `None` for anything that is not its one canonical form.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_the_canonical_form_is_a_number() {
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "+1", "-1", "00", "01", " 1", "1 ", "1e3", "18446744073709551616", "١"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
