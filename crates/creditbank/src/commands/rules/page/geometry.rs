//! Where things stand in a picture, in whole units.

/// The width of a picture.
pub(super) const WIDTH: i64 = 900;

/// A part of a whole, rounded down; nothing of nothing.
pub(super) fn part(whole: i64, of: i64, by: i64) -> i64 {
    whole.saturating_mul(of).checked_div(by).unwrap_or(0)
}

/// The sum of two numbers.
pub(super) fn plus(left: i64, right: i64) -> i64 {
    left.saturating_add(right)
}

/// How many there are.
pub(super) fn count<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

/// A text cut to so many columns, of which a letter that East Asian scripts write wide takes two.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let mut room = columns;
    let mut short = String::new();
    for letter in text.chars() {
        let wide = if letter.is_ascii() { 1 } else { 2 };
        let Some(rest) = room.checked_sub(wide) else {
            short.push('…');
            return short;
        };
        room = rest;
        short.push(letter);
    }
    short
}

/// A line that leaves and arrives level.
pub(super) fn thread(from: (i64, i64), to: (i64, i64)) -> String {
    let middle = from.0.midpoint(to.0);
    format!("M{} {} C{middle} {} {middle} {} {} {}", from.0, from.1, from.1, to.1, to.0, to.1)
}

/// The same as wide as what flows.
pub(super) fn band(from: (i64, i64), to: (i64, i64), width: i64) -> String {
    let middle = from.0.midpoint(to.0);
    let (left, right) = (plus(from.1, width), plus(to.1, width));
    format!(
        "M{} {} C{middle} {} {middle} {} {} {} L{} {right} C{middle} {right} {middle} {left} {} {left} Z",
        from.0, from.1, from.1, to.1, to.0, to.1, to.0, from.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_the_room_that_they_have() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcdef…");
        assert_eq!(cut("学分银行", 6), "学分银…");
        assert_eq!(cut("", 0), "");
        assert_eq!(part(100, 1, 0), 0);
        assert_eq!(band((0, 0), (10, 5), 2), "M0 0 C5 0 5 5 10 5 L10 7 C5 7 5 2 0 2 Z");
    }
}
