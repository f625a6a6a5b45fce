//! Every bound at its greatest value, which is taken, and one beyond it, which is refused by the field's name.
//!
//! A row is a field, an edit that keeps to the bound, and one that breaks it; both are made on a valid message.

mod bank;
mod conversion;
mod record;
mod registry;
mod secret;

use std::fmt::Debug;

use credit_proto::{InvalidField, v1};
use credit_types::Reason;
use prost::Message;

/// A field, an edit that is taken, an edit that is refused under the field's name.
pub(crate) type Row<W> = (&'static str, fn(&mut W), fn(&mut W));

#[track_caller]
pub(crate) fn check<W: Message + Clone, T: Debug>(
    base: &W,
    read: impl Fn(&[u8]) -> Result<T, InvalidField>,
    rows: &[Row<W>],
) {
    read(&base.encode_to_vec()).unwrap();
    for (place, (field, keep, break_it)) in rows.iter().enumerate() {
        let mut kept = base.clone();
        keep(&mut kept);
        read(&kept.encode_to_vec()).unwrap_or_else(|error| panic!("row {place}, {field} was kept: {error}"));
        let mut broken = base.clone();
        break_it(&mut broken);
        assert_ne!(broken.encode_to_vec(), base.encode_to_vec(), "row {place}, {field} breaks something");
        let refusal = read(&broken.encode_to_vec()).expect_err(field);
        assert_eq!((refusal.reason, refusal.field.as_str()), (Reason::FieldInvalid, *field), "{refusal}");
        // What to do stands behind the rule.
        assert!(refusal.problem.contains(": "), "row {place}: {refusal}");
    }
}

/// A text of so many bytes.
pub(crate) fn x(bytes: usize) -> String {
    "x".repeat(bytes)
}

pub(crate) fn day(year: i32, month: i32, day: i32) -> v1::CivilDate {
    v1::CivilDate { year, month, day }
}

/// An institution id of so many bytes.
pub(crate) fn institution(bytes: usize) -> String {
    format!("a.{}", x(bytes - 2))
}

pub(crate) fn text(zh: usize, en: usize) -> v1::Text {
    v1::Text { zh: x(zh), en: x(en) }
}
