//! Who may do what: one table, deny by default. A method that is not in it can't be called.
//!
//! The table says who may call at all; what a caller sees of the thing called for is decided where it is read, by the
//! functions at the end of this file. Who does not see something is not told whether it exists.

pub(crate) mod token;

use crate::failure::Failure;
use crate::receipts::OpenParts;
use crate::status::Problem;
use credit_types::{AccountRef, EntryHead, Event, InstitutionId, SignerId, Subject};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Nobody in particular.
    Anonymous,
    /// An institution.
    Institution(InstitutionId),
    /// A learner, by their account.
    Learner(AccountRef),
    /// An auditor: reads everything.
    Auditor,
    /// An institution that keeps accounts.
    Registrar(InstitutionId),
}

impl Principal {
    /// The institution, if it is one.
    pub(crate) fn institution(&self) -> Option<&InstitutionId> {
        match self {
            Self::Institution(id) | Self::Registrar(id) => Some(id),
            Self::Anonymous | Self::Learner(_) | Self::Auditor => None,
        }
    }

    /// What kind of caller it is, for logs: never who.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Institution(_) => "institution",
            Self::Learner(_) => "learner",
            Self::Auditor => "auditor",
            Self::Registrar(_) => "registrar",
        }
    }
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Anybody; how much is shown depends on the caller.
    Open,
    /// Anybody: what the statement's signatures allow is decided by the ledger alone.
    Signed,
    /// An institution, and only with statements that it signs itself.
    OwnStatement,
    /// An institution.
    Institutions,
    /// The account's learner, registrars, auditors.
    AccountStatus,
    /// The account's learner, auditors.
    AccountHistory,
    /// The account's learner, institutions for what they issued, auditors.
    Records,
}

impl Rule {
    /// Whether such a caller may call at all.
    pub(crate) fn admit(self, principal: &Principal) -> Result<(), Failure> {
        let allowed = match (self, principal) {
            (Self::Open | Self::Signed, _) => true,
            (_, Principal::Anonymous) => return Err(Failure::Unauthenticated("TOKEN_MISSING")),
            (Self::OwnStatement | Self::Institutions, caller) => caller.institution().is_some(),
            (Self::AccountStatus, caller) => {
                matches!(caller, Principal::Learner(_) | Principal::Auditor | Principal::Registrar(_))
            }
            (Self::AccountHistory, caller) => matches!(caller, Principal::Learner(_) | Principal::Auditor),
            (Self::Records, _) => true,
        };
        if allowed { Ok(()) } else { Err(Failure::Denied) }
    }
}

/// Every method of the contract with its rule.
pub(crate) const POLICIES: [(&str, Rule); 29] = [
    ("/creditbank.v1.AccountService/ChangeAccountStatus", Rule::OwnStatement),
    ("/creditbank.v1.AccountService/GetAccount", Rule::AccountStatus),
    ("/creditbank.v1.AccountService/GetBalance", Rule::AccountStatus),
    ("/creditbank.v1.AccountService/ListPostings", Rule::AccountHistory),
    ("/creditbank.v1.AccountService/OpenAccount", Rule::OwnStatement),
    ("/creditbank.v1.AccountService/ResolveAccounts", Rule::Institutions),
    ("/creditbank.v1.LogService/GetCheckpoint", Rule::Open),
    ("/creditbank.v1.LogService/GetConsistencyProof", Rule::Open),
    ("/creditbank.v1.LogService/GetInclusionProof", Rule::Open),
    ("/creditbank.v1.LogService/GetReceipt", Rule::Open),
    ("/creditbank.v1.LogService/ListEntries", Rule::Open),
    ("/creditbank.v1.LogService/WatchCheckpoints", Rule::Open),
    ("/creditbank.v1.RecordService/ChangeRecordStatus", Rule::OwnStatement),
    ("/creditbank.v1.RecordService/CloseBatch", Rule::OwnStatement),
    ("/creditbank.v1.RecordService/CorrectRecord", Rule::OwnStatement),
    ("/creditbank.v1.RecordService/GetRecord", Rule::Records),
    ("/creditbank.v1.RecordService/ListRecords", Rule::Records),
    ("/creditbank.v1.RecordService/SubmitBatch", Rule::OwnStatement),
    ("/creditbank.v1.RecordService/SubmitRecord", Rule::OwnStatement),
    ("/creditbank.v1.RecordService/SubmitRecords", Rule::OwnStatement),
    ("/creditbank.v1.RegistryService/AddSigningKey", Rule::Signed),
    ("/creditbank.v1.RegistryService/AdmitInstitution", Rule::Signed),
    ("/creditbank.v1.RegistryService/GetFramework", Rule::Open),
    ("/creditbank.v1.RegistryService/GetInstitution", Rule::Open),
    ("/creditbank.v1.RegistryService/GetSigningKey", Rule::Open),
    ("/creditbank.v1.RegistryService/ListInstitutions", Rule::Open),
    ("/creditbank.v1.RegistryService/PublishFramework", Rule::Signed),
    ("/creditbank.v1.RegistryService/ReportKeyCompromise", Rule::Signed),
    ("/creditbank.v1.RegistryService/RetireSigningKey", Rule::Signed),
];

