//! Which rows a command and its events need. Later rounds ask for what earlier rounds' rows point to.

use crate::links::subjects;
use crate::row::{CommandKey, Row, RowId, sources};
use crate::view::View;
use credit_types::conversion::granted_id;
use credit_types::{
    AccountAction, AccountRef, BatchManifest, BookVersion, ChunkCommand, ChunkLeaves, Command,
    ConversionRequest, Event, Header, InstitutionId, Kid, RecordFacts, RecordName, Signed, SignerId,
};

/// As many rows as most commands and events name; more make the list grow.
const IDS_MOSTLY: usize = 16;

/// The rows that a command still needs, given what the view has. Asked again after each round of loading, until it
/// names none, at most [`READ_ROUNDS_MAX`](credit_types::limits::READ_ROUNDS_MAX) times.
pub fn reads(command: &Command, view: &View) -> Vec<RowId> {
    let mut ids = Vec::with_capacity(IDS_MOSTLY);
    match command {
        Command::CreateLedger(_)
        | Command::StartServer(_)
        | Command::AdmitInstitution(_)
        | Command::PublishFramework(_)
        | Command::AddKey(_)
        | Command::RetireKey(_)
        | Command::ReportKeyCompromise(_) => of_registry(command, view, &mut ids),
        Command::OpenAccount(statement, draw) => {
            of_statement(statement, &mut ids);
            ids.push(RowId::Account(draw.account_ref));
        }
        Command::ChangeAccountStatus(statement) => {
            of_statement(statement, &mut ids);
            let id = RowId::Account(statement.body.account_ref);
            if let Some(Row::Account(row)) = view.get(&id) {
                ids.push(RowId::Leaf(row.last_status_index));
            }
            ids.push(id);
            let id = RowId::Uses(statement.body.account_ref);
            if let Some(Row::Uses(row)) = view.get(&id)
                && statement.body.action == AccountAction::Close
            {
                ids.extend(row.held.iter().map(|held| RowId::Application(held.application)));
            }
            ids.push(id);
        }
        Command::DepositRecord(statement, _) => {
            of_statement(statement, &mut ids);
            if let Some(issuer) = statement.header.signer.institution() {
                of_facts(issuer, &statement.body, &mut ids);
            }
        }
        Command::CorrectRecord(statement, _) => {
            of_statement(statement, &mut ids);
            if let Some(issuer) = statement.header.signer.institution() {
                of_facts(issuer, &statement.body.facts, &mut ids);
                of_record(RowId::Record(issuer.clone(), statement.body.supersedes), view, &mut ids);
            }
        }
        Command::ChangeRecordStatus(statement) => {
            of_statement(statement, &mut ids);
            let body = &statement.body;
            of_record(RowId::Record(body.issuer_id.clone(), body.record_id), view, &mut ids);
        }
        Command::OpenBatch(statement) => of_manifest(statement, &mut ids),
        Command::SubmitChunk(chunk) => of_chunk(chunk, view, &mut ids),
        Command::CloseBatch(statement) => {
            of_statement(statement, &mut ids);
            ids.push(RowId::Batch(statement.body.manifest_index));
        }
        Command::UpgradeProtocol(_)
        | Command::PublishRuleBook(..)
        | Command::ChangeRuleBook(_)
        | Command::GiveAutoApproval(_)
        | Command::RequestConversion(..)
        | Command::DecideConversion(_)
        | Command::StepConversion(_)
        | Command::ReverseAward(_) => of_protocol_2(command, view, &mut ids),
    }
    missing(ids, view)
}

