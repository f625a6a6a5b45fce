//! Statements that their signers have handed to the monitor: each must be in the log in time.
//!
//! What is in the log is proved: by the receipt of its entry, or by the entries themselves. That something is *not* there
//! is the word of the service, and an alarm, not a proof.

use super::super::Context;
use super::super::verify::receipt::bounded;
use super::alarm::Found;
use super::service::ServiceTrouble;
use super::state::{Handed, State};
use crate::ending::{CommandError, unreadable};
use crate::language::Phrase;
use credit_client::{Client, ClientError, RuleBookVersion, Trust};
use credit_log::envelope::PublicKey;
use credit_proto::entry::{StatementPart, decode_parts};
use credit_proto::{Envelope, Reading, Stage, Statement, payload_type, read_statement};
use credit_types::{BookVersion, LogId, RuleBookAction};
use credit_verify::expects_statement;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most files of statements that are looked after.
pub(crate) const STATEMENT_FILES_MAX: usize = 256;
/// The most bytes of a statement's file: the largest envelope as hexadecimal text, with room for line breaks.
pub(crate) const STATEMENT_FILE_BYTES_MAX: u64 = 192 << 10;
/// Entries asked for at once.
const PAGE: u32 = 1_000;

/// A statement that was handed over.
struct Given {
    name: String,
    id: String,
    envelope: Envelope,
    statement: Statement,
}

/// The folder of statements.
pub(super) struct Statements {
    folder: PathBuf,
    within_us: i64,
    /// Files that were said to be no statements.
    said: BTreeSet<String>,
}

/// With whom the log is looked through.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    /// The service.
    pub(super) client: &'a Client,
    /// Whether it shows the parts of every entry.
    pub(super) as_auditor: bool,
    /// The head that was checked last.
    pub(super) size: u64,
    /// The present, in microseconds UTC.
    pub(super) now_us: i64,
}

impl Statements {
    /// The statements of a folder, which must be in the log within so many seconds.
    pub(super) fn new(folder: &Path, within_s: u64) -> Self {
        let within_us = i64::try_from(within_s).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        Self { folder: folder.to_path_buf(), within_us, said: BTreeSet::new() }
    }

    /// Looks for every statement that is not known to be in the log, and gives those that are late.
    pub(super) async fn look(
        &mut self,
        context: &Context,
        trust: &Trust,
        state: &mut State,
        asking: Asking<'_>,
    ) -> Result<Vec<Found>, ServiceTrouble> {
        let given = self.given(context, trust.log_id, asking.as_auditor)?;
        let handed = |given: &Given| {
            let known = state.statements.get(&given.id).copied();
            known.unwrap_or(Handed { since_us: asking.now_us, index: None, looked_to: 0 })
        };
        let mut statements: BTreeMap<String, Handed> =
            given.iter().map(|given| (given.id.clone(), handed(given))).collect();
        let open: Vec<&Given> = given
            .iter()
            .filter(|given| statements.get(&given.id).is_some_and(|at| at.index.is_none()))
            .collect();
        if asking.as_auditor {
            look_through(&open, &mut statements, asking).await?;
        } else {
            for given in open {
                let index = in_registry(asking.client, given).await?;
                if let Some(handed) = statements.get_mut(&given.id) {
                    handed.index = index;
                }
            }
        }
        let late =
            given.iter().filter_map(|given| self.late(given, statements.get(&given.id)?, asking)).collect();
        state.statements = statements;
        Ok(late)
    }

    fn late(&self, given: &Given, handed: &Handed, asking: Asking<'_>) -> Option<Found> {
        let age_us = asking.now_us.saturating_sub(handed.since_us);
        if handed.index.is_some() || age_us < self.within_us {
            return None;
        }
        let kind = payload_type::short_name(&given.envelope.payload_type).unwrap_or_default();
        Some(Found::withheld(&given.name, &given.id, kind, asking.size, age_us / 1_000_000))
    }

