//! Statements: from payload bytes to nouns and back, whatever the statement is.

use credit_types::limits::LEAF_BYTES_MAX;
use credit_types::{
    AccountOpening, AccountStatusChange, Anchor, AutoApproval, AwardReversal, BatchClose, BatchManifest,
    CommandId, ConversionDecision, ConversionRequest, ConversionStep, Digest, FrameworkPublication, Genesis,
    Header, InstitutionAdmission, KeyAddition, KeyCompromise, KeyRetirement, LogId, ProtocolUpgrade,
    PublicKey, RecordCorrection, RecordFacts, RecordStatusChange, RuleBookChange, RuleBookPublication,
    ServerStart, SignerId,
};

use crate::field::{ensure, named, optional_sized, range, required, sized};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::{Admit, Reading, Stage};
use crate::strict::{self, Canonical};
use crate::v1;

/// A statement of any kind with its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Begins a log.
    Genesis(Header, Box<Genesis>),
    /// Admits an institution.
    AdmitInstitution(Header, Box<InstitutionAdmission>),
    /// Publishes a framework.
    PublishFramework(Header, Box<FrameworkPublication>),
    /// Adds a key.
    AddKey(Header, Box<KeyAddition>),
    /// Retires a key.
    RetireKey(Header, KeyRetirement),
    /// Reports a key as compromised.
    ReportKeyCompromise(Header, KeyCompromise),
    /// Opens an account.
    OpenAccount(Header, AccountOpening),
    /// Changes an account's status.
    ChangeAccountStatus(Header, Box<AccountStatusChange>),
    /// Deposits a record.
    DepositRecord(Header, Box<RecordFacts>),
    /// Corrects a record.
    CorrectRecord(Header, Box<RecordCorrection>),
    /// Revokes, suspends or reinstates a record.
    ChangeRecordStatus(Header, Box<RecordStatusChange>),
    /// Opens a batch.
    OpenBatch(Header, BatchManifest),
    /// Ends a batch early.
    CloseBatch(Header, BatchClose),
    /// Says that a server has started.
    StartServer(Header, ServerStart),
    /// Announces a newer protocol or format.
    UpgradeProtocol(Header, ProtocolUpgrade),
    /// Publishes a version of a rule book.
    PublishRuleBook(Header, Box<RuleBookPublication>),
    /// Activates or abolishes a version of a rule book.
    ChangeRuleBook(Header, Box<RuleBookChange>),
    /// Says which rules an institution applies without an officer.
    GiveAutoApproval(Header, Box<AutoApproval>),
    /// Applies for credit or for an award.
    RequestConversion(Header, Box<ConversionRequest>),
    /// Decides an application.
    DecideConversion(Header, Box<ConversionDecision>),
    /// Moves an application on.
    StepConversion(Header, Box<ConversionStep>),
    /// Takes an award back by order.
    ReverseAward(Header, Box<AwardReversal>),
}

impl Statement {
    /// Its header.
    pub fn header(&self) -> &Header {
        match self {
            Self::Genesis(header, _)
            | Self::AdmitInstitution(header, _)
            | Self::PublishFramework(header, _)
            | Self::AddKey(header, _)
            | Self::RetireKey(header, _)
            | Self::ReportKeyCompromise(header, _)
            | Self::OpenAccount(header, _)
            | Self::ChangeAccountStatus(header, _)
            | Self::DepositRecord(header, _)
            | Self::CorrectRecord(header, _)
            | Self::ChangeRecordStatus(header, _)
            | Self::OpenBatch(header, _)
            | Self::CloseBatch(header, _)
            | Self::StartServer(header, _)
            | Self::UpgradeProtocol(header, _)
            | Self::PublishRuleBook(header, _)
            | Self::ChangeRuleBook(header, _)
            | Self::GiveAutoApproval(header, _)
            | Self::RequestConversion(header, _)
            | Self::DecideConversion(header, _)
            | Self::StepConversion(header, _)
            | Self::ReverseAward(header, _) => header,
        }
    }

