//! What a correction changes of a record: options of the command line or keys of a TOML file, each a text.
//!
//! What is left out stays as it is; an empty text takes a value away. The bounds of the wire are asked where the
//! statement is made; here a text has to be one of its kind.

use crate::language::Phrase;
use crate::mapping::{
    HOUR_KINDS, MODES, PASS_STATES, Problem, RECORD_KINDS, Scalar, framework, hour_kind, institution,
    level_tenths, milli, mode, pass_state, permille, record_kind, scheme, truth, unicode, whole,
};
use crate::output::thousandths;
use clap::Args;
use credit_client::NewRecord;
use credit_types::limits::{MINUTES_MAX, TEXT_BYTES_MAX};
use credit_types::{Amount, CivilDate, Credits, Level, Minutes, RecordDetails, Text};
use serde::Deserialize;
use std::fmt::Display;

/// A change that can't be made.
#[derive(Debug)]
pub(super) struct Wrong {
    /// The key or option.
    pub(super) field: &'static str,
    /// What is wrong with it.
    pub(super) problem: Text,
}

/// A field that a correction changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// The key or option.
    pub(super) field: &'static str,
    /// What it said; empty for nothing.
    pub(super) before: String,
    /// What it says now.
    pub(super) after: String,
}

macro_rules! changes {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        /// What changes.
        #[derive(Debug, Clone, Default, Deserialize, Args)]
        #[serde(deny_unknown_fields)]
        #[command(next_help_heading = "What changes, an empty text takes away · 更正内容，空文本表示删除")]
        pub(crate) struct Changes {
            $($(#[$meta])* $name: Option<Scalar>,)*
        }

        impl Changes {
            /// These changes, and of the others what these leave out.
            pub(super) fn over(self, others: Self) -> Self {
                Self { $($name: self.$name.or(others.$name),)* }
            }
        }
    };
}

changes! {
    /// Credits: `4`, `2.5` · 学分
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    credits,
    /// Credit scheme · 学分制式
    #[arg(long, value_name = "SCHEME")]
    scheme,
    /// Level: `5`, `4.5` · 等级
    #[arg(long, value_name = "LEVEL")]
    level,
    /// Learning time in minutes · 学习分钟数
    #[arg(long, value_name = "MINUTES")]
    minutes,
    /// Subject code · 专业代码
    #[arg(long, value_name = "CODE")]
    subject_code,
    /// Day of the award: `2026-07-08` · 获得日期
    #[arg(long, value_name = "DATE")]
    awarded_on,
    /// Last day of validity · 有效期至
    #[arg(long, value_name = "DATE")]
    valid_until,
    /// First day of learning · 学习开始日期
    #[arg(long, value_name = "DATE")]
    start_on,
    /// Last day of learning · 学习结束日期
    #[arg(long, value_name = "DATE")]
    end_on,
    /// Title in Chinese · 中文名称
    #[arg(long, value_name = "TEXT")]
    title_zh,
    /// Title in English · 英文名称
    #[arg(long, value_name = "TEXT")]
    title_en,
    /// Score: `88`, `88.5` · 成绩
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    score,
    /// Grade as written · 等第
    #[arg(long, value_name = "TEXT")]
    grade,
    /// Number of the certificate · 证书编号
    #[arg(long, value_name = "TEXT")]
    certificate_no,
    #[arg(skip)]
    kind,
    #[arg(skip)]
    framework,
    #[arg(skip)]
    hour_kind,
    #[arg(skip)]
    class_hour_minutes,
    #[arg(skip)]
    occupation_code,
    #[arg(skip)]
    credit_eligible,
    #[arg(skip)]
    catalogue_ref,
    #[arg(skip)]
    score_scale,
    #[arg(skip)]
    grade_scale,
    #[arg(skip)]
    pass_state,
    #[arg(skip)]
    attendance_percent,
    #[arg(skip)]
    term,
    #[arg(skip)]
    attempt,
    #[arg(skip)]
    mode,
    #[arg(skip)]
    assessor_id,
    #[arg(skip)]
    lineage_key,
    #[arg(skip)]
    language,
    #[arg(skip)]
    contact_minutes,
    #[arg(skip)]
    notional_minutes,
}

/// Reads changes as TOML.
pub(super) fn parse(text: &str) -> Result<Changes, toml::de::Error> {
    toml::from_str(text)
}

/// What becomes of a field.
enum Change<T> {
    Keep,
    Remove,
    Set(T),
}

/// Reads what becomes of a field.
fn read<T>(
    field: &'static str,
    change: Option<&Scalar>,
    read: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<Change<T>, Wrong> {
    match change.map(|Scalar(text)| text.trim()) {
        None => Ok(Change::Keep),
        Some("") => Ok(Change::Remove),
        Some(text) => read(text).map(Change::Set).map_err(|problem| Wrong { field, problem: problem.text() }),
    }
}

/// Changes a field that every record has.
fn must<T>(
    field: &'static str,
    change: Option<&Scalar>,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
    into: &mut T,
) -> Result<(), Wrong> {
    match read(field, change, parse)? {
        Change::Keep => {}
        Change::Remove => return Err(Wrong { field, problem: Phrase::ChangeNotRemovable.text() }),
        Change::Set(value) => *into = value,
    }
    Ok(())
}

/// Changes a field that a record may do without.
fn may<T>(
    field: &'static str,
    change: Option<&Scalar>,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
    into: &mut Option<T>,
) -> Result<(), Wrong> {
    match read(field, change, parse)? {
        Change::Keep => {}
        Change::Remove => *into = None,
        Change::Set(value) => *into = Some(value),
    }
    Ok(())
}

/// The same for a field whose type has a value of its own for nothing.
fn or_nothing<T: Default>(
    field: &'static str,
    change: Option<&Scalar>,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
    into: &mut T,
) -> Result<(), Wrong> {
    match read(field, change, parse)? {
        Change::Keep => {}
        Change::Remove => *into = T::default(),
        Change::Set(value) => *into = value,
    }
    Ok(())
}

/// One half of a pair that a record has or lacks as a whole, from the change or from what was there.
fn half<T>(change: Change<T>, old: Option<T>) -> Option<T> {
    match change {
        Change::Keep => old,
        Change::Remove => None,
        Change::Set(value) => Some(value),
    }
}

fn text(text: &str) -> Result<String, Problem> {
    unicode::<TEXT_BYTES_MAX>(text)
}

fn date(text: &str) -> Result<CivilDate, Problem> {
    let wrong = |_| Problem::NotADate { value: Problem::shown(text), form: "YYYY-MM-DD".to_owned() };
    text.parse().map_err(wrong)
}

fn credits(text: &str) -> Result<Credits, Problem> {
    Credits::from_milli(milli(text)?).map_err(|_| Problem::NotCredits { value: Problem::shown(text) })
}

fn count<T: TryFrom<i64>>(text: &str) -> Result<T, Problem> {
    let number = whole(text, 0, i64::from(MINUTES_MAX))?;
    T::try_from(number).map_err(|_| Problem::NotWhole { value: Problem::shown(text) })
}

impl Changes {
    /// Makes the changes.
    pub(super) fn apply(&self, record: &mut NewRecord) -> Result<(), Wrong> {
        must("kind", self.kind.as_ref(), record_kind, &mut record.kind)?;
        self.amount(&mut record.amount)?;
        self.minutes(&mut record.minutes)?;
        self.level(&mut record.level)?;
        or_nothing("subject_code", self.subject_code.as_ref(), text, &mut record.subject_code)?;
        or_nothing("occupation_code", self.occupation_code.as_ref(), text, &mut record.occupation_code)?;
        must("awarded_on", self.awarded_on.as_ref(), date, &mut record.awarded_on)?;
        may("valid_until", self.valid_until.as_ref(), date, &mut record.valid_until)?;
        must("credit_eligible", self.credit_eligible.as_ref(), truth, &mut record.credit_eligible)?;
        self.details(&mut record.details)
    }

    fn amount(&self, amount: &mut Option<Amount>) -> Result<(), Wrong> {
        let credits = read("credits", self.credits.as_ref(), self::credits)?;
        let scheme = read("scheme", self.scheme.as_ref(), self::scheme)?;
        let old = amount.take();
        if matches!(credits, Change::Remove) {
            return Ok(());
        }
        let scheme = half(scheme, old.as_ref().map(|old| old.scheme.clone()));
        *amount = match (scheme, half(credits, old.map(|old| old.credits))) {
            (Some(scheme), Some(credits)) => Some(Amount { scheme, credits }),
            (None, None) => None,
            (Some(_), None) => return Err(needs("scheme", "credits")),
            (None, Some(_)) => return Err(needs("credits", "scheme")),
        };
        Ok(())
    }

    fn minutes(&self, minutes: &mut Option<Minutes>) -> Result<(), Wrong> {
        let count = read("minutes", self.minutes.as_ref(), self::count::<i32>)?;
        let hour_kind = read("hour_kind", self.hour_kind.as_ref(), self::hour_kind)?;
        let old = minutes.take();
        if matches!(count, Change::Remove) {
            return Ok(());
        }
        let mut class_hour_minutes = old.map_or(0, |old| old.class_hour_minutes);
        let class_hour = self.class_hour_minutes.as_ref();
        or_nothing("class_hour_minutes", class_hour, self::count::<i32>, &mut class_hour_minutes)?;
        let hour_kind = half(hour_kind, old.map(|old| old.hour_kind));
        *minutes = match (hour_kind, half(count, old.map(|old| old.minutes))) {
            (Some(hour_kind), Some(minutes)) => Some(Minutes { hour_kind, minutes, class_hour_minutes }),
            (None, None) => None,
            (Some(_), None) => return Err(needs("hour_kind", "minutes")),
            (None, Some(_)) => return Err(needs("minutes", "hour_kind")),
        };
        Ok(())
    }

    fn level(&self, level: &mut Option<Level>) -> Result<(), Wrong> {
        let tenths = read("level", self.level.as_ref(), level_tenths)?;
        let framework = read("framework", self.framework.as_ref(), self::framework)?;
        let old = level.take();
        if matches!(tenths, Change::Remove) {
            return Ok(());
        }
        let framework = half(framework, old.as_ref().map(|old| old.framework.clone()));
        *level = match (framework, half(tenths, old.map(|old| old.tenths))) {
            (Some(framework), Some(tenths)) => Some(Level { framework, tenths }),
            (None, None) => None,
            (Some(_), None) => return Err(needs("framework", "level")),
            (None, Some(_)) => return Err(needs("level", "framework")),
        };
        Ok(())
    }

    fn details(&self, details: &mut RecordDetails) -> Result<(), Wrong> {
        or_nothing("catalogue_ref", self.catalogue_ref.as_ref(), text, &mut details.catalogue_ref)?;
        or_nothing("title_zh", self.title_zh.as_ref(), text, &mut details.title.zh)?;
        or_nothing("title_en", self.title_en.as_ref(), text, &mut details.title.en)?;
        may("score", self.score.as_ref(), milli, &mut details.score_milli)?;
        or_nothing("score_scale", self.score_scale.as_ref(), text, &mut details.score_scale_id)?;
        or_nothing("grade", self.grade.as_ref(), text, &mut details.grade)?;
        or_nothing("grade_scale", self.grade_scale.as_ref(), text, &mut details.grade_scale_id)?;
        may("pass_state", self.pass_state.as_ref(), pass_state, &mut details.pass_state)?;
        let percent = self.attendance_percent.as_ref();
        may("attendance_percent", percent, permille, &mut details.attendance_permille)?;
        may("start_on", self.start_on.as_ref(), date, &mut details.start_on)?;
        may("end_on", self.end_on.as_ref(), date, &mut details.end_on)?;
        or_nothing("term", self.term.as_ref(), text, &mut details.term)?;
        or_nothing("certificate_no", self.certificate_no.as_ref(), text, &mut details.certificate_no)?;
        or_nothing("attempt", self.attempt.as_ref(), count::<u32>, &mut details.attempt)?;
        may("mode", self.mode.as_ref(), mode, &mut details.mode)?;
        may("assessor_id", self.assessor_id.as_ref(), institution, &mut details.assessor_id)?;
        or_nothing("lineage_key", self.lineage_key.as_ref(), text, &mut details.lineage_key)?;
        or_nothing("language", self.language.as_ref(), text, &mut details.language)?;
        let contact = self.contact_minutes.as_ref();
        or_nothing("contact_minutes", contact, count::<i32>, &mut details.contact_minutes)?;
        let notional = self.notional_minutes.as_ref();
        or_nothing("notional_minutes", notional, count::<i32>, &mut details.notional_minutes)
    }
}

fn needs(field: &'static str, other: &'static str) -> Wrong {
    Wrong { field, problem: Phrase::ChangeNeeds.with(&[&other]) }
}

/// What differs between two records, in the order of the fields.
pub(super) fn differences(before: &NewRecord, after: &NewRecord) -> Vec<Difference> {
    let pairs = fields(before).into_iter().zip(fields(after));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((field, before), (_, after))| Difference { field, before, after })
        .collect()
}

fn plain(value: Option<impl Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn some<T: Display + Default + PartialEq>(value: T) -> String {
    if value == T::default() { String::new() } else { value.to_string() }
}

fn name_of<T: Copy + PartialEq>(names: &[(&'static str, T)], value: Option<T>) -> String {
    value.map_or("", |value| super::labels::name_of(names, value)).to_owned()
}

/// Every field that a correction may change, as it is written in a change.
fn fields(record: &NewRecord) -> Vec<(&'static str, String)> {
    let (amount, minutes, level) = (record.amount.as_ref(), record.minutes, record.level.as_ref());
    let mut fields = vec![
        ("kind", name_of(&RECORD_KINDS, Some(record.kind))),
        ("scheme", plain(amount.map(|amount| &amount.scheme))),
        ("credits", plain(amount.map(|amount| thousandths(amount.credits.milli())))),
        ("hour_kind", name_of(&HOUR_KINDS, minutes.map(|minutes| minutes.hour_kind))),
        ("minutes", plain(minutes.map(|minutes| minutes.minutes))),
        ("class_hour_minutes", some(minutes.map_or(0, |minutes| minutes.class_hour_minutes))),
        ("framework", plain(level.map(|level| &level.framework))),
        ("level", plain(level.map(|level| thousandths(i64::from(level.tenths).saturating_mul(100))))),
        ("subject_code", record.subject_code.clone()),
        ("occupation_code", record.occupation_code.clone()),
        ("awarded_on", record.awarded_on.to_string()),
        ("valid_until", plain(record.valid_until)),
        ("credit_eligible", record.credit_eligible.to_string()),
    ];
    fields.extend(detail_fields(&record.details));
    fields
}

fn detail_fields(details: &RecordDetails) -> Vec<(&'static str, String)> {
    let percent =
        details.attendance_permille.map(|permille| thousandths(i64::from(permille).saturating_mul(100)));
    vec![
        ("catalogue_ref", details.catalogue_ref.clone()),
        ("title_zh", details.title.zh.clone()),
        ("title_en", details.title.en.clone()),
        ("score", plain(details.score_milli.map(thousandths))),
        ("score_scale", details.score_scale_id.clone()),
        ("grade", details.grade.clone()),
        ("grade_scale", details.grade_scale_id.clone()),
        ("pass_state", name_of(&PASS_STATES, details.pass_state)),
        ("attendance_percent", plain(percent)),
        ("start_on", plain(details.start_on)),
        ("end_on", plain(details.end_on)),
        ("term", details.term.clone()),
        ("certificate_no", details.certificate_no.clone()),
        ("attempt", some(details.attempt)),
        ("mode", name_of(&MODES, details.mode)),
        ("assessor_id", plain(details.assessor_id.as_ref())),
        ("lineage_key", details.lineage_key.clone()),
        ("language", details.language.clone()),
        ("contact_minutes", some(details.contact_minutes)),
        ("notional_minutes", some(details.notional_minutes)),
    ]
}

#[cfg(test)]
mod tests;
