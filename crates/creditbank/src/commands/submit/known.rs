//! Which records the ledger holds already, so that a file imported twice is not sent twice.

use super::outcome::{Outcome, Outcomes};
use super::rows::{RowState, Sheet};
use crate::ending::CommandError;
use crate::language::Phrase;
use crate::mapping::DraftRecord;
use crate::output::Output;
use credit_client::{Client, ClientError, RecordView};
use credit_types::{InstitutionId, Reason, RecordId};
use futures_util::{StreamExt as _, TryStreamExt as _};

/// Questions asked at once.
const AT_ONCE: usize = 32;
/// Records of a first look: if none of them is there, none is asked about before sending.
const FIRST_LOOK: usize = 64;

/// Corrections of one record that are followed to the newest; a row that still differs then is said to be changed.
const CORRECTIONS_MAX: usize = 64;

/// Asks the ledger for records.
pub(super) struct Known<'a> {
    /// The way to the terminal.
    pub(super) output: Output,
    /// A client that reads as the issuer.
    pub(super) issuer: &'a Client,
    /// The issuer.
    pub(super) id: &'a InstitutionId,
}

impl Known<'_> {
    /// Finds rows that are records already. Looks at a few first: a refused batch is in the log for ever, and asking
    /// about each row of a first import is for nothing.
    pub(super) async fn before_sending(
        &self,
        sheet: &Sheet,
        all: bool,
        outcomes: &mut Outcomes,
    ) -> Result<(), CommandError> {
        let rows: Vec<(RecordId, &DraftRecord)> = sheet
            .rows
            .iter()
            .filter_map(|row| match &row.state {
                RowState::Record(id, draft) if !outcomes.contains_key(id) => Some((*id, draft.as_ref())),
                RowState::Record(..)
                | RowState::NotCredit(_)
                | RowState::Bad(_)
                | RowState::Unsendable(_)
                | RowState::Repeated(_) => None,
            })
            .collect();
        let step = rows.len().div_ceil(FIRST_LOOK).max(1);
        let few: Vec<_> = rows.iter().step_by(step).copied().collect();
        if all || self.look(&few, outcomes).await? > 0 {
            self.look(&rows, outcomes).await?;
        }
        Ok(())
    }

    /// Finds the entries of rows of which sending only said that they are records already.
    pub(super) async fn after_sending(
        &self,
        sheet: &Sheet,
        outcomes: &mut Outcomes,
    ) -> Result<(), CommandError> {
        let rows: Vec<(RecordId, &DraftRecord)> = sheet
            .rows
            .iter()
            .filter_map(|row| match &row.state {
                RowState::Record(id, draft) => Some((*id, draft.as_ref())),
                RowState::NotCredit(_)
                | RowState::Bad(_)
                | RowState::Unsendable(_)
                | RowState::Repeated(_) => None,
            })
            .filter(|(id, _)| matches!(outcomes.get(id), Some(Outcome::Already(_))))
            .collect();
        self.look(&rows, outcomes).await.map(|_| ())
    }

    /// The record that a row became, or the last correction of it; `None` where it is no record yet.
    async fn newest(&self, id: RecordId) -> Result<Option<RecordView>, ClientError> {
        let mut view = match self.issuer.get_record(self.id, id).await {
            Ok(view) => view,
            Err(error) if error.is_refused_for(Reason::RecordUnknown) => return Ok(None),
            Err(error) => return Err(error),
        };
        for _ in 0..CORRECTIONS_MAX {
            let Some(corrected) = view.superseded_by else { break };
            view = self.issuer.get_record(self.id, corrected).await?;
        }
        Ok(Some(view))
    }

    /// Asks about rows, and says how many are records already.
    async fn look(
        &self,
        rows: &[(RecordId, &DraftRecord)],
        outcomes: &mut Outcomes,
    ) -> Result<usize, CommandError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let bar = self.output.progress(Phrase::ProgressLook, total);
        let questions = rows.iter().map(|(id, _)| async {
            let found = self.newest(*id).await;
            bar.inc(1);
            found
        });
        let answers = futures_util::stream::iter(questions).buffered(AT_ONCE);
        let views: Vec<Option<RecordView>> = answers.try_collect().await?;
        bar.finish_and_clear();
        let mut found = 0usize;
        for ((id, draft), view) in rows.iter().zip(views) {
            let Some(view) = view else { continue };
            found = found.saturating_add(1);
            let outcome = if same(draft, &view) {
                Outcome::Already(Some(view.index))
            } else {
                Outcome::Changed(view.index)
            };
            outcomes.insert(*id, outcome);
        }
        Ok(found)
    }
}

/// Whether a record says what the row says; its id (that of a row or of a correction), the account and the salted
/// commitment are the record's own.
fn same(draft: &DraftRecord, view: &RecordView) -> bool {
    let facts = draft.facts(view.facts.record_id, view.facts.account_ref, view.facts.details_commitment);
    facts == view.facts && view.details.as_ref().is_none_or(|details| *details == draft.details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{AccountRef, Bucket, Digest, RecordStatus};

    #[test]
    fn a_row_that_was_changed_since_its_import_is_noticed() {
        let sheet = super::super::rows::tests::semester();
        let (id, draft) = sheet
            .rows
            .iter()
            .find_map(
                |row| if let RowState::Record(id, draft) = &row.state { Some((*id, draft)) } else { None },
            )
            .unwrap();
        let mut view = RecordView {
            facts: draft.facts(id, AccountRef([5; 16]), Digest([6; 32])),
            issuer_id: InstitutionId::new("cn.x").unwrap(),
            status: RecordStatus::Valid,
            bucket: Bucket::Available,
            index: 4,
            last_status_entry: Digest([7; 32]),
            superseded_by: None,
            details: Some(draft.details.clone()),
        };
        assert!(same(draft, &view));
        view.details = None;
        assert!(same(draft, &view));
        let mut changed = draft.clone();
        changed.details.score_milli = Some(1);
        assert!(same(&changed, &view));
        view.details = Some(draft.details.clone());
        assert!(!same(&changed, &view));
        view.facts.credit_eligible = !view.facts.credit_eligible;
        assert!(!same(draft, &view));
    }
}
