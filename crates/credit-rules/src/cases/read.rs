//! Reads a file of cases.

use super::{Case, Cases, ConvertCase};
use crate::finding::{Code, Document, Finding, Findings};
use crate::input::{Record, Use};
use crate::limits::{CASES_BYTES_MAX, CASES_MAX, LIST_MAX, NESTING_MAX, RECORDS_MAX};
use crate::parse::{at_most, exactly_one, how_many, locate, read_text, unique};
use crate::path::At;

impl Cases {
    /// Reads a file as people write it. All that is wrong is said at once, each with its place.
    pub fn from_toml(text: &str) -> Result<Self, Vec<Finding>> {
        let of_cases = |mut list: Vec<Finding>| {
            for finding in &mut list {
                finding.document = Document::Cases;
            }
            list
        };
        if text.len() > CASES_BYTES_MAX {
            let mut found = Findings::default();
            let bytes = text.len();
            found.add(
                Code::BookTooLarge,
                At::TOP,
                format!("算例文件为 {bytes} 字节，最多 {CASES_BYTES_MAX} 字节（CASES_BYTES_MAX）"),
                format!("the cases have {bytes} bytes, at most {CASES_BYTES_MAX} (CASES_BYTES_MAX)"),
            );
            return Err(of_cases(found.finish()));
        }
        let cases = read_text::<Self>(text).map_err(of_cases)?;
        let mut found = Findings::default();
        examine(&cases, &mut found);
        if found.is_empty() {
            return Ok(cases);
        }
        let mut list = of_cases(found.finish());
        locate(text, &mut list);
        Err(list)
    }
}

fn examine(cases: &Cases, found: &mut Findings) {
    let tests = At::TOP.key("test");
    at_most(found, tests, cases.tests.len(), (CASES_MAX, "CASES_MAX"));
    unique(cases.tests.iter().map(|case| &case.id), tests, "id", found);
    for (index, case) in cases.tests.iter().enumerate() {
        examine_case(cases, case, tests.index(index), found);
    }
}

fn examine_case(cases: &Cases, case: &Case, at: At<'_>, found: &mut Findings) {
    let Case { id: _, rule, sign: _, labels: _, source: _, convert, award, compliance, grade, level } = case;
    let said = [convert.is_some(), award.is_some(), compliance.is_some(), grade.is_some(), level.is_some()];
    exactly_one(found, at, how_many(&said), "convert / award / compliance / grade / level");
    at_most(found, at.key("rule"), rule.0.len(), (LIST_MAX, "LIST_MAX"));
    if let Some(convert) = convert {
        examine_convert(cases, convert, at.key("convert"), found);
    }
    if let Some(award) = award {
        let here = at.key("award");
        day(award.on.or(cases.on).is_some(), here, found);
        records(&award.records, here, found);
        uses(&award.uses, here.key("uses"), found);
        uses(&award.grants, here.key("grants"), found);
    }
    if let Some(compliance) = compliance {
        let here = at.key("compliance");
        at_most(found, here.key("activities"), compliance.activities.len(), (RECORDS_MAX, "RECORDS_MAX"));
    }
    if let Some(grade) = grade {
        let here = at.key("grade");
        exactly_one(found, here, how_many(&[grade.word.is_some(), grade.number.is_some()]), "word / number");
        let expect = &grade.expect;
        let said = [expect.word.is_some(), expect.number.is_some(), expect.refused.is_some()];
        exactly_one(found, here.key("expect"), how_many(&said), "word / number / refused");
    }
}

fn examine_convert(cases: &Cases, convert: &ConvertCase, at: At<'_>, found: &mut Findings) {
    day(convert.on.or(cases.on).is_some(), at, found);
    records(&convert.records, at, found);
    uses(&convert.uses, at.key("uses"), found);
    let expect = at.key("expect");
    let offers = convert.expect.offers.as_ref().map_or(0, Vec::len);
    // A record gives rise to at most 64 offers, yet nobody writes out as many.
    at_most(found, expect.key("offers"), offers, (RECORDS_MAX, "RECORDS_MAX"));
    at_most(found, expect.key("refused"), convert.expect.refused.len(), (RECORDS_MAX, "RECORDS_MAX"));
    at_most(found, expect.key("items"), convert.expect.items.len(), (RECORDS_MAX, "RECORDS_MAX"));
}

fn day(said: bool, at: At<'_>, found: &mut Findings) {
    if !said {
        found.add(
            Code::MissingField,
            at,
            "须在此处或文件开头写明 on（决定日期）",
            "on, the day of the decision, must be said here or at the top of the file",
        );
    }
}

fn records(list: &[Record], at: At<'_>, found: &mut Findings) {
    let here = at.key("records");
    at_most(found, here, list.len(), (RECORDS_MAX, "RECORDS_MAX"));
    unique(list.iter().map(|record| &record.id), here, "id", found);
}

fn uses(list: &[Use], at: At<'_>, found: &mut Findings) {
    at_most(found, at, list.len(), (RECORDS_MAX, "RECORDS_MAX"));
}

// A question nests no deeper than a rule; both files are read behind the same bound.
const _: () = assert!(NESTING_MAX >= 8, "a case nests eight levels deep");
