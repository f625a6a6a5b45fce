//! The log over time, as pictures: how it grew, when its heads were seen and cosigned, and what was written when.

use super::tally::{Kind, Tally};
use super::tree::grouped;
use super::{Mark, MarkKind};
use maud::{Markup, html};

/// The width of a picture, in its own units, and its margins.
const WIDTH: i64 = 720;
const LEFT: i64 = 8;
const RIGHT: i64 = 704;
/// The most columns of the picture by kinds.
const COLUMNS_MAX: i64 = 48;

/// A place between two others.
fn between(from: i64, to: i64, at: i64, first: i64, last: i64) -> i64 {
    let (whole, passed) = (
        i128::from(last).saturating_sub(i128::from(first)),
        i128::from(at).saturating_sub(i128::from(first)),
    );
    let length = i128::from(to).saturating_sub(i128::from(from));
    let offset = length.saturating_mul(passed).checked_div(whole.max(1)).unwrap_or(0);
    i64::try_from(i128::from(from).saturating_add(offset)).unwrap_or(to)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The class of a kind's colour.
pub(super) fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Log => "k-log",
        Kind::Registry => "k-registry",
        Kind::Accounts => "k-accounts",
        Kind::Records => "k-records",
        Kind::Batches => "k-batches",
        Kind::Changes => "k-changes",
        Kind::Applications => "k-applications",
        Kind::Closed => "k-closed",
    }
}

/// The first and the last moment that is shown.
pub(super) fn range(tally: &Tally, marks: &[Mark]) -> Option<(i64, i64)> {
    let times = marks.iter().map(|mark| mark.at_us);
    let (first, last) = tally
        .range()
        .into_iter()
        .flat_map(|(first, last)| [first, last])
        .chain(times)
        .fold((i64::MAX, i64::MIN), |(first, last), at| (first.min(at), last.max(at)));
    (first <= last).then_some((first, last.max(first.saturating_add(1))))
}

/// How the log grew, with the heads that were seen and their cosignatures, and the line of the first bad entry. What was
/// read ahead of it is shown too.
pub(super) fn growth(tally: &Tally, marks: &[Mark], size: u64, bad: Option<u64>) -> Markup {
    let Some((first, last)) = range(tally, marks) else { return html! {} };
    let (top, base) = (24i64, 190i64);
    let read = tally.spans.values().next_back().map_or(0, |span| span.size);
    let size = marks.iter().map(|mark| mark.size).fold(size.max(read), u64::max);
    let x = |at| between(LEFT, RIGHT, at, first, last);
    let y = |of: u64| between(base, top, signed(of), 0, signed(size.max(1)));
    let mut points = vec![format!("{LEFT},{base}")];
    let mut before = 0u64;
    for (number, span) in &tally.spans {
        let at = x(number.saturating_mul(tally.width_us));
        points.extend([format!("{at},{}", y(before)), format!("{at},{}", y(span.size))]);
        before = span.size;
    }
    points.push(format!("{RIGHT},{}", y(before)));
    let line = points.join(" ");
    html! {
        svg.time viewBox={ "0 -12 " (WIDTH) " 210" } role="img" aria-label="size over time" {
            polygon.area points={ (line) " " (RIGHT) "," (base) } {}
            polyline.line points=(line) {}
            line.axis x1=(LEFT) y1=(base) x2=(RIGHT) y2=(base) {}
            text x=(LEFT) y="14" { (grouped(size)) }
            @if let Some(bad) = bad {
                line.bad x1=(LEFT) y1=(y(bad)) x2=(RIGHT) y2=(y(bad)) {}
                text.bad x=(RIGHT) y=(y(bad).saturating_add(18)) text-anchor="end" { (grouped(bad)) }
            }
            @for mark in marks {
                @let (at, up) = (x(mark.at_us), y(mark.size));
                @match mark.kind {
                    MarkKind::Checked => circle.checked cx=(at) cy=(up) r="6" {},
                    MarkKind::Seen => circle.seen cx=(at) cy=(up) r="6" {},
                    MarkKind::Cosigned => {
                        polygon.cosigned points={
                            (at) "," (up.saturating_sub(8)) " " (at.saturating_add(7)) "," (up) " "
                            (at) "," (up.saturating_add(8)) " " (at.saturating_sub(7)) "," (up)
                        } {}
                    },
                }
            }
        }
    }
}

/// What was written when, by kind.
pub(super) fn kinds(tally: &Tally) -> Markup {
    let Some((first, last)) = tally.range() else { return html! {} };
    let spans = last.saturating_sub(first).checked_div(tally.width_us).unwrap_or(1);
    let by = spans.saturating_add(COLUMNS_MAX).saturating_sub(1).checked_div(COLUMNS_MAX).unwrap_or(1).max(1);
    let tally = tally.merged(by);
    let Some((first, last)) = tally.range() else { return html! {} };
    let (top, base) = (12i64, 150i64);
    let of = |span: &super::tally::Span| span.kinds.values().copied().fold(0u64, u64::saturating_add);
    let most = tally.spans.values().map(of).max().unwrap_or(1).max(1);
    let mut bars = Vec::new();
    for (number, span) in &tally.spans {
        let from = number.saturating_mul(tally.width_us);
        let left = between(LEFT, RIGHT, from, first, last);
        let right = between(LEFT, RIGHT, from.saturating_add(tally.width_us), first, last);
        let mut below = 0u64;
        for (kind, count) in &span.kinds {
            let (low, high) = (below, below.saturating_add(*count));
            let y = |of: u64| between(base, top, signed(of), 0, signed(most));
            bars.push((
                left,
                right.saturating_sub(left).saturating_sub(1).max(2),
                y(high),
                y(low).saturating_sub(y(high)).max(1),
                *kind,
            ));
            below = high;
        }
    }
    html! {
        svg.time viewBox={ "0 0 " (WIDTH) " 162" } role="img" aria-label="entries by kind over time" {
            @for (x, width, y, height, kind) in &bars {
                rect class=(class(*kind)) x=(x) y=(y) width=(width) height=(height) {}
            }
            line.axis x1=(LEFT) y1=(base) x2=(RIGHT) y2=(base) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lie_between_their_ends_even_where_there_is_no_time() {
        assert_eq!(between(0, 100, 5, 0, 10), 50);
        assert_eq!(between(190, 24, 0, 0, 10), 190);
        assert_eq!(between(190, 24, 10, 0, 10), 24);
        assert_eq!(between(8, 704, 3, 3, 3), 8);
        assert_eq!(between(0, 100, i64::MAX, i64::MIN, i64::MAX), 100);
    }
}
