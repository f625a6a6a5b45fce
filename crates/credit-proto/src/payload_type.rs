//! The payload types: what a signature covers names its message, so that no payload is ever read as another.

/// Entry 0 of a log.
pub const GENESIS: &str = "application/vnd.creditbank.genesis.v1+protobuf";
/// Admits an institution.
pub const INSTITUTION_ADMISSION: &str = "application/vnd.creditbank.institution-admission.v1+protobuf";
/// Publishes a framework.
pub const FRAMEWORK_PUBLICATION: &str = "application/vnd.creditbank.framework-publication.v1+protobuf";
/// Adds a key.
pub const KEY_ADDITION: &str = "application/vnd.creditbank.key-addition.v1+protobuf";
/// Retires a key.
pub const KEY_RETIREMENT: &str = "application/vnd.creditbank.key-retirement.v1+protobuf";
/// Reports a key as compromised.
pub const KEY_COMPROMISE: &str = "application/vnd.creditbank.key-compromise.v1+protobuf";
/// Opens an account, alone or as a leaf.
pub const ACCOUNT_OPENING: &str = "application/vnd.creditbank.account-opening.v1+protobuf";
/// Changes an account's status.
pub const ACCOUNT_STATUS_CHANGE: &str = "application/vnd.creditbank.account-status-change.v1+protobuf";
/// Deposits a record, alone or as a leaf.
pub const RECORD_FACTS: &str = "application/vnd.creditbank.record-facts.v1+protobuf";
/// Corrects a record.
pub const RECORD_CORRECTION: &str = "application/vnd.creditbank.record-correction.v1+protobuf";
/// Revokes, suspends or reinstates a record.
pub const RECORD_STATUS_CHANGE: &str = "application/vnd.creditbank.record-status-change.v1+protobuf";
/// Opens a batch.
pub const BATCH_MANIFEST: &str = "application/vnd.creditbank.batch-manifest.v1+protobuf";
/// Ends a batch early.
pub const BATCH_CLOSE: &str = "application/vnd.creditbank.batch-close.v1+protobuf";
/// Says that a server has started.
pub const SERVER_START: &str = "application/vnd.creditbank.server-start.v1+protobuf";
/// Announces a newer protocol or format.
pub const PROTOCOL_UPGRADE: &str = "application/vnd.creditbank.protocol-upgrade.v1+protobuf";
/// Publishes a version of a rule book.
pub const RULE_BOOK_PUBLICATION: &str = "application/vnd.creditbank.rule-book-publication.v1+protobuf";
/// Activates or abolishes a version of a rule book.
pub const RULE_BOOK_CHANGE: &str = "application/vnd.creditbank.rule-book-change.v1+protobuf";
/// Says which rules an institution applies without an officer.
pub const AUTO_APPROVAL: &str = "application/vnd.creditbank.auto-approval.v1+protobuf";
/// Applies for credit or for an award.
pub const CONVERSION_REQUEST: &str = "application/vnd.creditbank.conversion-request.v1+protobuf";
/// Decides an application.
pub const CONVERSION_DECISION: &str = "application/vnd.creditbank.conversion-decision.v1+protobuf";
/// Moves an application on.
pub const CONVERSION_STEP: &str = "application/vnd.creditbank.conversion-step.v1+protobuf";
/// Takes an award back by order.
pub const AWARD_REVERSAL: &str = "application/vnd.creditbank.award-reversal.v1+protobuf";
/// The secret part of a record.
pub const RECORD_DETAILS: &str = "application/vnd.creditbank.record-details.v1+protobuf";
/// The secret part of an opening.
pub const ACCOUNT_IDENTITY: &str = "application/vnd.creditbank.account-identity.v1+protobuf";
/// The secret part of a status change or correction, of a decision, and of a step or reversal of an application.
pub const STATUS_EXPLANATION: &str = "application/vnd.creditbank.status-explanation.v1+protobuf";
/// The secret part of an application.
pub const CONVERSION_PARTICULARS: &str = "application/vnd.creditbank.conversion-particulars.v1+protobuf";
/// How the bank came to what it proposes for an application. It is made by the bank itself, and is no message: its
/// bytes are canonical JSON.
pub const CONVERSION_EXPLANATION: &str = "application/vnd.creditbank.conversion-explanation.v1+json";
/// The bank's word about the last link of a subject.
pub const SUBJECT_HEAD: &str = "application/vnd.creditbank.subject-head.v1+protobuf";
/// The bank's word about a balance.
pub const BALANCE_STATEMENT: &str = "application/vnd.creditbank.balance-statement.v1+protobuf";
/// The bank's word about files that it hands out together.
pub const FILE_MANIFEST: &str = "application/vnd.creditbank.file-manifest.v1+protobuf";
/// The bank's word about the status of a record.
pub const RECORD_STATUS_STATEMENT: &str = "application/vnd.creditbank.record-status-statement.v1+protobuf";

/// The types of statements that a command may carry.
pub const STATEMENTS: [&str; 22] = [
    GENESIS,
    INSTITUTION_ADMISSION,
    FRAMEWORK_PUBLICATION,
    KEY_ADDITION,
    KEY_RETIREMENT,
    KEY_COMPROMISE,
    ACCOUNT_OPENING,
    ACCOUNT_STATUS_CHANGE,
    RECORD_FACTS,
    RECORD_CORRECTION,
    RECORD_STATUS_CHANGE,
    BATCH_MANIFEST,
    BATCH_CLOSE,
    SERVER_START,
    PROTOCOL_UPGRADE,
    RULE_BOOK_PUBLICATION,
    RULE_BOOK_CHANGE,
    AUTO_APPROVAL,
    CONVERSION_REQUEST,
    CONVERSION_DECISION,
    CONVERSION_STEP,
    AWARD_REVERSAL,
];

/// The types of secret parts, which are committed to and sealed.
pub const SECRETS: [&str; 5] =
    [RECORD_DETAILS, ACCOUNT_IDENTITY, STATUS_EXPLANATION, CONVERSION_PARTICULARS, CONVERSION_EXPLANATION];

/// The types of what the bank signs with a statement key of the log.
pub const BANK_SIGNED: [&str; 4] = [SUBJECT_HEAD, BALANCE_STATEMENT, FILE_MANIFEST, RECORD_STATUS_STATEMENT];

const PREFIX: &str = "application/vnd.creditbank.";
/// What the bytes are: a message, or canonical JSON.
const SUFFIXES: [&str; 2] = ["+protobuf", "+json"];

/// The name and version of a payload type, for example `record-facts.v1`; `None` for what doesn't have the form of
/// one, known or not.
pub fn short_name(payload_type: &str) -> Option<&str> {
    let named = payload_type.strip_prefix(PREFIX)?;
    let short = SUFFIXES.iter().find_map(|suffix| named.strip_suffix(suffix))?;
    let (name, version) = short.rsplit_once(".v")?;
    let kebab = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let versioned = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
    (versioned && !version.is_empty() && name.split('-').all(kebab)).then_some(short)
}

/// Whether a payload type has the form of one but isn't among the known: software that came later wrote it.
pub fn is_newer(payload_type: &str) -> bool {
    let known = STATEMENTS.iter().chain(&SECRETS).chain(&BANK_SIGNED);
    !known.into_iter().any(|known| *known == payload_type) && short_name(payload_type).is_some()
}