    /// The statements in the folder. A file that is none, or half written, is said once and passed over.
    fn given(
        &mut self,
        context: &Context,
        log_id: LogId,
        as_auditor: bool,
    ) -> Result<Vec<Given>, CommandError> {
        let mut paths = Vec::new();
        for item in self.folder.read_dir().map_err(unreadable(&self.folder))? {
            let path = item.map_err(unreadable(&self.folder))?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if path.is_file() && !hidden {
                paths.push(path);
            }
        }
        if paths.len() > STATEMENT_FILES_MAX {
            let (folder, most) = (self.folder.display(), STATEMENT_FILES_MAX);
            return Err(CommandError::usage(Phrase::StatementsTooMany, &[&folder, &most]));
        }
        paths.sort();
        let mut given: Vec<Given> = Vec::new();
        for path in paths {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let read = read(&path, &name, log_id)?;
            match read {
                Some(one) if as_auditor || is_public(&one.statement) => {
                    if given.iter().all(|other| other.id != one.id) {
                        given.push(one);
                    }
                }
                Some(_) if self.said.insert(name.clone()) => {
                    context.output.note(Phrase::StatementNeedsToken, &[&path.display()]);
                }
                None if self.said.insert(name.clone()) => {
                    context.output.note(Phrase::NotAStatement, &[&path.display()]);
                }
                Some(_) | None => {}
            }
        }
        Ok(given)
    }
}

/// Reads a file; `None` where it holds no statement of this log.
fn read(path: &Path, name: &str, log_id: LogId) -> Result<Option<Given>, CommandError> {
    let bytes = bounded(path, STATEMENT_FILE_BYTES_MAX)?;
    let Ok(envelope) = Envelope::decode(&bytes) else { return Ok(None) };
    let Some(statement) = statement_of(&envelope) else { return Ok(None) };
    if statement.header().log_id != Some(log_id) {
        return Ok(None);
    }
    let id = statement.header().statement_id.to_string();
    Ok(Some(Given { name: name.to_owned(), id, envelope, statement }))
}

/// Whether everybody may see the entry of such a statement: it is about no account.
fn is_public(statement: &Statement) -> bool {
    match statement {
        Statement::AdmitInstitution(..)
        | Statement::PublishFramework(..)
        | Statement::AddKey(..)
        | Statement::RetireKey(..)
        | Statement::ReportKeyCompromise(..)
        | Statement::PublishRuleBook(..)
        | Statement::ChangeRuleBook(..) => true,
        Statement::Genesis(..)
        | Statement::OpenAccount(..)
        | Statement::ChangeAccountStatus(..)
        | Statement::DepositRecord(..)
        | Statement::CorrectRecord(..)
        | Statement::ChangeRecordStatus(..)
        | Statement::OpenBatch(..)
        | Statement::CloseBatch(..)
        | Statement::StartServer(..)
        // No registry says where these stand, so that it takes the whole log to find them.
        | Statement::UpgradeProtocol(..)
        | Statement::GiveAutoApproval(..)
        | Statement::RequestConversion(..)
        | Statement::DecideConversion(..)
        | Statement::StepConversion(..)
        | Statement::ReverseAward(..) => false,
    }
}

