//! That a text is what it looks like: no characters that nobody sees and that turn others round, and one form for each
//! letter. What is signed is bytes, and who signs reads a screen.

use unicode_normalization::is_nfc;

/// What is not as it looks, with its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unplain {
    /// A character that is not seen.
    Hidden(char, usize),
    /// A line in which a letter and its accent are apart, or that is otherwise not in normal form C.
    NotNormal(usize, usize),
}

/// Characters without width, marks of direction, and tags.
fn hidden(one: char) -> bool {
    matches!(
        one,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The first place in a text that is not as it looks.
pub(super) fn unplain(text: &str) -> Option<Unplain> {
    if text.is_ascii() {
        return None;
    }
    if let Some((at, one)) = text.char_indices().find(|(_, one)| hidden(*one)) {
        return Some(Unplain::Hidden(one, at));
    }
    let mut start = 0_usize;
    for line in text.split_inclusive('\n') {
        if !line.is_ascii() && !is_nfc(line) {
            return Some(Unplain::NotNormal(start, start.saturating_add(line.trim_end().len())));
        }
        start = start.saturating_add(line.len());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_is_what_stands_there() {
        for plain in ["", "学分\n", "优 A", "é", "국가기술자격", "“引号”…—"] {
            assert_eq!(unplain(plain), None, "{plain:?}");
        }
        for one in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{200d}', '\u{feff}', '\u{ad}', '\u{e0041}'] {
            assert_eq!(unplain(&format!("学{one}分")), Some(Unplain::Hidden(one, 3)));
        }
        assert_eq!(unplain("a\ne\u{301}\n"), Some(Unplain::NotNormal(2, 5)));
    }
}
