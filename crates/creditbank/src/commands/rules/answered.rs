//! A decision under a book: what is asked, and the explanation of what came out.

use super::load::{self, Faults, Loaded};
use super::{Asked, program};
use crate::ending::CommandError;
use crate::language::Phrase;
use credit_rules::explain::{Explanation, explain};
use credit_rules::input::Question;
use credit_rules::limits::BOOK_BYTES_MAX;
use std::path::Path;

/// The explanation of what is asked, if something is.
pub(super) fn answered(
    loaded: &Loaded,
    asked: &Asked,
) -> Result<Result<Option<Explanation>, Faults>, CommandError> {
    let Asked { question, case } = asked;
    let question = match (question, case) {
        (None, None) => return Ok(Ok(None)),
        (Some(path), _) => question_of(path)?,
        (None, Some(id)) => match of_case(loaded, id)? {
            Ok(question) => question,
            Err(faults) => return Ok(Err(faults)),
        },
    };
    let program = program(loaded)?;
    let allocated = program
        .allocate(&question)
        .map_err(|cause| CommandError::usage(Phrase::RulesUnanswerable, &[]).because(cause))?;
    Ok(Ok(Some(explain(&program, loaded.hash(), &question, &allocated))))
}

fn question_of(path: &Path) -> Result<Question, CommandError> {
    let text = load::text(path, BOOK_BYTES_MAX)?;
    if text.len() > BOOK_BYTES_MAX {
        return Err(CommandError::usage(Phrase::FileTooLong, &[&path.display(), &BOOK_BYTES_MAX]));
    }
    toml::from_str(&text)
        .map_err(|cause| CommandError::usage(Phrase::FileUnusable, &[&path.display()]).because(cause))
}

/// The question of a worked case.
fn of_case(loaded: &Loaded, id: &str) -> Result<Result<Question, Faults>, CommandError> {
    let missing = || CommandError::usage(Phrase::RulesNoSuchCase, &[&id]);
    let cases = match load::cases_beside(loaded)? {
        None => return Err(CommandError::usage(Phrase::RulesCasesMissing, &[&loaded.path.display()])),
        Some(Err(faults)) => return Ok(Err(faults)),
        Some(Ok(file)) => file.cases,
    };
    let case = cases.tests.iter().find(|case| case.id.as_str() == id).ok_or_else(missing)?;
    let convert = case.convert.as_ref().ok_or_else(missing)?;
    cases.question(convert).map(Ok).ok_or_else(missing)
}
