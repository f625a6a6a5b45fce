//! What became of each row, and which rows are still to be sent.

use super::results::{RowResult, RowStatus};
use super::rows::{RowState, Sheet, bad_text};
use crate::language::Phrase;
use crate::mapping::DraftRecord;
use credit_client::{NewRecord, Refusal};
use credit_types::{AccountRef, Reason, RecordId, Text};
use std::collections::BTreeMap;

/// The reason of a row whose learner has no account.
pub(super) const NO_ACCOUNT: &str = "ACCOUNT_UNKNOWN";
/// The reason of a row that says something else than the record made of it.
pub(super) const ROW_CHANGED: &str = "ROW_CHANGED";
/// The reason of a row with the key of another.
const ROW_REPEATED: &str = "ROW_REPEATED";

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is in the ledger now, in this entry.
    Accepted(u64),
    /// It was in the ledger before; in this entry, where that is known.
    Already(Option<u64>),
    /// The ledger refused it.
    Refused(Refusal),
    /// Its learner has no account.
    NoAccount,
    /// The row says something else than the record that was made of it, in this entry.
    Changed(u64),
}

/// Outcomes by record.
pub(super) type Outcomes = BTreeMap<RecordId, Outcome>;

/// What a refusal makes of a record: one that is there already is no failure.
pub(super) fn of_refusal(refusal: Refusal) -> Outcome {
    match refusal.known() {
        Some(Reason::RecordExists) => Outcome::Already(refusal.index),
        _ => Outcome::Refused(refusal),
    }
}

/// The rows without an outcome, as records to be sent; those of learners without an account get theirs here.
pub(super) fn unsent(
    sheet: &Sheet,
    accounts: &BTreeMap<String, AccountRef>,
    outcomes: &mut Outcomes,
) -> Vec<NewRecord> {
    let mut records = Vec::new();
    for row in &sheet.rows {
        let RowState::Record(id, draft) = &row.state else { continue };
        if outcomes.contains_key(id) {
            continue;
        }
        match accounts.get(&draft.learner_number) {
            Some(account) => records.push(record(*id, *account, draft)),
            None => {
                outcomes.insert(*id, Outcome::NoAccount);
            }
        }
    }
    records
}

fn record(record_id: RecordId, account_ref: AccountRef, draft: &DraftRecord) -> NewRecord {
    NewRecord {
        account_ref,
        record_id,
        kind: draft.kind,
        amount: draft.amount.clone(),
        minutes: draft.minutes,
        level: draft.level.clone(),
        subject_code: draft.subject_code.clone(),
        occupation_code: draft.occupation_code.clone(),
        awarded_on: draft.awarded_on,
        valid_until: draft.valid_until,
        credit_eligible: draft.credit_eligible,
        details: draft.details.clone(),
    }
}

/// One result a row, in the rows' order; records without an outcome have none.
pub(super) fn rows(sheet: &Sheet, outcomes: &Outcomes) -> Vec<RowResult> {
    let result = |line, status, reason: &str, message| RowResult {
        line,
        status,
        reason: reason.to_owned(),
        message,
        record_id: None,
        entry_index: None,
    };
    let of_row = |row: &super::rows::SheetRow| match &row.state {
        RowState::NotCredit(reason) => {
            let message = sheet.reasons.get(reason).cloned().unwrap_or_default();
            Some(result(row.line, RowStatus::NotCredit, reason, message))
        }
        RowState::Bad(bad) => Some(result(row.line, RowStatus::Bad, bad.problem.code(), bad_text(bad))),
        RowState::Unsendable(text) => {
            Some(result(row.line, RowStatus::Bad, Reason::FieldInvalid.name(), text.clone()))
        }
        RowState::Repeated(first) => {
            Some(result(row.line, RowStatus::Bad, ROW_REPEATED, Phrase::RowRepeated.with(&[first])))
        }
        RowState::Record(id, draft) => {
            let (status, reason, message, entry_index) = of_outcome(outcomes.get(id)?, draft);
            let base = result(row.line, status, &reason, message);
            Some(RowResult { record_id: Some(*id), entry_index, ..base })
        }
    };
    sheet.rows.iter().filter_map(of_row).collect()
}

fn of_outcome(outcome: &Outcome, draft: &DraftRecord) -> (RowStatus, String, Text, Option<u64>) {
    match outcome {
        Outcome::Accepted(index) => (RowStatus::Accepted, String::new(), Text::default(), Some(*index)),
        Outcome::Already(index) => {
            let reason = Reason::RecordExists.name().to_owned();
            (RowStatus::Already, reason, Phrase::RowAlready.text(), *index)
        }
        Outcome::Refused(refusal) => {
            let message = crate::ending::client::refused(refusal);
            (RowStatus::Refused, refusal.reason.clone(), message, refusal.index)
        }
        Outcome::NoAccount => {
            let message = Phrase::RowNoAccount.with(&[&draft.learner_number]);
            (RowStatus::Refused, NO_ACCOUNT.to_owned(), message, None)
        }
        Outcome::Changed(index) => {
            (RowStatus::Refused, ROW_CHANGED.to_owned(), Phrase::RowChanged.with(&[index]), Some(*index))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(reason: &str, index: Option<u64>) -> Refusal {
        Refusal { reason: reason.to_owned(), message: "words".to_owned(), field: None, index }
    }

    #[test]
    fn a_record_that_is_there_already_is_no_failure() {
        assert_eq!(of_refusal(refusal("RECORD_EXISTS", Some(7))), Outcome::Already(Some(7)));
        let other = refusal("OUTCOME_EXISTS", Some(7));
        assert_eq!(of_refusal(other.clone()), Outcome::Refused(other));
        let unknown = refusal("OF_A_LATER_VERSION", None);
        assert_eq!(of_refusal(unknown.clone()), Outcome::Refused(unknown));
    }

    #[test]
    fn a_row_is_sent_once_and_only_for_a_learner_with_an_account() {
        let sheet = super::super::rows::tests::semester();
        let learners: Vec<String> = sheet.learners().into_iter().map(str::to_owned).collect();
        let accounts: BTreeMap<String, AccountRef> =
            learners.iter().skip(1).map(|number| (number.clone(), AccountRef([1; 16]))).collect();
        let mut outcomes = Outcomes::new();
        let records = unsent(&sheet, &accounts, &mut outcomes);
        let total = usize::try_from(sheet.counts().records).unwrap();
        assert_eq!(records.len().saturating_add(outcomes.len()), total);
        assert!(!outcomes.is_empty() && outcomes.values().all(|outcome| *outcome == Outcome::NoAccount));
        for record in &records {
            outcomes.insert(record.record_id, Outcome::Accepted(9));
        }
        assert!(unsent(&sheet, &accounts, &mut outcomes).is_empty());
        let results = rows(&sheet, &outcomes);
        assert_eq!(results.len(), sheet.rows.len());
        let accepted = results.iter().filter(|row| row.status == RowStatus::Accepted);
        assert!(accepted.clone().all(|row| row.entry_index == Some(9) && row.record_id.is_some()));
        assert_eq!(accepted.count(), records.len());
        let without = results.iter().find(|row| row.status == RowStatus::Refused).unwrap();
        assert_eq!(without.reason, NO_ACCOUNT);
        assert!(without.message.en.contains(&learners[0]) && without.message.zh.contains(&learners[0]));
    }
}
