//! What the bank looks up of a command beside the core, and how it stands in the command.

use super::Group;
use crate::failure::Failure;
use crate::prepare::{DepositSide, Prepared, Side};
use crate::rows;
use crate::vault;
use credit_ledger::RowId;
use credit_types::{ChunkLeaves, Command, Consumption, RecordId, RecordStatus};
use std::collections::BTreeMap;

impl Group<'_> {
    /// Looks up aliases and fingerprints: what the bank asserts of this command.
    pub(super) fn look_up(&mut self, prepared: &mut Prepared) -> Result<(), Failure> {
        let sides = std::mem::take(&mut prepared.sides);
        let mut taken = Vec::with_capacity(sides.len());
        let mut in_chunk = BTreeMap::new();
        for side in &sides {
            taken.push(match side {
                Side::Opening(opening) => {
                    let mut found = Vec::with_capacity(opening.aliases.len());
                    for alias in &opening.aliases {
                        let before = in_chunk.insert(*alias, opening.account_ref).is_some();
                        found.push(before || self.alias_taken(alias)?);
                    }
                    found
                }
                Side::Deposit(deposit) => {
                    let before = in_chunk.insert(deposit.fingerprint, deposit.account_ref).is_some();
                    let superseded = superseded(&prepared.command);
                    vec![before || self.fingerprint_taken(deposit, superseded)?]
                }
                Side::None | Side::Explained(..) | Side::Conversion(_) | Side::Book(_) => Vec::new(),
            });
        }
        prepared.sides = sides;
        assert_looked_up(&mut prepared.command, &taken);
        Ok(())
    }

    fn alias_taken(&self, alias: &[u8; 32]) -> Result<bool, Failure> {
        let key = vault::pseudonym_key(rows::ALIAS, alias);
        Ok(self.aliases.contains_key(alias) || self.shared.store.row(&key)?.is_some())
    }

    fn fingerprint_taken(
        &mut self,
        deposit: &DepositSide,
        superseded: Option<RecordId>,
    ) -> Result<bool, Failure> {
        let holder = if let Some(holder) = self.fingerprints.get(&deposit.fingerprint) {
            holder.clone()
        } else {
            // One outcome has one person, and a person one account.
            let Some(sealed) = self.stored.bytes(deposit.fingerprint_row.0.clone())? else {
                return Ok(false);
            };
            vault::fingerprint_holder(&self.shared.keyring, &deposit.fingerprint, &sealed)?
        };
        if superseded == Some(holder.1) {
            return Ok(false);
        }
        self.load_rows(vec![RowId::Record(holder.0.clone(), holder.1)])?;
        let Some(row) = self.view.record(&holder.0, holder.1) else { return Ok(false) };
        if matches!(row.status, RecordStatus::Valid | RecordStatus::Suspended) {
            return Ok(true);
        }
        // What was used stays used: an issuer does not make it new by revoking it and depositing it again.
        let (name, account) = (row.name(), row.facts.account_ref);
        self.load_rows(vec![RowId::Uses(account)])?;
        let mut uses = self.view.uses(account).into_iter().flat_map(|row| &row.uses);
        Ok(uses.any(|earlier| {
            (earlier.record == name || earlier.source == name) && earlier.consumption != Consumption::None
        }))
    }
}

/// The record that a command supersedes: its fingerprint may come again.
fn superseded(command: &Command) -> Option<RecordId> {
    match command {
        Command::CorrectRecord(statement, _) => Some(statement.body.supersedes),
        Command::CreateLedger(_)
        | Command::StartServer(_)
        | Command::AdmitInstitution(_)
        | Command::PublishFramework(_)
        | Command::AddKey(_)
        | Command::RetireKey(_)
        | Command::ReportKeyCompromise(_)
        | Command::OpenAccount(..)
        | Command::ChangeAccountStatus(_)
        | Command::DepositRecord(..)
        | Command::ChangeRecordStatus(_)
        | Command::OpenBatch(_)
        | Command::UpgradeProtocol(_)
        | Command::PublishRuleBook(..)
        | Command::ChangeRuleBook(_)
        | Command::GiveAutoApproval(_)
        | Command::RequestConversion(..)
        | Command::DecideConversion(_)
        | Command::StepConversion(_)
        | Command::ReverseAward(_)
        | Command::SubmitChunk(_)
        | Command::CloseBatch(_) => None,
    }
}

/// Writes what was found into the command: per statement or leaf, whether each alias or the fingerprint is taken.
fn assert_looked_up(command: &mut Command, taken: &[Vec<bool>]) {
    let first = || taken.first().into_iter().flatten().copied();
    match command {
        Command::OpenAccount(_, draw) => {
            draw.aliases.iter_mut().zip(first()).for_each(|(alias, taken)| alias.taken = taken);
        }
        Command::DepositRecord(_, check) | Command::CorrectRecord(_, check) => {
            check.fingerprint_taken = first().any(|taken| taken);
        }
        Command::SubmitChunk(chunk) => match &mut chunk.leaves {
            ChunkLeaves::Records(leaves) => leaves
                .iter_mut()
                .zip(taken)
                .for_each(|(leaf, taken)| leaf.check.fingerprint_taken = taken.contains(&true)),
            ChunkLeaves::Openings(leaves) => leaves.iter_mut().zip(taken).for_each(|(leaf, taken)| {
                leaf.check.aliases.iter_mut().zip(taken).for_each(|(alias, taken)| alias.taken = *taken);
            }),
        },
        Command::CreateLedger(_)
        | Command::StartServer(_)
        | Command::AdmitInstitution(_)
        | Command::PublishFramework(_)
        | Command::AddKey(_)
        | Command::RetireKey(_)
        | Command::ReportKeyCompromise(_)
        | Command::ChangeAccountStatus(_)
        | Command::ChangeRecordStatus(_)
        | Command::UpgradeProtocol(_)
        | Command::PublishRuleBook(..)
        | Command::ChangeRuleBook(_)
        | Command::GiveAutoApproval(_)
        | Command::RequestConversion(..)
        | Command::DecideConversion(_)
        | Command::StepConversion(_)
        | Command::ReverseAward(_)
        | Command::OpenBatch(_)
        | Command::CloseBatch(_) => {}
    }
}