/// The same for the commands about the log, institutions, keys and frameworks, and none else.
fn of_registry(command: &Command, view: &View, ids: &mut Vec<RowId>) {
    match command {
        Command::CreateLedger(statement) => {
            ids.push(RowId::Log);
            ids.extend(statement.header.signer.institution().cloned().map(RowId::Institution));
        }
        Command::StartServer(statement) => of_statement(statement, ids),
        Command::AdmitInstitution(statement) => {
            of_statement(statement, ids);
            ids.push(RowId::Institution(statement.body.institution_id.clone()));
            ids.extend(statement.body.parent_id.clone().map(RowId::Institution));
            ids.extend(statement.body.keys.iter().map(|key| RowId::Key(key.key.kid)));
        }
        Command::PublishFramework(statement) => {
            of_statement(statement, ids);
            ids.push(RowId::Framework(statement.body.framework_id.clone()));
            ids.push(RowId::Book(statement.body.framework_id.clone()));
            ids.extend(statement.body.schemes.iter().map(|scheme| RowId::Scheme(scheme.scheme_id.clone())));
        }
        Command::AddKey(statement) => {
            of_statement(statement, ids);
            ids.push(RowId::Institution(statement.body.institution_id.clone()));
            ids.push(RowId::Key(statement.body.key.key.kid));
        }
        Command::RetireKey(statement) => {
            of_statement(statement, ids);
            of_key(statement.body.kid, view, ids);
        }
        Command::ReportKeyCompromise(statement) => {
            of_statement(statement, ids);
            ids.push(RowId::Key(statement.body.kid));
            // The head whose last entry is the one that the suspect range begins with: it has that entry's time.
            ids.extend(statement.body.suspect_from_index.checked_add(1).map(RowId::Head));
        }
        Command::OpenAccount(..)
        | Command::ChangeAccountStatus(_)
        | Command::DepositRecord(..)
        | Command::CorrectRecord(..)
        | Command::ChangeRecordStatus(_)
        | Command::OpenBatch(_)
        | Command::SubmitChunk(_)
        | Command::CloseBatch(_)
        | Command::UpgradeProtocol(_)
        | Command::PublishRuleBook(..)
        | Command::ChangeRuleBook(_)
        | Command::GiveAutoApproval(_)
        | Command::RequestConversion(..)
        | Command::DecideConversion(_)
        | Command::StepConversion(_)
        | Command::ReverseAward(_) => {}
    }
}

/// The same for the commands that protocol 2 has brought, and none else.
fn of_protocol_2(command: &Command, view: &View, ids: &mut Vec<RowId>) {
    match command {
        Command::UpgradeProtocol(statement) => of_statement(statement, ids),
        Command::PublishRuleBook(statement, _) => {
            of_statement(statement, ids);
            ids.push(RowId::Framework(statement.body.book.book_id.clone()));
            ids.push(RowId::Book(statement.body.book.book_id.clone()));
        }
        Command::ChangeRuleBook(statement) => {
            of_statement(statement, ids);
            of_book(&statement.body.book, view, ids);
        }
        Command::GiveAutoApproval(statement) => {
            of_statement(statement, ids);
            of_book(&statement.body.book, view, ids);
            ids.extend(statement.header.signer.institution().cloned().map(RowId::AutoApprovals));
        }
        Command::RequestConversion(statement, assessment) => {
            of_statement(statement, ids);
            of_request(&statement.body, view, ids);
            ids.extend(assessment.items.iter().map(|item| RowId::Scheme(item.scheme.clone())));
            // What it would grant at once must be new.
            let institution = &statement.body.institution_id;
            let granted =
                (0u32..).zip(&assessment.items).map(|(at, _)| granted_id(statement.header.statement_id, at));
            ids.extend(granted.map(|record_id| RowId::Record(institution.clone(), record_id)));
        }
        Command::DecideConversion(statement) => {
            of_statement(statement, ids);
            of_application(statement.body.application, view, ids);
        }
        Command::StepConversion(statement) => {
            of_statement(statement, ids);
            of_application(statement.body.application, view, ids);
        }
        Command::ReverseAward(statement) => {
            of_statement(statement, ids);
            of_application(statement.body.application, view, ids);
            ids.push(RowId::Institution(statement.body.regulator_id.clone()));
        }
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
        | Command::CorrectRecord(..)
        | Command::ChangeRecordStatus(_)
        | Command::OpenBatch(_)
        | Command::SubmitChunk(_)
        | Command::CloseBatch(_) => {}
    }
}

fn of_book(book: &BookVersion, view: &View, ids: &mut Vec<RowId>) {
    let id = RowId::Book(book.book_id.clone());
    if let Some(Row::Book(row)) = view.get(&id) {
        ids.extend(row.version(book.version).map(|version| RowId::Leaf(version.last_index)));
    }
    ids.push(id);
}

