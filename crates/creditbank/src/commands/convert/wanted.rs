//! What an application or a quote asks for: an account, a book, records, and what the learner states beside them.

use crate::commands::keys::institution_id;
use crate::commands::record::record_id;
use crate::commands::rules::{book_id, book_name};
use crate::commands::token::account_ref;
use crate::ending::CommandError;
use crate::language::Phrase;
use credit_types::{
    AccountRef, BookName, CivilDate, ConversionFact, ConversionParticulars, FrameworkId, RecordId, RecordName,
};
use std::fmt;

/// What is asked for.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Wanted {
    /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
    #[arg(long, value_name = "ACCOUNT", value_parser = account_ref)]
    pub(crate) account: AccountRef,
    /// The rule book · 规则书
    #[arg(long, value_name = "BOOK_ID", value_parser = book_id)]
    pub(crate) book: FrameworkId,
    /// Its version; 0 is the one in force today · 规则书版本，0 即今日施行的版本
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) book_version: u32,
    /// A record that may be used: ISSUER/RECORD_ID; several times, none for all · 可使用的成果：机构/编号，可给多个，不写即全部
    #[arg(long, value_name = "RECORD", value_parser = record_name)]
    pub(crate) record: Vec<RecordName>,
    /// What a rule asks of a record: RECORD:NAME=VALUE, the record by position, id or ISSUER/ID · 规则所问的事实：成果:名称=值
    #[arg(long, value_name = "FACT", value_parser = fact)]
    pub(crate) fact: Vec<Fact>,
    /// Day of birth, where a rule asks for an age · 出生日期
    #[arg(long, value_name = "DATE")]
    pub(crate) born_on: Option<CivilDate>,
    /// Day of enrolment · 入学日期
    #[arg(long, value_name = "DATE")]
    pub(crate) enrolled_on: Option<CivilDate>,
    /// A course of the programme that is met already; several times · 已修的专业课程，可给多个
    #[arg(long, value_name = "COURSE", value_parser = book_name)]
    pub(crate) met: Vec<BookName>,
    /// How the learner consented, such as the number of a form · 学习者的同意依据，例如表单编号
    #[arg(long, value_name = "REF", default_value = "")]
    pub(crate) consent: String,
}

/// Which record a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// By its position, from 0.
    Position(u32),
    /// By its id, whoever issued it.
    Id(RecordId),
    /// By its issuer and id.
    Name(RecordName),
}

impl fmt::Display for Of {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => write!(out, "{position}"),
            Self::Id(id) => write!(out, "{id}"),
            Self::Name(RecordName { issuer, record_id }) => write!(out, "{issuer}/{record_id}"),
        }
    }
}

/// A fact as it is given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    of: Of,
    name: BookName,
    value: String,
}

fn record_name(text: &str) -> Result<RecordName, String> {
    let (issuer, id) = text.split_once('/').ok_or_else(|| "ISSUER/RECORD_ID".to_owned())?;
    Ok(RecordName { issuer: institution_id(issuer)?, record_id: record_id(id)? })
}

fn fact(text: &str) -> Result<Fact, String> {
    let form = || "RECORD:NAME=VALUE".to_owned();
    let (of, rest) = text.split_once(':').ok_or_else(form)?;
    // An id of a book may have a colon, and no equals sign.
    let (name, value) = rest.split_once('=').ok_or_else(form)?;
    let of = if of.contains('/') {
        Of::Name(record_name(of)?)
    } else if of.len() < 32 {
        Of::Position(of.parse().map_err(|_| form())?)
    } else {
        Of::Id(record_id(of)?)
    };
    Ok(Fact { of, name: book_name(name)?, value: value.to_owned() })
}

impl Wanted {
    /// Whether something is stated of records that only a quote can name.
    pub(super) fn needs_records(&self) -> bool {
        self.record.is_empty() && !self.fact.is_empty()
    }

    /// What the learner states beside these records, ascending; `None` where it is nothing.
    pub(super) fn particulars(
        &self,
        records: &[RecordName],
    ) -> Result<Option<ConversionParticulars>, CommandError> {
        let mut facts = Vec::new();
        for Fact { of, name, value } in &self.fact {
            let found = records.iter().position(|record| match of {
                Of::Position(_) => false,
                Of::Id(id) => record.record_id == *id,
                Of::Name(name) => record == name,
            });
            let found = match of {
                Of::Position(position) => usize::try_from(*position).ok().filter(|at| *at < records.len()),
                Of::Id(_) | Of::Name(_) => found,
            };
            let record = found.and_then(|at| u32::try_from(at).ok());
            let record = record
                .ok_or_else(|| CommandError::usage(Phrase::ConvertNoSuchRecord, &[of, &records.len()]))?;
            facts.push(ConversionFact { record, name: name.clone(), value: value.clone() });
        }
        facts.sort();
        let mut met = self.met.clone();
        met.sort();
        met.dedup();
        let particulars = ConversionParticulars {
            born_on: self.born_on,
            enrolled_on: self.enrolled_on,
            met,
            facts,
            consent_ref: self.consent.clone(),
        };
        Ok(Some(particulars).filter(|stated| *stated != ConversionParticulars::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_names_its_record_by_position_id_or_issuer_and_id() {
        let id = "0199f0a0c0de8000800000000000abcd";
        let read = |text: String| fact(&text).unwrap();
        assert_eq!(read("3:content_match=85".to_owned()).of, Of::Position(3));
        assert!(matches!(read(format!("{id}:content_match=85")).of, Of::Id(_)));
        let named = read(format!("cn.x/{id}:cn.x:a=b=c"));
        assert!(matches!(named.of, Of::Name(_)));
        assert_eq!((named.name.as_str(), named.value.as_str()), ("cn.x:a", "b=c"));
        for bad in ["content_match=85", "x:a=1", "0:a", "/0:a=1"] {
            assert!(fact(bad).is_err(), "{bad}");
        }
    }
}