    /// The keys that it brings, which may sign it before the log knows them: a genesis's authority keys, and, as
    /// proofs of possession, those of an admission or addition.
    pub fn brought_keys(&self) -> Vec<PublicKey> {
        match self {
            Self::Genesis(_, body) => body.authority_keys.clone(),
            Self::AdmitInstitution(_, body) => body.keys.iter().map(|key| key.key).collect(),
            Self::AddKey(_, body) => vec![body.key.key],
            Self::PublishFramework(..)
            | Self::RetireKey(..)
            | Self::ReportKeyCompromise(..)
            | Self::OpenAccount(..)
            | Self::ChangeAccountStatus(..)
            | Self::DepositRecord(..)
            | Self::CorrectRecord(..)
            | Self::ChangeRecordStatus(..)
            | Self::OpenBatch(..)
            | Self::CloseBatch(..)
            | Self::StartServer(..)
            | Self::UpgradeProtocol(..)
            | Self::PublishRuleBook(..)
            | Self::ChangeRuleBook(..)
            | Self::GiveAutoApproval(..)
            | Self::RequestConversion(..)
            | Self::DecideConversion(..)
            | Self::StepConversion(..)
            | Self::ReverseAward(..) => Vec::new(),
        }
    }
}

/// Reads the payload of a leaf: [`Leaf::leaf`] as a function.
pub fn decode_leaf<L: Leaf>(bytes: &[u8]) -> Result<L, InvalidField> {
    L::leaf(bytes)
}

/// Reads a statement as it arrives: canonical bytes first, then every field and bound. `PayloadTypeWrong` for a type
/// that is no statement's.
pub fn decode_statement(payload_type: &str, payload: &[u8], admit: Admit) -> Result<Statement, InvalidField> {
    read_statement(payload_type, payload, Reading { admit, stage: Stage::Admission })
}

