//! How deep a text nests, before any parser that calls itself walks down it.
//!
//! The parser of TOML bounds brackets and the dots of one key alike at 80, but not their product: eighty tables in each
//! other under keys of eighty parts are 6,400 levels, and more stack than a thread has. So both are added up here, in
//! one pass that keeps one number a level.

use crate::limits::NESTING_MAX;

/// The grammar of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// TOML: four sorts of strings, comments, dotted keys.
    Toml,
    /// JSON.
    Json,
}

/// Where a text first nests deeper than [`NESTING_MAX`], in bytes. Of TOML the parts of a header count apart from what
/// stands below it, so that no value lies deeper than twice the limit.
pub(super) fn nested_too_deep(text: &[u8], form: Form) -> Option<usize> {
    // Dots since the last key began, for the line and for each bracket that is open.
    let mut dots: Vec<usize> = vec![0];
    let mut depth = 0_usize;
    let mut at = 0_usize;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' | b'\'' if form == Form::Toml || byte == b'"' => {
                at = string_end(text, at, form);
                continue;
            }
            b'#' if form == Form::Toml => {
                at = line_end(text, at);
                continue;
            }
            b'[' | b'{' => {
                dots.push(0);
                depth = depth.saturating_add(1);
            }
            b']' | b'}' => {
                // More that closes than opens is no book; the parser will say so.
                let here = if dots.len() > 1 { dots.pop().unwrap_or_default().saturating_add(1) } else { 0 };
                depth = depth.saturating_sub(here);
            }
            b'.' if form == Form::Toml => {
                if let Some(here) = dots.last_mut() {
                    *here = here.saturating_add(1);
                }
                depth = depth.saturating_add(1);
            }
            b',' => depth = depth.saturating_sub(forget(&mut dots)),
            b'\n' if dots.len() == 1 => depth = depth.saturating_sub(forget(&mut dots)),
            _ => {}
        }
        if depth > NESTING_MAX {
            return Some(at);
        }
        at = at.saturating_add(1);
    }
    None
}

/// The dots of the level at hand, which begins another key.
fn forget(dots: &mut [usize]) -> usize {
    dots.last_mut().map(std::mem::take).unwrap_or_default()
}

/// The place after a string that begins at `start`.
fn string_end(text: &[u8], start: usize, form: Form) -> usize {
    let quote = text.get(start).copied().unwrap_or_default();
    let triple = [quote; 3];
    let long = form == Form::Toml && text.get(start..).is_some_and(|rest| rest.starts_with(&triple));
    let mut at = start.saturating_add(if long { 3 } else { 1 });
    while let Some(&byte) = text.get(at) {
        let escapes = byte == b'\\' && quote == b'"';
        if escapes {
            at = at.saturating_add(2);
            continue;
        }
        if long && text.get(at..).is_some_and(|rest| rest.starts_with(&triple)) {
            // Up to two more quotation marks before the closing three are part of the text.
            let more =
                text.iter().skip(at.saturating_add(3)).take(2).take_while(|byte| **byte == quote).count();
            return at.saturating_add(3).saturating_add(more);
        }
        // A string of one line ends with it at the latest, so that a quotation mark that is never closed hides nothing
        // from this count that the parser would see.
        if !long && (byte == quote || (byte == b'\n' && form == Form::Toml)) {
            return if byte == quote { at.saturating_add(1) } else { at };
        }
        at = at.saturating_add(1);
    }
    text.len()
}

fn line_end(text: &[u8], start: usize) -> usize {
    text.get(start..)
        .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        .map_or(text.len(), |length| start.saturating_add(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(text: &str, form: Form) -> bool {
        nested_too_deep(text.as_bytes(), form).is_some()
    }

    #[test]
    fn brackets_and_dots_add_up() {
        let nested = |depth: usize| format!("a = {}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!deep(&nested(NESTING_MAX), Form::Toml));
        assert!(deep(&nested(NESTING_MAX + 1), Form::Toml));
        let json = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!deep(&json(NESTING_MAX), Form::Json));
        assert!(deep(&json(NESTING_MAX + 1), Form::Json));
        let dotted = |dots: usize| format!("{}a = 1\n", "a.".repeat(dots));
        assert!(!deep(&dotted(NESTING_MAX).repeat(100), Form::Toml));
        assert!(deep(&dotted(NESTING_MAX + 1), Form::Toml));
        assert!(deep(&format!("{}a = {{ ", "a.".repeat(8)).repeat(4), Form::Toml));
        let wide = "a.b = { c.d = 1.5, e.f = [1.0, 2.0] }\n".repeat(1_000);
        assert!(!deep(&wide, Form::Toml));
    }

    #[test]
    fn strings_and_comments_do_not_nest() {
        let brackets = "[".repeat(NESTING_MAX + 1);
        for text in [
            format!("# {brackets}\n"),
            format!("a = \"\\\"{brackets}\""),
            format!("a = '{brackets}'"),
            format!("a = \"\"\"\n\"{brackets}\n\\\"\"\"\" # \""),
            format!("a = '''\n'{brackets}\n'''"),
            format!("a = \"\"\"x\"\"\"\"\"\nb = '{brackets}'"),
        ] {
            assert!(!deep(&text, Form::Toml), "{text}");
        }
        // What the parser of one form would see is not hidden by what only the other has.
        assert!(deep(&format!("# {brackets}"), Form::Json));
        assert!(deep(&format!("' {brackets}"), Form::Json));
        assert!(deep(&format!("a = \"\n{brackets}"), Form::Toml));
        assert!(deep(&format!("a = [\"\"\"x\"\"\"\", {brackets}"), Form::Toml));
    }
}