/// The rows that an application needs: the account, what is asked for, the records with all that may speak against them,
/// and the applications that hold them.
fn of_request(request: &ConversionRequest, view: &View, ids: &mut Vec<RowId>) {
    of_book(&request.book, view, ids);
    ids.push(RowId::Institution(request.institution_id.clone()));
    ids.push(RowId::AutoApprovals(request.institution_id.clone()));
    of_held(request.account_ref, &request.records, view, ids);
    for RecordName { issuer, record_id } in &request.records {
        let Some(Row::Record(row)) = view.get(&RowId::Record(issuer.clone(), *record_id)) else { continue };
        // A last change of status may be another's, and so may the key under which an application granted something.
        let granted = row.application.map(|_| row.kid);
        for kid in row.steps.last().map(|step| step.kid).into_iter().chain(granted) {
            if let Some(Row::Key(key)) = view.get(&RowId::Key(kid)) {
                of_institution_keys(&key.owner, view, ids);
            }
            ids.push(RowId::Key(kid));
        }
    }
    let Some(Row::Uses(uses)) = view.get(&RowId::Uses(request.account_ref)) else { return };
    for holder in request.records.iter().filter_map(|name| uses.holder(name)) {
        let id = RowId::Application(holder);
        if let Some(Row::Application(row)) = view.get(&id) {
            let records = sources(&row.items).into_iter().filter_map(|at| row.request.records.get(at));
            ids.extend(records.map(|name| RowId::Record(name.issuer.clone(), name.record_id)));
        }
        ids.push(id);
    }
}

/// An account with records of it: the keys of their issuers say whether they rest on a suspect one.
fn of_held(account_ref: AccountRef, records: &[RecordName], view: &View, ids: &mut Vec<RowId>) {
    ids.extend([RowId::Account(account_ref), RowId::Uses(account_ref)]);
    if let Some(Row::Account(row)) = view.get(&RowId::Account(account_ref)) {
        of_institution_keys(&row.registrar, view, ids);
    }
    for RecordName { issuer, record_id } in records {
        let id = RowId::Record(issuer.clone(), *record_id);
        if let Some(Row::Record(row)) = view.get(&id) {
            of_institution_keys(&row.issuer, view, ids);
            ids.extend(row.application.map(RowId::Application));
        }
        ids.push(id);
    }
}

/// An institution with all the keys that it ever had: one may rest on another.
fn of_institution_keys(id: &InstitutionId, view: &View, ids: &mut Vec<RowId>) {
    let id = RowId::Institution(id.clone());
    if let Some(Row::Institution(row)) = view.get(&id) {
        ids.extend(row.keys.iter().copied().map(RowId::Key));
    }
    ids.push(id);
}

/// An application with what a step of it needs.
fn of_application(index: u64, view: &View, ids: &mut Vec<RowId>) {
    let id = RowId::Application(index);
    if let Some(Row::Application(row)) = view.get(&id) {
        ids.push(RowId::Leaf(row.last_index));
        of_held(row.request.account_ref, &row.request.records, view, ids);
        let institution = &row.request.institution_id;
        ids.push(RowId::Institution(institution.clone()));
        ids.extend(row.items.iter().map(|item| RowId::Scheme(item.scheme.clone())));
        // What it would grant must be new.
        let granted = (0u32..).zip(&row.items).map(|(position, _)| granted_id(row.statement_id, position));
        ids.extend(granted.map(|record_id| RowId::Record(institution.clone(), record_id)));
    }
    ids.push(id);
}

/// The rows that [`evolve_entry`](crate::evolve_entry) and [`links`](crate::links) need for these events; asked until
/// it names none.
pub fn event_reads(events: &[Event], view: &View) -> Vec<RowId> {
    let mut ids = Vec::with_capacity(IDS_MOSTLY);
    for subject in subjects(events).into_keys() {
        let id = RowId::Subject(subject);
        if let Some(Row::Subject(row)) = view.get(&id) {
            ids.push(RowId::Leaf(row.last_index));
        }
        ids.push(id);
    }
    for event in events {
        of_event(event, view, &mut ids);
    }
    missing(ids, view)
}

