//! Entry to index rows. The writer and a rebuild go through the same functions, so that their rows are the same bytes.

use crate::failure::Failure;
use crate::rows;
use credit_ledger::{CommandKey, View};
use credit_proto::entry::DecodedParts;
use credit_store::RowChange;
use credit_types::{ApplicationStatus, Event, Granted, Link};

/// Rows of an entry that the core does not keep: its place in each subject's chain, new records under their
/// accounts and applications under the institutions that are asked. The view has the rows after the entry.
pub(crate) fn listing_rows(index: u64, links: &[Link], events: &[Event], view: &View) -> Vec<RowChange> {
    let chains = links.iter().map(|link| RowChange::Put {
        key: rows::chain_key(&link.subject, link.sequence),
        value: index.to_be_bytes().to_vec(),
    });
    let listed = |key: Vec<u8>| RowChange::Put { key, value: Vec::new() };
    let records = events.iter().flat_map(|event| match event {
        Event::RecordDeposited { facts, issuer, .. } => {
            vec![listed(rows::listing_key(facts.account_ref, facts.record_id, issuer))]
        }
        Event::ConversionRequested { statement, .. } => {
            vec![listed(rows::asked_key(&statement.body.institution_id, index))]
        }
        Event::ConversionChanged(change) => match view.application(change.application) {
            // What is taken back was listed when it was granted.
            Some(row)
                if matches!(change.status, ApplicationStatus::Posted | ApplicationStatus::Provisional) =>
            {
                let institution = &row.request.institution_id;
                let key =
                    |granted: &Granted| rows::listing_key(change.account_ref, granted.record_id, institution);
                change.granted.iter().map(|granted| listed(key(granted))).collect()
            }
            Some(_) | None => Vec::new(),
        },
        Event::LedgerCreated(_)
        | Event::ServerStarted(_)
        | Event::InstitutionAdmitted(_)
        | Event::FrameworkPublished(_)
        | Event::KeyAdded(_)
        | Event::KeyRetired { .. }
        | Event::KeyCompromised { .. }
        | Event::AccountOpened { .. }
        | Event::AccountStatusChanged { .. }
        | Event::RecordStatusChanged { .. }
        | Event::ProtocolUpgraded(_)
        | Event::RuleBookPublished(_)
        | Event::RuleBookChanged(_)
        | Event::AutoApprovalGiven { .. }
        | Event::BatchOpened(_)
        | Event::BatchChunk { .. }
        | Event::BatchClosed { .. } => Vec::new(),
    });
    chains.chain(records).collect()
}

/// The rows that the core has changed in a view since this was last asked.
pub(crate) fn changed_rows(view: &mut View) -> Result<Vec<RowChange>, Failure> {
    let mut changes = Vec::new();
    for id in view.take_changed() {
        let Some(key) = rows::key(&id) else { continue };
        changes.push(match view.get(&id) {
            Some(row) => RowChange::Put { key, value: rows::encode(row)? },
            None => RowChange::Delete { key },
        });
    }
    Ok(changes)
}

/// The key under which an entry's command is remembered.
pub(crate) fn command_key(parts: &DecodedParts, events: &[Event]) -> CommandKey {
    let chunk = events.iter().find_map(|event| match event {
        Event::BatchChunk { chunk, .. } => Some(*chunk),
        Event::LedgerCreated(_)
        | Event::ServerStarted(_)
        | Event::InstitutionAdmitted(_)
        | Event::FrameworkPublished(_)
        | Event::KeyAdded(_)
        | Event::KeyRetired { .. }
        | Event::KeyCompromised { .. }
        | Event::AccountOpened { .. }
        | Event::AccountStatusChanged { .. }
        | Event::RecordDeposited { .. }
        | Event::RecordStatusChanged { .. }
        | Event::ProtocolUpgraded(_)
        | Event::RuleBookPublished(_)
        | Event::RuleBookChanged(_)
        | Event::AutoApprovalGiven { .. }
        | Event::ConversionRequested { .. }
        | Event::ConversionChanged(_)
        | Event::BatchOpened(_)
        | Event::BatchClosed { .. } => None,
    });
    CommandKey { signer: parts.head.actor.clone(), command_id: parts.head.command_id, chunk }
}
