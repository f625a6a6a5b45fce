//! Texts folded, so that two ways of writing one number compare as equal.

use unicode_normalization::UnicodeNormalization as _;

/// A certificate's number in NFKC, in lower case and without spaces. Only the bank compares it, in its vault: a later
/// Unicode table changes no replay.
pub fn certificate(number: &str) -> String {
    let lower: String =
        number.nfkc().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect();
    lower.nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_of_writing_one_number_fold_alike() {
        for (number, folded) in [
            ("渝结字 2026-0061", "渝结字2026-0061"),
            ("渝结字２０２６－００６１", "渝结字2026-0061"),
            ("AB 12\u{3000}c", "ab12c"),
            ("cafe\u{301}", "caf\u{E9}"),
            ("ﬁ", "fi"),
            ("", ""),
        ] {
            assert_eq!(certificate(number), folded);
            assert_eq!(certificate(folded), folded, "folding twice changes nothing");
        }
        assert_ne!(certificate("A-1"), certificate("A1"));
    }
}