/// The name under which a command is remembered; of a chunk `None` while its batch is not loaded or not known.
pub fn command_key(command: &Command, view: &View) -> Option<CommandKey> {
    match command {
        Command::CreateLedger(statement) => Some(key_of(&statement.header)),
        Command::StartServer(statement) => Some(key_of(&statement.header)),
        Command::AdmitInstitution(statement) => Some(key_of(&statement.header)),
        Command::PublishFramework(statement) => Some(key_of(&statement.header)),
        Command::AddKey(statement) => Some(key_of(&statement.header)),
        Command::RetireKey(statement) => Some(key_of(&statement.header)),
        Command::ReportKeyCompromise(statement) => Some(key_of(&statement.header)),
        Command::OpenAccount(statement, _) => Some(key_of(&statement.header)),
        Command::ChangeAccountStatus(statement) => Some(key_of(&statement.header)),
        Command::DepositRecord(statement, _) => Some(key_of(&statement.header)),
        Command::CorrectRecord(statement, _) => Some(key_of(&statement.header)),
        Command::ChangeRecordStatus(statement) => Some(key_of(&statement.header)),
        Command::OpenBatch(statement) => Some(key_of(&statement.header)),
        Command::SubmitChunk(chunk) => match view.get(&RowId::Batch(chunk.manifest_index)) {
            Some(Row::Batch(batch)) => Some(CommandKey {
                signer: batch.signer.clone(),
                command_id: batch.statement_id,
                chunk: Some(chunk.chunk),
            }),
            _ => None,
        },
        Command::CloseBatch(statement) => Some(key_of(&statement.header)),
        Command::UpgradeProtocol(statement) => Some(key_of(&statement.header)),
        Command::PublishRuleBook(statement, _) => Some(key_of(&statement.header)),
        Command::ChangeRuleBook(statement) => Some(key_of(&statement.header)),
        Command::GiveAutoApproval(statement) => Some(key_of(&statement.header)),
        Command::RequestConversion(statement, _) => Some(key_of(&statement.header)),
        Command::DecideConversion(statement) => Some(key_of(&statement.header)),
        Command::StepConversion(statement) => Some(key_of(&statement.header)),
        Command::ReverseAward(statement) => Some(key_of(&statement.header)),
    }
}

/// The name under which a statement is remembered.
pub(crate) fn key_of(header: &Header) -> CommandKey {
    CommandKey { signer: header.signer.clone(), command_id: header.statement_id, chunk: None }
}

