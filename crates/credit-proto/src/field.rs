//! The readers of single fields: presence, lengths, ranges, order, text. Each refusal names its limit.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use credit_types::limits::TEXT_BYTES_MAX;
use credit_types::{CivilDate, IdError, Text};

use crate::enumeration::Enumerated;
use crate::invalid::{At as _, InvalidField};
use crate::reading::Stage;
use crate::strict::{ascii_printable, clean_text};
use crate::v1;

/// A sub-message that must be set.
pub(crate) fn required<T>(field: &str, value: Option<T>) -> Result<T, InvalidField> {
    value.ok_or_else(|| missing(field))
}

fn missing(field: &str) -> InvalidField {
    InvalidField::new(field, "is missing: set it")
}

/// Refuses a field where the condition doesn't hold; the problem says the rule and what to do.
pub(crate) fn ensure(holds: bool, field: &str, problem: &str) -> Result<(), InvalidField> {
    if holds { Ok(()) } else { Err(InvalidField::new(field, problem)) }
}

/// A number within its bounds.
pub(crate) fn range<N: PartialOrd + Display>(
    field: &str,
    value: N,
    bounds: RangeInclusive<N>,
) -> Result<N, InvalidField> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    let (min, max) = (bounds.start(), bounds.end());
    Err(InvalidField::new(field, format!("is {value}, must be {min} to {max}: correct it")))
}

/// How many elements a repeated field has.
pub(crate) fn count<T>(field: &str, items: &[T], bounds: RangeInclusive<usize>) -> Result<(), InvalidField> {
    if bounds.contains(&items.len()) {
        return Ok(());
    }
    let (min, max) = (bounds.start(), bounds.end());
    let problem = format!("has {} elements, must have {min} to {max}: add or leave out some", items.len());
    Err(InvalidField::new(field, problem))
}

/// Bytes of an exact length, as an id or digest.
pub(crate) fn sized<T>(
    field: &str,
    bytes: &[u8],
    make: impl Fn(&[u8]) -> Result<T, IdError>,
) -> Result<T, InvalidField> {
    if bytes.is_empty() {
        return Err(missing(field));
    }
    make(bytes).map_err(|error| InvalidField::new(field, format!("{error}: send the whole value")))
}

/// The same, where empty means absent.
pub(crate) fn optional_sized<T>(
    field: &str,
    bytes: &[u8],
    make: impl Fn(&[u8]) -> Result<T, IdError>,
) -> Result<Option<T>, InvalidField> {
    if bytes.is_empty() { Ok(None) } else { sized(field, bytes, make).map(Some) }
}

/// An id that is text.
pub(crate) fn named<T>(
    field: &str,
    text: String,
    make: impl Fn(String) -> Result<T, IdError>,
) -> Result<T, InvalidField> {
    if text.is_empty() {
        return Err(missing(field));
    }
    make(text).map_err(|error| InvalidField::new(field, format!("{error}: correct it")))
}

/// The same, where empty means absent.
pub(crate) fn optional_named<T>(
    field: &str,
    text: String,
    make: impl Fn(String) -> Result<T, IdError>,
) -> Result<Option<T>, InvalidField> {
    if text.is_empty() { Ok(None) } else { named(field, text, make).map(Some) }
}

/// Printable ASCII; the bounds count bytes.
pub(crate) fn ascii(
    field: &str,
    text: String,
    bounds: RangeInclusive<usize>,
) -> Result<String, InvalidField> {
    let (min, max) = (bounds.start(), bounds.end());
    if text.is_empty() && *min > 0 {
        let problem = format!("is missing: set it to {min} to {max} printable ASCII bytes");
        return Err(InvalidField::new(field, problem));
    }
    if !bounds.contains(&text.len()) {
        let problem = format!("has {} bytes, must have {min} to {max}: correct its length", text.len());
        return Err(InvalidField::new(field, problem));
    }
    ensure(ascii_printable(&text), field, "must be printable ASCII (0x20 to 0x7E): leave out all else")?;
    Ok(text)
}

