//! Who may do what: one table, deny by default. A method that is not in it can't be called.
//!
//! The table says who may call at all; what a caller sees of the thing called for is decided where it is read, by the
//! functions at the end of this file. Who does not see something is not told whether it exists.

pub(crate) mod seen;
pub(crate) mod token;

use crate::failure::Failure;
use crate::receipts::OpenParts;
use crate::status::Problem;
use credit_types::{AccountRef, EntryHead, Event, InstitutionId, Role, SignerId, Subject};
use std::collections::BTreeSet;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Principal {
    /// Nobody in particular.
    Anonymous,
    /// An institution.
    Institution(Member),
    /// A learner, by their account.
    Learner(AccountRef),
    /// An auditor: reads everything.
    Auditor,
}

/// Roles of an institution.
pub(crate) type Roles = BTreeSet<Role>;

/// An institution that calls, with the roles that its token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// The institution.
    pub(crate) id: InstitutionId,
    /// Of its admitted roles those in which it calls.
    pub(crate) roles: Roles,
}

impl Principal {
    /// The institution, if it is one.
    pub(crate) fn institution(&self) -> Option<&InstitutionId> {
        match self {
            Self::Institution(member) => Some(&member.id),
            Self::Anonymous | Self::Learner(_) | Self::Auditor => None,
        }
    }

    /// Whether it is an institution in this role.
    pub(crate) fn holds(&self, role: Role) -> bool {
        match self {
            Self::Institution(member) => member.roles.contains(&role),
            Self::Anonymous | Self::Learner(_) | Self::Auditor => false,
        }
    }

    /// What kind of caller it is, for logs: never who.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Institution(_) => "institution",
            Self::Learner(_) => "learner",
            Self::Auditor => "auditor",
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
    /// The account's learner, registrars, regulators, auditors.
    AccountStatus,
    /// The account's learner, registrars, auditors.
    AccountBalance,
    /// The account's learner, auditors.
    AccountHistory,
    /// The account's learner, registrars, the institution that is asked, regulators, auditors.
    Conversions,
    /// The account's learner, institutions for what they issued, regulators for facts, auditors.
    Records,
}

impl Rule {
    /// Whether such a caller may call at all.
    pub(crate) fn admit(self, principal: &Principal) -> Result<(), Failure> {
        let allowed = match (self, principal) {
            (Self::Open | Self::Signed, _) => true,
            (_, Principal::Anonymous) => return Err(Failure::Unauthenticated("TOKEN_MISSING")),
            (Self::OwnStatement | Self::Institutions, caller) => caller.institution().is_some(),
            (
                Self::AccountHistory | Self::AccountBalance | Self::AccountStatus,
                Principal::Learner(_) | Principal::Auditor,
            ) => true,
            (Self::AccountHistory, Principal::Institution(_)) => false,
            (Self::AccountBalance, caller) => caller.holds(Role::Registrar),
            (Self::AccountStatus, caller) => caller.holds(Role::Registrar) || caller.holds(Role::Regulator),
            (Self::Records | Self::Conversions, _) => true,
        };
        if allowed { Ok(()) } else { Err(Failure::Denied) }
    }
}

/// Every method of the contract with its rule.
pub(crate) const POLICIES: [(&str, Rule); 45] = [
    ("/creditbank.v1.AccountService/ChangeAccountStatus", Rule::OwnStatement),
    ("/creditbank.v1.AccountService/GetAccount", Rule::AccountStatus),
    ("/creditbank.v1.AccountService/GetBalance", Rule::AccountBalance),
    ("/creditbank.v1.AccountService/ListPostings", Rule::AccountHistory),
    ("/creditbank.v1.AccountService/OpenAccount", Rule::OwnStatement),
    ("/creditbank.v1.AccountService/ResolveAccounts", Rule::Institutions),
    ("/creditbank.v1.ConversionService/CheckCompliance", Rule::AccountBalance),
    ("/creditbank.v1.ConversionService/DecideConversion", Rule::OwnStatement),
    ("/creditbank.v1.ConversionService/GetConversion", Rule::Conversions),
    ("/creditbank.v1.ConversionService/ListConversions", Rule::Conversions),
    ("/creditbank.v1.ConversionService/QuoteConversion", Rule::AccountBalance),
    ("/creditbank.v1.ConversionService/RequestConversion", Rule::OwnStatement),
    ("/creditbank.v1.ConversionService/ReverseAward", Rule::OwnStatement),
    ("/creditbank.v1.ConversionService/StepConversion", Rule::OwnStatement),
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
    ("/creditbank.v1.RecordService/GetRecordBundle", Rule::Records),
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
    ("/creditbank.v1.RegistryService/UpgradeProtocol", Rule::Signed),
    ("/creditbank.v1.RuleBookService/ChangeRuleBook", Rule::Signed),
    ("/creditbank.v1.RuleBookService/GetRuleBook", Rule::Open),
    ("/creditbank.v1.RuleBookService/GiveAutoApproval", Rule::OwnStatement),
    ("/creditbank.v1.RuleBookService/ListRuleBooks", Rule::Open),
    ("/creditbank.v1.RuleBookService/PublishRuleBook", Rule::Signed),
    ("/creditbank.v1.RuleBookService/ReadRuleBook", Rule::Open),
];