fn missing(mut ids: Vec<RowId>, view: &View) -> Vec<RowId> {
    ids.retain(|id| !view.has(id));
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn of_statement<B>(statement: &Signed<B>, ids: &mut Vec<RowId>) {
    let header = &statement.header;
    ids.extend([RowId::Log, RowId::Leaf(0), RowId::Command(key_of(header))]);
    ids.extend(header.anchor.filter(|anchor| anchor.size > 0).map(|anchor| RowId::Head(anchor.size)));
    ids.extend(header.signer.institution().cloned().map(RowId::Institution));
    ids.extend(statement.signers.iter().copied().map(RowId::Key));
}

fn of_key(kid: Kid, view: &View, ids: &mut Vec<RowId>) {
    let id = RowId::Key(kid);
    if let Some(Row::Key(row)) = view.get(&id) {
        ids.push(RowId::Leaf(row.last_status_index));
    }
    ids.push(id);
}

fn of_record(id: RowId, view: &View, ids: &mut Vec<RowId>) {
    if let Some(Row::Record(row)) = view.get(&id) {
        ids.push(RowId::Leaf(row.last_status_index));
        // Whose key suspended it says who may lift that.
        ids.extend(row.steps.last().map(|step| RowId::Key(step.kid)));
    }
    ids.push(id);
}

fn of_facts(issuer: &InstitutionId, facts: &RecordFacts, ids: &mut Vec<RowId>) {
    ids.push(RowId::Account(facts.account_ref));
    ids.push(RowId::Record(issuer.clone(), facts.record_id));
    ids.extend(facts.amount.iter().map(|amount| RowId::Scheme(amount.scheme.clone())));
    ids.extend(facts.level.iter().map(|level| RowId::Framework(level.framework.clone())));
}

fn of_manifest(statement: &Signed<BatchManifest>, ids: &mut Vec<RowId>) {
    of_statement(statement, ids);
    ids.push(RowId::OpenBatches(statement.header.signer.clone()));
}

fn of_chunk(chunk: &ChunkCommand, view: &View, ids: &mut Vec<RowId>) {
    ids.extend([RowId::Log, RowId::Batch(chunk.manifest_index)]);
    let Some(Row::Batch(batch)) = view.get(&RowId::Batch(chunk.manifest_index)) else { return };
    let (signer, command_id) = (batch.signer.clone(), batch.statement_id);
    ids.push(RowId::Command(CommandKey { signer, command_id, chunk: Some(chunk.chunk) }));
    ids.push(RowId::Key(batch.kid));
    let SignerId::Institution(signer) = &batch.signer else { return };
    ids.push(RowId::Institution(signer.clone()));
    match &chunk.leaves {
        ChunkLeaves::Records(leaves) => leaves.iter().for_each(|leaf| of_facts(signer, &leaf.body, ids)),
        ChunkLeaves::Openings(leaves) => {
            ids.extend(leaves.iter().map(|leaf| RowId::Account(leaf.check.account_ref)));
        }
    }
}

fn of_event(event: &Event, view: &View, ids: &mut Vec<RowId>) {
    match event {
        Event::LedgerCreated(_) => ids.push(RowId::Log),
        Event::ServerStarted(_) => {}
        Event::InstitutionAdmitted(statement) => {
            ids.push(RowId::Institution(statement.body.institution_id.clone()));
            ids.extend(statement.body.keys.iter().map(|key| RowId::Key(key.key.kid)));
        }
        Event::FrameworkPublished(statement) => {
            ids.push(RowId::Framework(statement.body.framework_id.clone()));
            ids.extend(statement.body.schemes.iter().map(|scheme| RowId::Scheme(scheme.scheme_id.clone())));
        }
        Event::KeyAdded(statement) => {
            ids.push(RowId::Institution(statement.body.institution_id.clone()));
            ids.push(RowId::Key(statement.body.key.key.kid));
        }
        Event::KeyRetired { statement, .. } => ids.push(RowId::Key(statement.body.kid)),
        Event::KeyCompromised { statement, .. } => ids.push(RowId::Key(statement.body.kid)),
        Event::AccountOpened { account_ref, .. } => ids.push(RowId::Account(*account_ref)),
        Event::AccountStatusChanged { statement, .. } => ids.push(RowId::Account(statement.body.account_ref)),
        Event::RecordDeposited { facts, issuer, supersedes, .. } => {
            ids.extend(supersedes.map(|_| RowId::Uses(facts.account_ref)));
            ids.push(RowId::Account(facts.account_ref));
            ids.push(RowId::Record(issuer.clone(), facts.record_id));
            ids.push(RowId::Institution(issuer.clone()));
        }
        Event::RecordStatusChanged { issuer, record_id, .. } => {
            ids.push(RowId::Record(issuer.clone(), *record_id));
        }
        Event::BatchOpened(statement) => ids.push(RowId::OpenBatches(statement.header.signer.clone())),
        Event::BatchChunk { manifest_index, .. } => ids.push(RowId::Batch(*manifest_index)),
        Event::BatchClosed { signer, manifest_index, .. } => {
            ids.extend([RowId::Batch(*manifest_index), RowId::OpenBatches(signer.clone())]);
        }
        Event::ProtocolUpgraded(_) => ids.push(RowId::Log),
        Event::RuleBookPublished(statement) => ids.push(RowId::Book(statement.body.book.book_id.clone())),
        Event::RuleBookChanged(statement) => ids.push(RowId::Book(statement.body.book.book_id.clone())),
        Event::AutoApprovalGiven { institution_id, .. } => {
            ids.push(RowId::AutoApprovals(institution_id.clone()));
        }
        Event::ConversionRequested { statement, moved, .. } => {
            ids.extend([RowId::Account(statement.body.account_ref), RowId::Uses(statement.body.account_ref)]);
            ids.extend(moved.iter().map(|moved| of_moved(&moved.record)));
        }
        Event::ConversionChanged(change) => {
            ids.extend([RowId::Account(change.account_ref), RowId::Uses(change.account_ref)]);
            ids.extend(change.moved.iter().map(|moved| of_moved(&moved.record)));
            let id = RowId::Application(change.application);
            if let Some(Row::Application(row)) = view.get(&id) {
                let institution = &row.request.institution_id;
                let granted = change.granted.iter().map(|granted| granted.record_id);
                ids.extend(granted.map(|record_id| RowId::Record(institution.clone(), record_id)));
                // When its sources were earned is noted with their use.
                let records = row.request.records.iter();
                ids.extend(records.map(of_moved));
            }
            ids.push(id);
        }
    }
}

fn of_moved(RecordName { issuer, record_id }: &RecordName) -> RowId {
    RowId::Record(issuer.clone(), *record_id)
}
