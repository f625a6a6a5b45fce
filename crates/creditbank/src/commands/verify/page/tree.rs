//! The tree as a picture: the perfect subtrees that a log of this size is made of, and how they join to the root.

use maud::{Markup, html};

/// The width of the picture, in its own units.
const WIDTH: i64 = 720;
/// Where the leaves stand.
const BASE: i64 = 236;
/// The height of the highest subtree.
const HIGHEST: i64 = 104;
/// Where the root stands, and how much room there is below it for joins.
const ROOT: i64 = 30;
const JOINS: i64 = 84;
/// As many subtrees fit onto a phone.
const FEW: usize = 8;
/// The width of a letter, in the picture's units.
const LETTER: i64 = 9;

/// A perfect subtree: its height, its first leaf, and how many it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Peak {
    level: u32,
    first: u64,
    count: u64,
}

/// The perfect subtrees of a size, largest first.
fn peaks(size: u64) -> Vec<Peak> {
    let mut first = 0u64;
    let mut found = Vec::new();
    for level in (0..u64::BITS).rev() {
        let count = 1u64.checked_shl(level).unwrap_or(0);
        if size & count != 0 {
            found.push(Peak { level, first, count });
            first = first.saturating_add(count);
        }
    }
    found
}

/// A subtree in its place.
struct Placed {
    peak: Peak,
    left: i64,
    right: i64,
    top: i64,
}

impl Placed {
    fn middle(&self) -> i64 {
        self.left.midpoint(self.right)
    }
}

/// A part of a whole, rounded down.
fn part(whole: i64, of: i64, by: i64) -> i64 {
    whole.saturating_mul(of).checked_div(by).unwrap_or(0)
}

/// Gives each subtree room by its height, not its leaves: the smallest would not be seen.
fn placed(peaks: Vec<Peak>) -> Vec<Placed> {
    let weight = |peak: &Peak| i64::from(peak.level).saturating_add(3);
    let total = peaks.iter().map(weight).fold(0, i64::saturating_add);
    let highest = peaks.first().map_or(0, |peak| i64::from(peak.level)).max(1);
    let mut before = 0i64;
    peaks
        .into_iter()
        .map(|peak| {
            let left = part(WIDTH, before, total);
            before = before.saturating_add(weight(&peak));
            let right = part(WIDTH, before, total);
            let height = part(HIGHEST.saturating_sub(16), i64::from(peak.level), highest).saturating_add(16);
            let gap = right.saturating_sub(left).checked_div(8).unwrap_or(0).min(3);
            Placed {
                peak,
                left: left.saturating_add(gap),
                right: right.saturating_sub(gap),
                top: BASE.saturating_sub(height),
            }
        })
        .collect()
}

/// Where the joins stand: the last two subtrees are joined first, and what comes of it with the one before.
fn joins(placed: &[Placed]) -> Vec<(i64, i64)> {
    let count = i64::try_from(placed.len()).unwrap_or(i64::MAX).saturating_sub(1);
    let mut right = placed.last().map(Placed::middle).unwrap_or_default();
    let mut found = Vec::new();
    for (number, one) in (0..count).rev().zip(placed.iter().rev().skip(1)) {
        right = if number == 0 { WIDTH / 2 } else { one.middle().midpoint(right) };
        found.push((right, ROOT.saturating_add(part(JOINS, number, count.max(3)))));
    }
    found.reverse();
    found
}

/// The first and the last leaf of a subtree.
fn range(peak: &Peak) -> String {
    let last = peak.first.saturating_add(peak.count).saturating_sub(1);
    format!("{}–{}", grouped(peak.first), grouped(last))
}

/// Whether a text fits below a subtree.
fn has_room(one: &Placed, text: &str) -> bool {
    let letters = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    letters.saturating_mul(LETTER) <= one.right.saturating_sub(one.left)
}

