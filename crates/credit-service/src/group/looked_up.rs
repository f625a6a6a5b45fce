//! What the bank looks up of a command beside the core, and how it stands in the command.

use credit_types::{ChunkLeaves, Command, RecordId};

/// The record that a command supersedes: its fingerprint may come again.
pub(super) fn superseded(command: &Command) -> Option<RecordId> {
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
pub(super) fn assert_looked_up(command: &mut Command, taken: &[Vec<bool>]) {
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
