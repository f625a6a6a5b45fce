//! The chains of an entry: one link per subject that its events name.

use crate::view::View;
use credit_types::{Event, Link, Subject};
use std::collections::BTreeMap;

/// The numbers of the events about each subject, ascending by (kind, id bytes).
pub(crate) fn subjects(events: &[Event]) -> BTreeMap<Subject, Vec<u32>> {
    let mut subjects: BTreeMap<Subject, Vec<u32>> = BTreeMap::new();
    for (number, event) in (0u32..).zip(events) {
        if let Some(subject) = event.subject() {
            subjects.entry(subject).or_default().push(number);
        }
    }
    subjects
}

/// The links of an entry with these events, before it is evolved: ascending by (kind, id bytes).
pub fn links(view: &View, events: &[Event]) -> Vec<Link> {
    subjects(events)
        .into_iter()
        .map(|(subject, events)| {
            let last = view.subject(&subject);
            let previous = last.and_then(|last| view.leaf(last.last_index));
            assert_eq!(
                last.is_some(),
                previous.is_some(),
                "the entry of a subject's last link is in the log"
            );
            let sequence = last.map_or(0, |last| last.sequence).saturating_add(1);
            Link { subject, sequence, previous, events }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Row, RowId, SubjectRow};
    use credit_types::{
        AccountRef, Digest, InstitutionId, KeyRetirement, Kid, RecordId, RecordStatus, Signed, SignerId,
    };
    use credit_types::{CommandId, Header};

    fn revoked(account: u8) -> Event {
        Event::RecordStatusChanged {
            account_ref: AccountRef([account; 16]),
            issuer: InstitutionId::new("cn.x").unwrap(),
            record_id: RecordId([1; 16]),
            status: RecordStatus::Revoked,
            superseded_by: None,
            kid: Kid([1; 32]),
            postings: Vec::new(),
        }
    }

    fn retired() -> Event {
        let id = InstitutionId::new("cn.x").unwrap();
        let signer = SignerId::Institution(id.clone());
        let header = Header { log_id: None, statement_id: CommandId([1; 16]), signer, anchor: None };
        let body = KeyRetirement { after: Digest([0; 32]), kid: Kid([1; 32]) };
        Event::KeyRetired { institution_id: id, statement: Signed { header, body, signers: Vec::new() } }
    }

    #[test]
    fn links_ascend_by_subject_and_go_on_where_the_chain_ended() {
        let events = [retired(), revoked(9), revoked(2), revoked(9)];
        let institution = Subject::Institution(InstitutionId::new("cn.x").unwrap());
        let account = |n| Subject::Account(AccountRef([n; 16]));
        let mut view = View::new();
        view.insert(RowId::Subject(account(2)), None);
        let last = SubjectRow { sequence: 4, last_index: 7 };
        view.insert(RowId::Subject(account(9)), Some(Row::Subject(last)));
        view.insert(RowId::Leaf(7), Some(Row::Leaf(Digest([7; 32]))));
        view.insert(RowId::Subject(institution.clone()), None);
        let link = |subject, sequence, previous, events| Link { subject, sequence, previous, events };
        let expected = vec![
            link(account(2), 1, None, vec![2]),
            link(account(9), 5, Some(Digest([7; 32])), vec![1, 3]),
            link(institution, 1, None, vec![0]),
        ];
        assert_eq!(links(&view, &events), expected);
    }
}
