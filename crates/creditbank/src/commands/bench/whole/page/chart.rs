//! Pictures of figures, in whole numbers.

use maud::{Markup, html};

/// The width of a bar's picture.
const WIDE: u64 = 1_000;
/// The size of a plot's picture and the room around its lines.
const PLOT: (u64, u64, u64) = (640, 300, 36);
/// Steps of a doubling on a logarithmic scale.
const STEPS: u64 = 1_024;

/// A number with a space between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(place);
        if place > 0 && left.is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// So many parts of a width as a value is of a whole.
pub(super) fn part(value: u64, whole: u64, width: u64) -> u64 {
    value.min(whole).saturating_mul(width).checked_div(whole).unwrap_or(0)
}

/// The logarithm to the base 2, in steps, straight between powers; 0 of 0.
pub(super) fn log(value: u64) -> u64 {
    let Some(whole) = value.checked_ilog2() else { return 0 };
    let power = 1u64.checked_shl(whole).unwrap_or(1);
    let rest = u128::from(value.saturating_sub(power)).saturating_mul(u128::from(STEPS));
    let rest = rest.checked_div(u128::from(power)).unwrap_or(0);
    u64::from(whole).saturating_mul(STEPS).saturating_add(u64::try_from(rest).unwrap_or(0))
}

/// Where a value lies between two on a logarithmic scale of a width.
pub(super) fn log_part(value: u64, from: u64, to: u64, width: u64) -> u64 {
    let (value, from, to) = (log(value), log(from), log(to));
    part(value.saturating_sub(from), to.saturating_sub(from).max(1), width)
}

/// A bar from nothing to a median, with a line from the least to the greatest.
pub(super) fn bar(class: &str, min: u64, median: u64, max: u64, whole: u64) -> Markup {
    let [min, median, max] = [min, median, max].map(|value| part(value, whole, WIDE));
    html! {
        svg viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" {
            rect class=(class) x="0" y="3" width=(median.max(2)) height="14" {}
            line class="whisker" x1=(min) y1="10" x2=(max) y2="10" {}
        }
    }
}

/// A span between two values on a logarithmic scale.
pub(super) fn span(class: &str, low: u64, high: u64, from: u64, to: u64) -> Markup {
    let (low, high) = (log_part(low, from, to, WIDE), log_part(high, from, to, WIDE));
    html! {
        svg viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" {
            rect class=(class) x=(low) y="4" width=(high.saturating_sub(low).max(4)) height="12" {}
        }
    }
}

/// A line over points: their places on a logarithmic scale, their values from nothing up.
pub(super) fn line(points: &[(u64, u64)]) -> Markup {
    let (width, height, room) = PLOT;
    let (inner, tall) =
        (width.saturating_sub(room.saturating_mul(2)), height.saturating_sub(room.saturating_mul(2)));
    let (from, to) = (points.first().map_or(1, |point| point.0), points.last().map_or(1, |point| point.0));
    let top = points.iter().map(|point| point.1).max().unwrap_or(1).max(1);
    let placed: Vec<(u64, u64, u64, u64)> = points
        .iter()
        .map(|(at, value)| {
            let across = room.saturating_add(log_part(*at, from, to, inner));
            let up = height.saturating_sub(room).saturating_sub(part(*value, top, tall));
            (across, up, *at, *value)
        })
        .collect();
    let path: Vec<String> = placed.iter().map(|(across, up, ..)| format!("{across},{up}")).collect();
    let floor = height.saturating_sub(room);
    html! {
        svg viewBox=(format!("0 0 {width} {height}")) role="img" {
            line class="floor" x1=(room) y1=(floor) x2=(width.saturating_sub(room)) y2=(floor) {}
            polyline points=(path.join(" ")) {}
            @for (across, up, at, value) in placed {
                circle cx=(across) cy=(up) r="7" {}
                text x=(across) y=(up.saturating_sub(14)) text-anchor=(anchor(across, width)) { (grouped(value)) }
                text x=(across) y=(height.saturating_sub(8)) text-anchor=(anchor(across, width)) { (grouped(at)) }
            }
        }
    }
}

/// Towards which side a text stands, so that it stays within the picture.
fn anchor(across: u64, width: u64) -> &'static str {
    match across.saturating_mul(10).checked_div(width).unwrap_or(0) {
        0..=1 => "start",
        8.. => "end",
        _ => "middle",
    }
}

/// One bar of several parts.
pub(super) fn stack(parts: &[u64]) -> Markup {
    let whole = parts.iter().fold(0u64, |sum, part| sum.saturating_add(*part));
    let mut from = 0u64;
    let placed: Vec<(usize, u64, u64)> = parts
        .iter()
        .enumerate()
        .map(|(number, bytes)| {
            let (at, width) = (from, part(*bytes, whole, WIDE));
            from = from.saturating_add(width);
            (number, at, width)
        })
        .collect();
    html! {
        svg.stack viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true" {
            @for (number, at, width) in placed {
                rect class=(format!("s{number}")) x=(at) y="0" width=(width) height="24" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number).replace('\u{202f}', " "), text);
        }
    }

    #[test]
    fn a_logarithm_rises_with_its_number() {
        assert_eq!(
            (log(0), log(1), log(2), log(3), log(1_024)),
            (0, 0, STEPS, STEPS + STEPS / 2, 10 * STEPS)
        );
        assert!((1..2_000).all(|value| log(value) <= log(value + 1)));
        assert!(log(u64::MAX) < 64 * STEPS);
        assert_eq!(log_part(100, 1, 10_000, 1_000) / 10, 49);
        assert_eq!((log_part(5, 5, 5, 1_000), log_part(9, 5, 9, 1_000)), (0, 1_000));
    }

    #[test]
    fn pictures_hold_what_there_is_of_nothing_too() {
        assert!(line(&[]).into_string().contains("<svg"));
        let picture = line(&[(100, 0), (1_000, 5)]).into_string();
        assert_eq!(picture.matches("<circle").count(), 2);
        assert!(stack(&[0, 0]).into_string().contains("width=\"0\""));
        assert!(bar("ours", 0, 0, 0, 0).into_string().contains("width=\"2\""));
    }
}