/// Reads a statement at a stage: [`decode_statement`] for arrivals, this for statements out of the log.
pub fn read_statement(
    payload_type: &str,
    payload: &[u8],
    reading: Reading,
) -> Result<Statement, InvalidField> {
    fn boxed<B: Signable>(payload: &[u8], reading: Reading) -> Result<(Header, Box<B>), InvalidField> {
        signed(payload, reading).map(|(header, body)| (header, Box::new(body)))
    }
    fn signed<B: Signable>(payload: &[u8], reading: Reading) -> Result<(Header, B), InvalidField> {
        let (header, body) = B::read(payload, reading)?;
        Ok((required("header", header)?, body))
    }
    match payload_type {
        payload_type::GENESIS => boxed(payload, reading).map(|(h, b)| Statement::Genesis(h, b)),
        payload_type::INSTITUTION_ADMISSION => {
            boxed(payload, reading).map(|(h, b)| Statement::AdmitInstitution(h, b))
        }
        payload_type::FRAMEWORK_PUBLICATION => {
            boxed(payload, reading).map(|(h, b)| Statement::PublishFramework(h, b))
        }
        payload_type::KEY_ADDITION => boxed(payload, reading).map(|(h, b)| Statement::AddKey(h, b)),
        payload_type::KEY_RETIREMENT => signed(payload, reading).map(|(h, b)| Statement::RetireKey(h, b)),
        payload_type::KEY_COMPROMISE => {
            signed(payload, reading).map(|(h, b)| Statement::ReportKeyCompromise(h, b))
        }
        payload_type::ACCOUNT_OPENING => signed(payload, reading).map(|(h, b)| Statement::OpenAccount(h, b)),
        payload_type::ACCOUNT_STATUS_CHANGE => {
            boxed(payload, reading).map(|(h, b)| Statement::ChangeAccountStatus(h, b))
        }
        payload_type::RECORD_FACTS => boxed(payload, reading).map(|(h, b)| Statement::DepositRecord(h, b)),
        payload_type::RECORD_CORRECTION => {
            boxed(payload, reading).map(|(h, b)| Statement::CorrectRecord(h, b))
        }
        payload_type::RECORD_STATUS_CHANGE => {
            boxed(payload, reading).map(|(h, b)| Statement::ChangeRecordStatus(h, b))
        }
        payload_type::BATCH_MANIFEST => signed(payload, reading).map(|(h, b)| Statement::OpenBatch(h, b)),
        payload_type::BATCH_CLOSE => signed(payload, reading).map(|(h, b)| Statement::CloseBatch(h, b)),
        payload_type::SERVER_START => signed(payload, reading).map(|(h, b)| Statement::StartServer(h, b)),
        payload_type::PROTOCOL_UPGRADE => {
            signed(payload, reading).map(|(h, b)| Statement::UpgradeProtocol(h, b))
        }
        payload_type::RULE_BOOK_PUBLICATION => {
            boxed(payload, reading).map(|(h, b)| Statement::PublishRuleBook(h, b))
        }
        payload_type::RULE_BOOK_CHANGE => {
            boxed(payload, reading).map(|(h, b)| Statement::ChangeRuleBook(h, b))
        }
        payload_type::AUTO_APPROVAL => {
            boxed(payload, reading).map(|(h, b)| Statement::GiveAutoApproval(h, b))
        }
        payload_type::CONVERSION_REQUEST => {
            boxed(payload, reading).map(|(h, b)| Statement::RequestConversion(h, b))
        }
        payload_type::CONVERSION_DECISION => {
            boxed(payload, reading).map(|(h, b)| Statement::DecideConversion(h, b))
        }
        payload_type::CONVERSION_STEP => {
            boxed(payload, reading).map(|(h, b)| Statement::StepConversion(h, b))
        }
        payload_type::AWARD_REVERSAL => boxed(payload, reading).map(|(h, b)| Statement::ReverseAward(h, b)),
        other => Err(InvalidField::payload_type(other)),
    }
}

/// The body of a statement.
pub trait Signable: Sized {
    /// Its payload type.
    const TYPE: &'static str;
    /// Its message.
    type Wire: Canonical;

    /// The message with a header, or, for a leaf or a part of another statement, without one.
    fn to_wire(&self, header: Option<&Header>) -> Self::Wire;

    /// Takes a canonical message apart and checks every bound. The header is there unless the statement may do
    /// without one, as record facts and account openings in leaves do.
    fn from_wire(wire: Self::Wire, reading: Reading) -> Result<(Option<Header>, Self), InvalidField>;

    /// The canonical payload: what is signed.
    fn payload(&self, header: Option<&Header>) -> Vec<u8> {
        strict::encode(&self.to_wire(header))
    }

    /// Reads a payload as it arrives.
    fn from_payload(bytes: &[u8], admit: Admit) -> Result<(Option<Header>, Self), InvalidField> {
        Self::read(bytes, Reading { admit, stage: Stage::Admission })
    }

    /// Reads a payload at a stage.
    fn read(bytes: &[u8], reading: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        Self::from_wire(strict::decode(bytes)?, reading)
    }
}

/// A body that also stands in a batch, without a header: the manifest's is its own.
pub trait Leaf: Signable {
    /// The canonical payload of a leaf.
    fn leaf_payload(&self) -> Vec<u8> {
        self.payload(None)
    }

    /// Reads the payload of a leaf, at most 512 bytes.
    fn leaf(bytes: &[u8]) -> Result<Self, InvalidField> {
        if bytes.len() > LEAF_BYTES_MAX {
            let problem =
                format!("has {} bytes, a leaf has at most {LEAF_BYTES_MAX}: shorten it", bytes.len());
            return Err(InvalidField::new("", problem));
        }
        // A leaf holds neither keys nor text for people: there is nothing to admit, and both stages are alike.
        let reading = Reading { admit: |_| None, stage: Stage::Replay };
        let (header, body) = Self::read(bytes, reading)?;
        ensure(header.is_none(), "header", "must be absent in a leaf: the manifest's header stands for all")?;
        Ok(body)
    }
}

