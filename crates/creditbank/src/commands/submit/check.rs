//! Holds each record against the bounds of the wire before anything is sent: what would be refused for its form is a
//! bad row, and is named like any other.

use super::rows::{RowState, Sheet};
use crate::language::Phrase;
use crate::mapping::DraftRecord;
use credit_proto::{InvalidField, Leaf as _, Secret as _};
use credit_types::{AccountRef, Digest, RecordDetails, RecordFacts, RecordId};

/// Turns rows that could not be sent into bad ones.
pub(super) fn rows(sheet: &mut Sheet) {
    for row in &mut sheet.rows {
        let RowState::Record(id, draft) = &row.state else { continue };
        if let Err(InvalidField { reason: _, field, problem }) = sendable(*id, draft) {
            row.state = RowState::Unsendable(Phrase::RowUnsendable.with(&[&field, &problem]));
        }
    }
}

/// The account and the commitment are not known yet; they have one length whatever they are.
fn sendable(id: RecordId, draft: &DraftRecord) -> Result<(), InvalidField> {
    RecordDetails::from_payload(&draft.details.payload())?;
    let facts = draft.facts(id, AccountRef([1; 16]), Digest([1; 32]));
    RecordFacts::leaf(&facts.leaf_payload()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_would_be_refused_for_its_form_is_bad() {
        let mut sheet = super::super::rows::tests::semester();
        let before = sheet.counts();
        rows(&mut sheet);
        assert_eq!(sheet.counts(), before);
        // An e and an accent of its own are not in NFC.
        for row in &mut sheet.rows {
            if let RowState::Record(_, draft) = &mut row.state {
                draft.details.title.zh = "cafe\u{301}".to_owned();
                break;
            }
        }
        rows(&mut sheet);
        assert_eq!(sheet.counts().bad, before.bad.saturating_add(1));
        let unsendable = sheet
            .rows
            .iter()
            .find_map(|row| if let RowState::Unsendable(text) = &row.state { Some(text) } else { None });
        assert!(unsendable.unwrap().en.contains("title"));
    }
}