/// The services beside the contract that anybody may call: health, and reflection where it is served.
const OPEN_SERVICES: [&str; 2] = ["/grpc.health.v1.Health/", REFLECTION];
/// The reflection service.
pub(crate) const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/";

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

/// How much of a record a caller may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Facts and status.
    Facts,
    /// Details too.
    Details,
}

/// What a caller may read of a record of this issuer and account, if anything.
pub(crate) fn record_seen(
    principal: &Principal,
    issuer: &InstitutionId,
    account: AccountRef,
) -> Option<Sight> {
    match principal {
        Principal::Auditor => Some(Sight::Details),
        Principal::Learner(own) => (*own == account).then_some(Sight::Details),
        Principal::Institution(member) if member.id == *issuer => Some(Sight::Details),
        // To act by order a regulator needs to know what the record attests and how it stands, not how well.
        Principal::Institution(_) => principal.holds(Role::Regulator).then_some(Sight::Facts),
        Principal::Anonymous => None,
    }
}

/// Which parts of an entry a caller may see; `None`: not even who acted.
///
/// Everybody sees all of an entry that is about no account, except a chunk. Of any other its actor, regulators and
/// auditors see all; a learner sees what is about their own account, an institution what is about its own records.
///
/// `is_linked` says whether the entry links a subject; its events are asked for only where that does not decide.
pub(crate) fn parts_seen(
    principal: &Principal,
    head: &EntryHead,
    is_linked: impl FnOnce(&Subject) -> bool,
    events: impl FnOnce() -> Result<Vec<Event>, Failure>,
) -> Result<Option<OpenParts>, Failure> {
    match principal {
        Principal::Auditor => return Ok(Some(OpenParts::All)),
        Principal::Institution(member)
            if principal.holds(Role::Regulator) || head.actor.institution() == Some(&member.id) =>
        {
            return Ok(Some(OpenParts::All));
        }
        Principal::Learner(own) => {
            let own = Subject::Account(*own);
            if is_linked(&own) {
                return Ok(Some(OpenParts::Subject(own)));
            }
        }
        Principal::Institution(_) | Principal::Anonymous => {}
    }
    let events = events()?;
    let about_nobody = events.iter().all(|event| {
        !matches!(event.subject(), Some(Subject::Account(_))) && !matches!(event, Event::BatchChunk { .. })
    });
    if about_nobody {
        return Ok(Some(OpenParts::All));
    }
    Ok(match principal {
        Principal::Institution(member) => own_subject(&member.id, &events).map(OpenParts::Subject),
        Principal::Anonymous | Principal::Learner(_) | Principal::Auditor => None,
    })
}

/// The account in another's entry of which every event is about records of this institution.
fn own_subject(institution: &InstitutionId, events: &[Event]) -> Option<Subject> {
    let subject = events.iter().find(|event| issuer_of(event) == Some(institution))?.subject()?;
    let about = |event: &&Event| event.subject().as_ref() == Some(&subject);
    let only_own = events.iter().filter(about).all(|event| issuer_of(event) == Some(institution));
    only_own.then_some(subject)
}

/// The institution that an event about an account concerns: the issuer of its record, or who is asked.
fn issuer_of(event: &Event) -> Option<&InstitutionId> {
    match event {
        Event::RecordDeposited { issuer, .. } | Event::RecordStatusChanged { issuer, .. } => Some(issuer),
        // Who is asked has to know what for.
        Event::ConversionRequested { statement, .. } => Some(&statement.body.institution_id),
        Event::LedgerCreated(_)
        | Event::ServerStarted(_)
        | Event::InstitutionAdmitted(_)
        | Event::FrameworkPublished(_)
        | Event::KeyAdded(_)
        | Event::KeyRetired { .. }
        | Event::KeyCompromised { .. }
        | Event::AccountOpened { .. }
        | Event::AccountStatusChanged { .. }
        | Event::ProtocolUpgraded(_)
        | Event::RuleBookPublished(_)
        | Event::RuleBookChanged(_)
        | Event::AutoApprovalGiven { .. }
        | Event::ConversionChanged(_)
        | Event::BatchOpened(_)
        | Event::BatchChunk { .. }
        | Event::BatchClosed { .. } => None,
    }
}

#[cfg(test)]
mod tests;