/// The services beside the contract that anybody may call: health, and reflection where it is served.
const OPEN_SERVICES: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/"];

/// The method's name as the contract has it, and its rule; `None`: it may not be called.
pub(crate) fn policy(path: &str) -> Option<(&'static str, Rule)> {
    if let Some(found) = POLICIES.iter().find(|(method, _)| *method == path) {
        return Some(*found);
    }
    OPEN_SERVICES.iter().find(|service| path.starts_with(**service)).map(|service| (*service, Rule::Open))
}

/// Requires that the signer of a statement is the institution that calls.
pub(crate) fn require_signer(principal: &Principal, signer: &SignerId) -> Result<(), Problem> {
    match (principal.institution(), signer.institution()) {
        (Some(caller), Some(signer)) if caller == signer => Ok(()),
        _ => Err(Problem::SignerNotCaller),
    }
}

/// The account that a caller asks for: a learner's own, whether they name it or not; for others the one they name.
pub(crate) fn account_asked(principal: &Principal, account_ref: &[u8]) -> Result<AccountRef, Failure> {
    if let Principal::Learner(own) = principal {
        let is_own = account_ref.is_empty() || account_ref == own.as_bytes();
        return if is_own { Ok(*own) } else { Err(Failure::Denied) };
    }
    AccountRef::from_slice(account_ref)
        .map_err(|error| Failure::Invalid { field: "account_ref".to_owned(), problem: error.to_string() })
}

/// Whether a caller may read a record of this issuer and account, with its details.
pub(crate) fn reads_record(principal: &Principal, issuer: &InstitutionId, account: AccountRef) -> bool {
    match principal {
        Principal::Auditor => true,
        Principal::Learner(own) => *own == account,
        Principal::Institution(id) | Principal::Registrar(id) => id == issuer,
        Principal::Anonymous => false,
    }
}

/// Which parts of an entry a caller may see.
///
/// Everybody sees all of an entry that is about no account, except a chunk; its actor and auditors see all of any; a
/// learner sees what is about their own account, an institution what is about its own records.
pub(crate) fn parts_seen(principal: &Principal, head: &EntryHead, events: &[Event]) -> OpenParts {
    let about_nobody = events.iter().all(|event| {
        !matches!(event.subject(), Some(Subject::Account(_))) && !matches!(event, Event::BatchChunk { .. })
    });
    match principal {
        _ if about_nobody => OpenParts::All,
        Principal::Auditor => OpenParts::All,
        Principal::Anonymous => OpenParts::Head,
        Principal::Learner(own) => OpenParts::Subject(Subject::Account(*own)),
        Principal::Institution(id) | Principal::Registrar(id) => {
            if head.actor.institution() == Some(id) {
                return OpenParts::All;
            }
            own_subject(id, events).map_or(OpenParts::Head, OpenParts::Subject)
        }
    }
}

/// The account in another's entry of which every event is about records of this institution.
fn own_subject(institution: &InstitutionId, events: &[Event]) -> Option<Subject> {
    let subject = events.iter().find(|event| issuer_of(event) == Some(institution))?.subject()?;
    let about = |event: &&Event| event.subject().as_ref() == Some(&subject);
    let only_own = events.iter().filter(about).all(|event| issuer_of(event) == Some(institution));
    only_own.then_some(subject)
}

/// The issuer of the record that an event is about.
fn issuer_of(event: &Event) -> Option<&InstitutionId> {
    match event {
        Event::RecordDeposited { issuer, .. } | Event::RecordStatusChanged { issuer, .. } => Some(issuer),
        Event::LedgerCreated(_)
        | Event::ServerStarted(_)
        | Event::InstitutionAdmitted(_)
        | Event::FrameworkPublished(_)
        | Event::KeyAdded(_)
        | Event::KeyRetired { .. }
        | Event::KeyCompromised { .. }
        | Event::AccountOpened { .. }
        | Event::AccountStatusChanged { .. }
        | Event::BatchOpened(_)
        | Event::BatchChunk { .. }
        | Event::BatchClosed { .. } => None,
    }
}

#[cfg(test)]
mod tests;