/// A count with its thousands apart.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The picture; the first `bad` entry that breaks a rule is marked by its subtree.
pub(super) fn picture(size: u64, root: &str, bad: Option<u64>) -> Markup {
    let placed = placed(peaks(size));
    let joins = joins(&placed);
    let tops: Vec<(i64, i64)> = placed.iter().map(|one| (one.middle(), one.top)).collect();
    let is_bad =
        |peak: &Peak| bad.is_some_and(|bad| bad >= peak.first && bad.saturating_sub(peak.first) < peak.count);
    // What is joined at each place: the subtree of that number, and the join after it, or the last subtree.
    let rights = joins.iter().skip(1).copied().chain(tops.last().copied());
    let short = root.get(..8).unwrap_or(root);
    html! {
        svg.tree.many[placed.len() > FEW] viewBox={ "0 0 " (WIDTH) " 280" } role="img" aria-label={ "Merkle tree, " (size) " leaves" } {
            @for (((x, y), (left, left_y)), (right, right_y)) in joins.iter().zip(&tops).zip(rights) {
                line x1=(x) y1=(y) x2=(left) y2=(left_y) {}
                line x1=(x) y1=(y) x2=(right) y2=(right_y) {}
            }
            @if let ([_], Some((x, y))) = (placed.as_slice(), tops.first()) {
                line x1=(WIDTH / 2) y1=(ROOT) x2=(x) y2=(y) {}
            }
            @for one in &placed {
                polygon.bad[is_bad(&one.peak)]
                    points={ (one.left) "," (BASE) " " (one.right) "," (BASE) " " (one.middle()) "," (one.top) } {}
                @if has_room(one, &grouped(one.peak.count)) {
                    text x=(one.middle()) y=(BASE.saturating_add(18)) text-anchor="middle" { (grouped(one.peak.count)) }
                }
                @if has_room(one, &range(&one.peak)) {
                    text.range x=(one.middle()) y=(BASE.saturating_add(36)) text-anchor="middle" {
                        (range(&one.peak))
                    }
                }
            }
            @for (x, y) in joins.iter().skip(1) { circle cx=(x) cy=(y) r="3" {} }
            circle.root cx=(WIDTH / 2) cy=(ROOT) r="7" {}
            text x=(WIDTH / 2 + 16) y=(ROOT.saturating_sub(8)) { (short) "…" }
        }
    }
}

/// The size as the sum of its subtrees: `120 = 64 + 32 + 16 + 8`.
pub(super) fn sum(size: u64) -> String {
    let parts: Vec<String> = peaks(size).iter().map(|peak| grouped(peak.count)).collect();
    format!("{} = {}", grouped(size), parts.join(" + "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_the_sum_of_its_subtrees() {
        assert_eq!(sum(1), "1 = 1");
        assert_eq!(sum(120), "120 = 64 + 32 + 16 + 8");
        assert_eq!(sum(70_000), "70,000 = 65,536 + 4,096 + 256 + 64 + 32 + 16");
        for size in [1, 2, 3, 255, 256, 257, 12_345, u64::MAX >> 1] {
            let peaks = peaks(size);
            assert_eq!(peaks.iter().map(|peak| peak.count).sum::<u64>(), size);
            let placed = placed(peaks);
            assert!(
                placed.iter().all(|one| one.left <= one.right && one.left >= 0 && one.right <= WIDTH),
                "{size}"
            );
            assert_eq!(joins(&placed).len(), placed.len() - 1);
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
    }

    #[test]
    fn the_bad_entry_is_in_one_marked_subtree() {
        for bad in [0, 63, 64, 119] {
            assert_eq!(
                picture(120, &"ab".repeat(32), Some(bad)).into_string().matches("class=\"bad\"").count(),
                1
            );
        }
        let whole = picture(120, &"ab".repeat(32), None).into_string();
        assert!(!whole.contains("bad") && whole.matches("<polygon").count() == 4);
    }
}