/// The entry that records a statement about the registry, proved by its receipt. The registry says where to look.
async fn in_registry(client: &Client, given: &Given) -> Result<Option<u64>, ClientError> {
    let told = match &given.statement {
        Statement::AdmitInstitution(_, body) => {
            client.get_institution(&body.institution_id).await.map(|view| Some(view.admitted_index))
        }
        Statement::PublishFramework(_, body) => {
            client.get_framework(&body.framework_id).await.map(|(_, index)| Some(index))
        }
        Statement::AddKey(_, body) => {
            client.get_signing_key(body.key.key.kid).await.map(|key| Some(key.active_from_index))
        }
        Statement::RetireKey(_, body) => {
            client.get_signing_key(body.kid).await.map(|key| key.retired_from_index)
        }
        Statement::ReportKeyCompromise(_, body) => {
            client.get_signing_key(body.kid).await.map(|key| key.compromised_index)
        }
        Statement::PublishRuleBook(_, body) => {
            version_of(client, &body.book).await.map(|version| version.map(|found| found.published_index))
        }
        Statement::ChangeRuleBook(_, body) => version_of(client, &body.book).await.map(|version| {
            version.and_then(|found| match body.action {
                RuleBookAction::Activate => found.activated_index,
                RuleBookAction::Abolish => found.abolished_index,
            })
        }),
        Statement::Genesis(..)
        | Statement::OpenAccount(..)
        | Statement::ChangeAccountStatus(..)
        | Statement::DepositRecord(..)
        | Statement::CorrectRecord(..)
        | Statement::ChangeRecordStatus(..)
        | Statement::OpenBatch(..)
        | Statement::CloseBatch(..)
        | Statement::StartServer(..)
        | Statement::UpgradeProtocol(..)
        | Statement::GiveAutoApproval(..)
        | Statement::RequestConversion(..)
        | Statement::DecideConversion(..)
        | Statement::StepConversion(..)
        | Statement::ReverseAward(..) => Ok(None),
    };
    let index = match told {
        Ok(Some(index)) => index,
        // The registry does not know what the statement is about.
        Ok(None) | Err(ClientError::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (_, verified) = client.get_receipt(index).await?;
    let (kind, payload) = (&given.envelope.payload_type, &given.envelope.payload);
    let same = expects_statement(&verified, kind, payload).is_ok();
    let alike = || {
        let signed = verified.statements.values().filter_map(|part| match part {
            StatementPart::Signed(envelope) => statement_of(envelope),
            StatementPart::Leaf { .. } => None,
        });
        signed.into_iter().any(|logged| does_the_same(&logged, &given.statement))
    };
    Ok((same || alike()).then_some(index))
}

/// What the ledger says of a version of a rule book.
async fn version_of(client: &Client, book: &BookVersion) -> Result<Option<RuleBookVersion>, ClientError> {
    let versions = client.get_rule_book(&book.book_id).await?;
    Ok(versions.into_iter().find(|version| version.publication.book == *book))
}

/// Whether what is logged does to a key what a statement asks for: the registry names the last report of a key only, and
/// a key retires once.
fn does_the_same(logged: &Statement, given: &Statement) -> bool {
    if let (Statement::RetireKey(_, logged), Statement::RetireKey(_, given)) = (logged, given) {
        return logged.kid == given.kid;
    }
    if let (Statement::ReportKeyCompromise(_, logged), Statement::ReportKeyCompromise(_, given)) =
        (logged, given)
    {
        return logged.kid == given.kid && logged.suspect_from_index <= given.suspect_from_index;
    }
    false
}

/// The statement in an envelope, if it can be read.
fn statement_of(envelope: &Envelope) -> Option<Statement> {
    let admit = |bytes: &[u8; 32]| PublicKey::admit(bytes).ok().map(|key| key.kid());
    let reading = Reading { admit, stage: Stage::Replay };
    read_statement(&envelope.payload_type, &envelope.payload, reading).ok()
}

/// Looks through the entries, with their parts, for statements: from where each was anchored, or where an earlier look
/// ended. The auditor's part holds the same entries against the signed head.
async fn look_through(
    open: &[&Given],
    statements: &mut BTreeMap<String, Handed>,
    asking: Asking<'_>,
) -> Result<(), ServiceTrouble> {
    let from = |given: &&Given| {
        let anchored = given.statement.header().anchor.as_ref().map_or(0, |anchor| anchor.size);
        anchored.max(statements.get(&given.id).map_or(0, |handed| handed.looked_to))
    };
    let mut next = open.iter().map(from).min().unwrap_or(asking.size);
    while next < asking.size {
        let left = u32::try_from(asking.size.saturating_sub(next)).unwrap_or(u32::MAX);
        let (page, _) = asking.client.list_entries(next, PAGE.min(left), true).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            // What can't be read records none of these; the auditor's part says what is wrong with it.
            let parts = decode_parts(&entry.parts).map(|parts| parts.statements).unwrap_or_default();
            for part in parts {
                let StatementPart::Signed(logged) = part else { continue };
                let same = |given: &&&Given| {
                    given.envelope.payload_type == logged.payload_type
                        && given.envelope.payload == logged.payload
                };
                if let Some(handed) = open.iter().find(same).and_then(|given| statements.get_mut(&given.id)) {
                    handed.index = Some(next);
                }
            }
            next = next.saturating_add(1);
        }
    }
    for given in open {
        if let Some(handed) = statements.get_mut(&given.id) {
            handed.looked_to = next;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
