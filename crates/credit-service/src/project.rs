//! Entry to index rows. The writer and a rebuild go through the same functions, so that their rows are the same bytes.

use crate::failure::Failure;
use crate::rows;
use credit_ledger::{CommandKey, View};
use credit_proto::entry::DecodedParts;
use credit_store::RowChange;
use credit_types::{Event, Link};

/// Rows of an entry that the core does not keep: its place in each subject's chain, new accounts in the list of all, and
/// applications under the institutions that are asked.
pub(crate) fn listing_rows(index: u64, links: &[Link], events: &[Event]) -> Vec<RowChange> {
    let chains = links.iter().map(|link| RowChange::Put {
        key: rows::chain_key(&link.subject, link.sequence),
        value: index.to_be_bytes().to_vec(),
    });
    let listed = |key: Vec<u8>| Some(RowChange::Put { key, value: Vec::new() });
    let listed = events.iter().filter_map(|event| match event {
        Event::AccountOpened { account_ref, .. } => listed(rows::account_listing(*account_ref)),
        Event::ConversionRequested { statement, .. } => {
            listed(rows::asked_key(&statement.body.institution_id, index))
        }
        Event::LedgerCreated(_)
        | Event::ServerStarted(_)
        | Event::InstitutionAdmitted(_)
        | Event::FrameworkPublished(_)
        | Event::KeyAdded(_)
        | Event::KeyRetired { .. }
        | Event::KeyCompromised { .. }
        | Event::AccountStatusChanged { .. }
        | Event::RecordDeposited { .. }
        | Event::RecordStatusChanged { .. }
        | Event::ProtocolUpgraded(_)
        | Event::RuleBookPublished(_)
        | Event::RuleBookChanged(_)
        | Event::AutoApprovalGiven { .. }
        | Event::ConversionChanged(_)
        | Event::BatchOpened(_)
        | Event::BatchChunk { .. }
        | Event::BatchClosed { .. } => None,
    });
    chains.chain(listed).collect()
}

/// The rows that the core has changed in a view since this was last asked.
pub(crate) fn changed_rows(view: &mut View) -> Result<Vec<RowChange>, Failure> {
    let mut changes = Vec::new();
    for id in view.take_changed() {
        rows::change(&id, view.get(&id), &mut changes)?;
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