/// A secret part: committed to in a statement, sealed in the vault, never in an entry.
pub trait Secret: Sized {
    /// Its payload type.
    const TYPE: &'static str;
    /// Its message.
    type Wire: Canonical;

    /// The message.
    fn to_wire(&self) -> Self::Wire;

    /// Takes a canonical message apart and checks every bound.
    fn from_wire(wire: Self::Wire, stage: Stage) -> Result<Self, InvalidField>;

    /// The canonical payload: what is committed to.
    fn payload(&self) -> Vec<u8> {
        strict::encode(&self.to_wire())
    }

    /// Reads a payload as it arrives.
    fn from_payload(bytes: &[u8]) -> Result<Self, InvalidField> {
        Self::read(bytes, Stage::Admission)
    }

    /// Reads a payload at a stage.
    fn read(bytes: &[u8], stage: Stage) -> Result<Self, InvalidField> {
        Self::from_wire(strict::decode(bytes)?, stage)
    }
}

/// The header of a statement that can't do without one.
pub(crate) fn header(wire: Option<v1::StatementHeader>) -> Result<Option<Header>, InvalidField> {
    let header = optional_header(wire)?;
    required("header", header).map(Some)
}

/// The header of a statement that is also a leaf or part of another.
pub(crate) fn optional_header(wire: Option<v1::StatementHeader>) -> Result<Option<Header>, InvalidField> {
    let Some(header) = any_header(wire).at("header")? else { return Ok(None) };
    required("header.log_id", header.log_id)?;
    Ok(Some(header))
}

/// The header of a genesis: the log it belongs to has neither a name nor a head when it is signed.
pub(crate) fn genesis_header(wire: Option<v1::StatementHeader>) -> Result<Option<Header>, InvalidField> {
    let header = required("header", any_header(wire).at("header")?)?;
    ensure(header.log_id.is_none(), "header.log_id", "must be absent in a genesis: leave it out")?;
    ensure(header.anchor.is_none(), "header.anchor", "must be absent in a genesis: leave it out")?;
    Ok(Some(header))
}

fn any_header(wire: Option<v1::StatementHeader>) -> Result<Option<Header>, InvalidField> {
    let Some(v1::StatementHeader { log_id, statement_id, signer_id, anchor: anchor_wire }) = wire else {
        return Ok(None);
    };
    Ok(Some(Header {
        log_id: optional_sized("log_id", &log_id, LogId::from_slice)?,
        statement_id: sized("statement_id", &statement_id, CommandId::from_uuid)?,
        signer: named("signer_id", signer_id, |text| SignerId::parse(&text))?,
        anchor: anchor_wire.map(anchor).transpose().at("anchor")?,
    }))
}

fn anchor(wire: v1::Anchor) -> Result<Anchor, InvalidField> {
    let v1::Anchor { size, root } = wire;
    Ok(Anchor { size: range("size", size, 1..=u64::MAX)?, root: sized("root", &root, Digest::from_slice)? })
}

/// A header as it stands in a message.
pub(crate) fn header_wire(header: Option<&Header>) -> Option<v1::StatementHeader> {
    let Header { log_id, statement_id, signer, anchor } = header?;
    let anchor =
        anchor.as_ref().map(|Anchor { size, root }| v1::Anchor { size: *size, root: root.0.to_vec() });
    Some(v1::StatementHeader {
        log_id: log_id.map(|id| id.0.to_vec()).unwrap_or_default(),
        statement_id: statement_id.0.to_vec(),
        signer_id: signer.as_str().to_owned(),
        anchor,
    })
}