/// A text of one exact length and alphabet; the form says which.
pub(crate) fn coded(
    field: &str,
    text: String,
    form: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<String, InvalidField> {
    if fits(&text) {
        return Ok(text);
    }
    if text.is_empty() {
        return Err(InvalidField::new(field, format!("is missing: set it to {form}")));
    }
    Err(InvalidField::new(field, format!("must be {form}: correct it")))
}

/// The same, where empty means absent.
pub(crate) fn optional_coded(
    field: &str,
    text: String,
    form: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<String, InvalidField> {
    if text.is_empty() { Ok(text) } else { coded(field, text, form, fits) }
}

/// UTF-8 for people, at most so many bytes; its letters are checked at admission only.
pub(crate) fn words(
    field: &str,
    text: String,
    bytes_max: usize,
    stage: Stage,
) -> Result<String, InvalidField> {
    if text.len() > bytes_max {
        let problem = format!("has {} bytes, must have at most {bytes_max}: shorten it", text.len());
        return Err(InvalidField::new(field, problem));
    }
    let clean = match stage {
        Stage::Admission => clean_text(&text),
        Stage::Replay => true,
    };
    ensure(clean, field, "must be in NFC without control or bidirectional marks: normalise it, remove them")?;
    Ok(text)
}

/// A text in the two languages; one of them is set.
pub(crate) fn text(field: &str, wire: Option<v1::Text>, stage: Stage) -> Result<Text, InvalidField> {
    let v1::Text { zh, en } = required(field, wire)?;
    ensure(!(zh.is_empty() && en.is_empty()), field, "has no language: set zh, en or both")?;
    let zh = words("zh", zh, TEXT_BYTES_MAX, stage).at(field)?;
    let en = words("en", en, TEXT_BYTES_MAX, stage).at(field)?;
    Ok(Text { zh, en })
}

/// A text as it stands in a message; one without words is left out.
pub(crate) fn text_wire(text: &Text) -> Option<v1::Text> {
    let Text { zh, en } = text;
    (!(zh.is_empty() && en.is_empty())).then(|| v1::Text { zh: zh.clone(), en: en.clone() })
}

/// A date that may be absent.
pub(crate) fn optional_date(
    field: &str,
    wire: Option<v1::CivilDate>,
) -> Result<Option<CivilDate>, InvalidField> {
    let Some(v1::CivilDate { year, month, day }) = wire else { return Ok(None) };
    let date = CivilDate::new(year, month, day);
    date.map(Some).map_err(|error| InvalidField::new(field, format!("{error}: set year, month and day")))
}

/// A date.
pub(crate) fn date(field: &str, wire: Option<v1::CivilDate>) -> Result<CivilDate, InvalidField> {
    required(field, optional_date(field, wire)?)
}

/// A date as it stands in a message.
pub(crate) fn date_wire(date: CivilDate) -> v1::CivilDate {
    v1::CivilDate { year: date.year(), month: date.month(), day: date.day() }
}

/// An enum that must be set.
pub(crate) fn enumeration<E: Enumerated>(field: &str, number: i32) -> Result<E, InvalidField> {
    E::from_number(number).ok_or_else(|| InvalidField::new(field, "is missing: set it to a known value"))
}

/// An enum that may be absent.
pub(crate) fn optional_enumeration<E: Enumerated>(
    field: &str,
    number: i32,
) -> Result<Option<E>, InvalidField> {
    if number == 0 { Ok(None) } else { enumeration(field, number).map(Some) }
}

/// Enums, ascending, none twice, at least one.
pub(crate) fn enumerations<E: Enumerated + Ord>(
    field: &str,
    numbers: Vec<i32>,
) -> Result<BTreeSet<E>, InvalidField> {
    ensure(!numbers.is_empty(), field, "is missing: name at least one")?;
    ascending(field, &numbers)?;
    let mut set = BTreeSet::new();
    for (position, number) in numbers.into_iter().enumerate() {
        set.insert(enumeration("", number).at_element(field, position)?);
    }
    Ok(set)
}

/// Refuses a list that isn't strictly ascending.
pub(crate) fn ascending<T: PartialOrd>(
    field: &str,
    items: impl IntoIterator<Item = T>,
) -> Result<(), InvalidField> {
    let mut before: Option<T> = None;
    for (position, item) in items.into_iter().enumerate() {
        if before.is_some_and(|before| before.partial_cmp(&item) != Some(Ordering::Less)) {
            let problem =
                "must be greater than the one before: sort ascending and leave out what stands twice";
            return Err(InvalidField::new(format!("{field}[{position}]"), problem));
        }
        before = Some(item);
    }
    Ok(())
}
