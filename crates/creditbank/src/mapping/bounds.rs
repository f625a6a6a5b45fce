//! Texts within the bounds that a record's fields have.

use super::names::{HOUR_KINDS, MODES, PASS_STATES, RECORD_KINDS, TRUTHS, named};
use super::problem::Problem;
use credit_types::{DeliveryMode, FrameworkId, HourKind, InstitutionId, PassState, RecordKind, SchemeId};

/// Printable ASCII, 1 to `MAX` bytes.
pub(super) fn ascii<const MAX: usize>(text: &str) -> Result<String, Problem> {
    let printable = !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x20..=0x7E));
    if !printable {
        return Err(Problem::NotOfForm { value: Problem::shown(text), form: "printable ASCII" });
    }
    short::<MAX>(text)
}

/// Text of 1 to `MAX` bytes without control characters and without marks that change its direction. (That it is in
/// NFC is asked where the statement is made.)
pub(crate) fn unicode<const MAX: usize>(text: &str) -> Result<String, Problem> {
    let hides = |letter: char| {
        letter.is_control()
            || matches!(letter,
                '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    if text.chars().any(hides) {
        let form = "without control characters and direction marks";
        return Err(Problem::NotOfForm { value: Problem::shown(text), form });
    }
    short::<MAX>(text)
}

fn short<const MAX: usize>(text: &str) -> Result<String, Problem> {
    if text.len() > MAX { Err(Problem::TooLong { bytes_max: MAX }) } else { Ok(text.to_owned()) }
}

pub(crate) fn record_kind(text: &str) -> Result<RecordKind, Problem> {
    option(&RECORD_KINDS, text)
}

pub(crate) fn hour_kind(text: &str) -> Result<HourKind, Problem> {
    option(&HOUR_KINDS, text)
}

pub(crate) fn pass_state(text: &str) -> Result<PassState, Problem> {
    option(&PASS_STATES, text)
}

pub(crate) fn mode(text: &str) -> Result<DeliveryMode, Problem> {
    option(&MODES, text)
}

pub(crate) fn truth(text: &str) -> Result<bool, Problem> {
    option(&TRUTHS, text)
}

pub(crate) fn scheme(text: &str) -> Result<SchemeId, Problem> {
    let form = "a scheme such as CN_XF";
    SchemeId::new(text).map_err(|_| Problem::NotOfForm { value: Problem::shown(text), form })
}

pub(crate) fn framework(text: &str) -> Result<FrameworkId, Problem> {
    let form = "a framework such as cn.nqf";
    FrameworkId::new(text).map_err(|_| Problem::NotOfForm { value: Problem::shown(text), form })
}

pub(crate) fn institution(text: &str) -> Result<InstitutionId, Problem> {
    let form = "an institution such as cn.yunjiang.openuniv";
    InstitutionId::new(text).map_err(|_| Problem::NotOfForm { value: Problem::shown(text), form })
}

/// A language tag of BCP 47, by its letters only.
pub(super) fn language(text: &str) -> Result<String, Problem> {
    let tag = text
        .split('-')
        .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !tag {
        let form = "a language tag such as zh-CN";
        return Err(Problem::NotOfForm { value: Problem::shown(text), form });
    }
    short::<{ super::details::LANGUAGE_BYTES_MAX }>(text)
}

fn option<T: Copy>(names: &[(&'static str, T)], text: &str) -> Result<T, Problem> {
    named(names, text).ok_or_else(|| Problem::NotAnOption {
        value: Problem::shown(text),
        options: names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
    })
}
