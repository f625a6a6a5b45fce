//! The mapping file as it is written. An unknown key is an error.

use super::scalar::Scalar;
use crate::spreadsheet::{Delimiter, Encoding};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingForm {
    pub(super) format: u32,
    pub(super) encoding: Option<EncodingForm>,
    pub(super) delimiter: Option<DelimiterForm>,
    pub(super) key: KeyForm,
    #[serde(default)]
    pub(super) not_credit: Vec<FilterForm>,
    #[serde(default)]
    pub(super) lookup: BTreeMap<String, BTreeMap<String, Scalar>>,
    pub(super) record: RecordForm,
    pub(super) details: DetailsForm,
}

#[derive(Deserialize)]
pub(super) enum EncodingForm {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "gb18030")]
    Gb18030,
}

impl EncodingForm {
    pub(super) fn encoding(self) -> Encoding {
        match self {
            Self::Utf8 => Encoding::Utf8,
            Self::Gb18030 => Encoding::Gb18030,
        }
    }
}

#[derive(Deserialize)]
pub(super) enum DelimiterForm {
    #[serde(rename = ",")]
    Comma,
    #[serde(rename = ";")]
    Semicolon,
    #[serde(rename = "\t")]
    Tab,
    #[serde(rename = "|")]
    Bar,
}

impl DelimiterForm {
    pub(super) fn delimiter(self) -> Delimiter {
        match self {
            Self::Comma => Delimiter::Comma,
            Self::Semicolon => Delimiter::Semicolon,
            Self::Tab => Delimiter::Tab,
            Self::Bar => Delimiter::Bar,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyForm {
    pub(super) scope: String,
    pub(super) columns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterForm {
    pub(super) reason: String,
    pub(super) text: TextForm,
    pub(super) column: String,
    pub(super) is: Option<Vec<Scalar>>,
    pub(super) empty: Option<bool>,
    pub(super) less_than: Option<Scalar>,
}

/// A text in two languages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextForm {
    pub(super) zh: String,
    pub(super) en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordForm {
    pub(super) learner_number: SourceForm,
    pub(super) kind: SourceForm,
    pub(super) amount: Option<AmountForm>,
    pub(super) minutes: Option<MinutesForm>,
    pub(super) level: Option<LevelForm>,
    pub(super) subject_code: Option<SourceForm>,
    pub(super) occupation_code: Option<SourceForm>,
    pub(super) start_on: Option<DateForm>,
    pub(super) end_on: Option<DateForm>,
    pub(super) awarded_on: DateForm,
    pub(super) valid_until: Option<DateForm>,
    pub(super) credit_eligible: SourceForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmountForm {
    pub(super) scheme: SourceForm,
    pub(super) credits: SourceForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MinutesForm {
    pub(super) hour_kind: SourceForm,
    pub(super) minutes: Option<SourceForm>,
    pub(super) hours: Option<SourceForm>,
    pub(super) class_hours: Option<SourceForm>,
    pub(super) minutes_per_credit: Option<SourceForm>,
    pub(super) class_hour_minutes: Option<SourceForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelForm {
    pub(super) framework: SourceForm,
    pub(super) level: SourceForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailsForm {
    pub(super) catalogue_ref: SourceForm,
    pub(super) title_zh: Option<SourceForm>,
    pub(super) title_en: Option<SourceForm>,
    pub(super) score: Option<SourceForm>,
    pub(super) score_scale: Option<SourceForm>,
    pub(super) grade: Option<SourceForm>,
    pub(super) grade_scale: Option<SourceForm>,
    pub(super) pass_state: Option<SourceForm>,
    pub(super) attendance_percent: Option<SourceForm>,
    pub(super) term: Option<SourceForm>,
    pub(super) certificate_no: Option<SourceForm>,
    pub(super) attempt: Option<SourceForm>,
    pub(super) mode: Option<SourceForm>,
    pub(super) assessor_id: Option<SourceForm>,
    pub(super) lineage_key: Option<SourceForm>,
    pub(super) language: Option<SourceForm>,
    pub(super) contact_minutes: Option<SourceForm>,
    pub(super) notional_minutes: Option<SourceForm>,
}

/// Where a value comes from: a constant, or a table that says which cells.
pub(super) enum SourceForm {
    Constant(String),
    Table(SourceTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    pub(super) column: Option<String>,
    pub(super) template: Option<String>,
    pub(super) lookup: Option<String>,
    pub(super) default: Option<Scalar>,
    #[serde(default)]
    pub(super) optional: bool,
}

/// Where a date comes from.
pub(super) enum DateForm {
    Constant(String),
    Table(Box<DateTable>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DateTable {
    pub(super) column: Option<String>,
    pub(super) template: Option<String>,
    pub(super) lookup: Option<String>,
    pub(super) default: Option<Scalar>,
    #[serde(default)]
    pub(super) optional: bool,
    pub(super) form: Option<String>,
    pub(super) same_as: Option<DateNameForm>,
    pub(super) plus_days: Option<SourceForm>,
    pub(super) plus_years: Option<SourceForm>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateNameForm {
    #[serde(rename = "start_on")]
    Start,
    #[serde(rename = "end_on")]
    End,
    #[serde(rename = "awarded_on")]
    Awarded,
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SourceForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a constant (write decimals and dates as text: \"7.5\"), or a table with `column` or `template`",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SourceForm, E> {
        Ok(SourceForm::Constant(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<SourceForm, E> {
        Ok(SourceForm::Constant(number.to_string()))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<SourceForm, E> {
        Ok(SourceForm::Constant(truth.to_string()))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<SourceForm, M::Error> {
        SourceTable::deserialize(MapAccessDeserializer::new(map)).map(SourceForm::Table)
    }
}

impl<'de> Deserialize<'de> for SourceForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct DateVisitor;

impl<'de> Visitor<'de> for DateVisitor {
    type Value = DateForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date as text (\"2026-02-01\"), or a table with `column`, `template` or `same_as`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DateForm, E> {
        Ok(DateForm::Constant(text.to_owned()))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<DateForm, M::Error> {
        DateTable::deserialize(MapAccessDeserializer::new(map)).map(|table| DateForm::Table(Box::new(table)))
    }
}

impl<'de> Deserialize<'de> for DateForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DateVisitor)
    }
}
