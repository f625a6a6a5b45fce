//! Everything about a command that needs no order, done before the writer sees it: strict decoding, signatures,
//! commitments, sealing.

use crate::failure::Failure;
use crate::keyring::Keyring;
use crate::random;
use crate::reader::Reader;
use crate::reckon::ConversionSide;
use crate::rows;
use crate::seal::Secret;
use crate::side_items::{explain, explained};
use crate::vault::{self, AccountSecret, Item, SecretPart};
use credit_ledger::{BatchRow, Row, RowId};
use credit_log::commitment::{DETAILS_LABEL, IDENTITY_LABEL, commit};
use credit_proto::entry::StatementPart;
use credit_proto::{Secret as _, Statement, payload_type, v1};
use credit_types::limits::{CHUNK_LEAVES_MAX, PAYLOAD_BYTES_MAX};
use credit_types::{
    AccountIdentity, AccountOpening, AccountRef, AliasAsserted, AliasCheck, Command, DepositCheck, Details,
    Digest, Header, InstitutionId, Kid, OpeningDraw, Reason, RecordDetails, RecordFacts, RecordId, Rejection,
    Signed, SignerId,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Which statement a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// `institution-admission.v1`.
    AdmitInstitution,
    /// `framework-publication.v1`.
    PublishFramework,
    /// `key-addition.v1`.
    AddKey,
    /// `key-retirement.v1`.
    RetireKey,
    /// `key-compromise.v1`.
    ReportKeyCompromise,
    /// `account-opening.v1`.
    OpenAccount,
    /// `account-status-change.v1`.
    ChangeAccountStatus,
    /// `record-facts.v1`.
    DepositRecord,
    /// `record-correction.v1`.
    CorrectRecord,
    /// `record-status-change.v1`.
    ChangeRecordStatus,
    /// `batch-manifest.v1`.
    OpenBatch,
    /// `batch-close.v1`.
    CloseBatch,
    /// `server-start.v1`; only the server itself submits it.
    StartServer,
    /// `protocol-upgrade.v1`.
    UpgradeProtocol,
    /// `rule-book-publication.v1`; comes with the book.
    PublishRuleBook,
    /// `rule-book-change.v1`.
    ChangeRuleBook,
    /// `auto-approval.v1`.
    GiveAutoApproval,
    /// `conversion-request.v1`.
    RequestConversion,
    /// `conversion-decision.v1`.
    DecideConversion,
    /// `conversion-step.v1`.
    StepConversion,
    /// `award-reversal.v1`.
    ReverseAward,
}

impl Expected {
    pub(crate) fn payload_type(self) -> &'static str {
        match self {
            Self::AdmitInstitution => payload_type::INSTITUTION_ADMISSION,
            Self::PublishFramework => payload_type::FRAMEWORK_PUBLICATION,
            Self::AddKey => payload_type::KEY_ADDITION,
            Self::RetireKey => payload_type::KEY_RETIREMENT,
            Self::ReportKeyCompromise => payload_type::KEY_COMPROMISE,
            Self::OpenAccount => payload_type::ACCOUNT_OPENING,
            Self::ChangeAccountStatus => payload_type::ACCOUNT_STATUS_CHANGE,
            Self::DepositRecord => payload_type::RECORD_FACTS,
            Self::CorrectRecord => payload_type::RECORD_CORRECTION,
            Self::ChangeRecordStatus => payload_type::RECORD_STATUS_CHANGE,
            Self::OpenBatch => payload_type::BATCH_MANIFEST,
            Self::CloseBatch => payload_type::BATCH_CLOSE,
            Self::StartServer => payload_type::SERVER_START,
            Self::UpgradeProtocol => payload_type::PROTOCOL_UPGRADE,
            Self::PublishRuleBook => payload_type::RULE_BOOK_PUBLICATION,
            Self::ChangeRuleBook => payload_type::RULE_BOOK_CHANGE,
            Self::GiveAutoApproval => payload_type::AUTO_APPROVAL,
            Self::RequestConversion => payload_type::CONVERSION_REQUEST,
            Self::DecideConversion => payload_type::CONVERSION_DECISION,
            Self::StepConversion => payload_type::CONVERSION_STEP,
            Self::ReverseAward => payload_type::AWARD_REVERSAL,
        }
    }
}

/// What belongs to one statement or leaf beside the command: secrets, keys, pseudonyms.
pub(crate) enum Side {
    /// Nothing.
    None,
    /// A new account.
    Opening(Box<OpeningSide>),
    /// A record.
    Deposit(Box<DepositSide>),
    /// A change with an explanation.
    Explained(AccountRef, SecretPart),
    /// An application.
    Conversion(Box<ConversionSide>),
    /// A rule book: its canonical JSON.
    Book(Vec<u8>),
}

/// A new account's key, number, aliases and sealed identity.
pub(crate) struct OpeningSide {
    pub(crate) account_ref: AccountRef,
    pub(crate) data_key: Secret,
    pub(crate) number: String,
    pub(crate) aliases: Vec<[u8; 32]>,
    pub(crate) item: Item,
    pub(crate) account_row: Vec<u8>,
}

/// A record's details and fingerprint.
pub(crate) struct DepositSide {
    pub(crate) account_ref: AccountRef,
    pub(crate) record: (InstitutionId, RecordId),
    pub(crate) secrets: Vec<SecretPart>,
    pub(crate) fingerprint: [u8; 32],
    /// The key and the sealed value of the fingerprint's row.
    pub(crate) fingerprint_row: (Vec<u8>, Vec<u8>),
}

/// A command that is ready to be ordered.
pub struct Prepared {
    pub(crate) command: Command,
    pub(crate) signer: SignerId,
    /// The statement, or one part per leaf that was not refused.
    pub(crate) statements: Vec<StatementPart>,
    /// In the order of `statements`.
    pub(crate) sides: Vec<Side>,
    /// The sealed items, for the case that every leaf is accepted; `None` where an account has no key yet.
    pub(crate) items: Option<Vec<Item>>,
    pub(crate) want_receipt: bool,
}

impl Prepared {
    /// Who signed it.
    pub fn signer(&self) -> &SignerId {
        &self.signer
    }
}

/// What comes with a statement beside its envelope.
#[derive(Default)]
pub(crate) struct Secrets {
    pub(crate) secret: Option<v1::SecretPart>,
    pub(crate) explanation: Option<v1::SecretPart>,
    pub(crate) blob: Option<Vec<u8>>,
}

/// Whom a fingerprint is about.
pub(crate) struct Person {
    account: AccountRef,
    name: Vec<u8>,
}

/// Prepares commands.
#[derive(Clone)]
pub struct Preparer {
    pub(crate) reader: Reader,
}

/// A secret part that comes with a statement, checked against its commitment.
pub(crate) fn opened(
    field: &str,
    label: &str,
    secret_type: &str,
    commitment: Digest,
    part: Option<v1::SecretPart>,
) -> Result<SecretPart, Failure> {
    let Some(v1::SecretPart { salt, payload }) = part else {
        return Err(Rejection::new(Reason::FieldInvalid)
            .field(field)
            .detail("is missing; send salt and payload")
            .into());
    };
    let salt = <[u8; 32]>::try_from(salt.as_slice()).map_err(|_| {
        let problem = format!("must be 32 bytes, is {}", salt.len());
        Failure::from(Rejection::new(Reason::FieldInvalid).field(format!("{field}.salt")).detail(problem))
    })?;
    if payload.len() > PAYLOAD_BYTES_MAX {
        let problem = format!("must be at most {PAYLOAD_BYTES_MAX} bytes, is {}", payload.len());
        return Err(Rejection::new(Reason::FieldInvalid)
            .field(format!("{field}.payload"))
            .detail(problem)
            .into());
    }
    if commit(label, &salt, secret_type, &payload) != commitment.0 {
        return Err(Rejection::new(Reason::CommitmentMismatch).field(field).into());
    }
    Ok(SecretPart { commitment, salt, payload })
}

impl Preparer {
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.reader.shared.keyring
    }

    /// The command that a verified statement asks for, and what belongs to it.
    pub(crate) fn command(
        &self,
        statement: Statement,
        signers: Vec<Kid>,
        secrets: Secrets,
    ) -> Result<(Command, SignerId, Side), Failure> {
        let Secrets { secret, explanation, blob } = secrets;
        let signer = statement.header().signer.clone();
        let (command, side) = match statement {
            Statement::Genesis(..) => return Err(Reason::LedgerExists.into()),
            Statement::AdmitInstitution(header, body) => {
                (Command::AdmitInstitution(Box::new(signed(header, *body, signers))), Side::None)
            }
            Statement::PublishFramework(header, body) => {
                (Command::PublishFramework(Box::new(signed(header, *body, signers))), Side::None)
            }
            Statement::AddKey(header, body) => {
                (Command::AddKey(Box::new(signed(header, *body, signers))), Side::None)
            }
            Statement::RetireKey(header, body) => {
                (Command::RetireKey(signed(header, body, signers)), Side::None)
            }
            Statement::ReportKeyCompromise(header, body) => {
                (Command::ReportKeyCompromise(signed(header, body, signers)), Side::None)
            }
            Statement::OpenAccount(header, body) => {
                let (draw, side) = self.opening(body, secret)?;
                (Command::OpenAccount(signed(header, body, signers), draw), side)
            }
            Statement::ChangeAccountStatus(header, body) => {
                let side = explain(body.account_ref, body.explanation_commitment, explanation)?;
                (Command::ChangeAccountStatus(signed(header, *body, signers)), side)
            }
            Statement::DepositRecord(header, body) => {
                let (check, side) = self.deposit(issuer(&signer)?, &body, secret, &mut None)?;
                (
                    Command::DepositRecord(Box::new(signed(header, *body, signers)), Box::new(check)),
                    Side::Deposit(side),
                )
            }
            Statement::CorrectRecord(header, body) => {
                let (check, mut side) = self.deposit(issuer(&signer)?, &body.facts, secret, &mut None)?;
                if let Some(commitment) = body.explanation_commitment {
                    side.secrets.push(explained(commitment, explanation)?);
                }
                (
                    Command::CorrectRecord(Box::new(signed(header, *body, signers)), Box::new(check)),
                    Side::Deposit(side),
                )
            }
            Statement::ChangeRecordStatus(header, body) => {
                let side = explain(body.account_ref, body.explanation_commitment, explanation)?;
                (Command::ChangeRecordStatus(Box::new(signed(header, *body, signers))), side)
            }
            Statement::OpenBatch(header, body) => {
                (Command::OpenBatch(signed(header, body, signers)), Side::None)
            }
            Statement::CloseBatch(header, body) => {
                (Command::CloseBatch(signed(header, body, signers)), Side::None)
            }
            Statement::StartServer(header, body) => {
                (Command::StartServer(signed(header, body, signers)), Side::None)
            }
            Statement::UpgradeProtocol(..)
            | Statement::PublishRuleBook(..)
            | Statement::ChangeRuleBook(..)
            | Statement::GiveAutoApproval(..)
            | Statement::RequestConversion(..)
            | Statement::DecideConversion(..)
            | Statement::StepConversion(..)
            | Statement::ReverseAward(..) => {
                let secrets = Secrets { secret, explanation, blob };
                self.of_protocol_2(statement, signers, secrets)?
            }
        };
        Ok((command, signer, side))
    }

    /// Draws what a new account needs and seals its identity.
    pub(crate) fn opening(
        &self,
        body: AccountOpening,
        identity: Option<v1::SecretPart>,
    ) -> Result<(OpeningDraw, Side), Failure> {
        let part = opened(
            "identity",
            IDENTITY_LABEL,
            payload_type::ACCOUNT_IDENTITY,
            body.identity_commitment,
            identity,
        )?;
        let identity = AccountIdentity::from_payload(&part.payload)
            .map_err(|invalid| invalid.within("identity.payload"))?;
        let (account_ref, data_key) = (random::account_ref()?, Zeroizing::new(random::bytes()?));
        let number = random::account_number()?;
        let (pepper_version, pepper) = self.keyring().pepper();
        let aliases = vault::aliases(pepper, &number, &identity);
        let checks = aliases
            .iter()
            .map(|(kind, _)| AliasCheck {
                asserted: AliasAsserted { kind: *kind, pepper_version },
                taken: false,
            })
            .collect();
        let document = aliases
            .iter()
            .find(|(kind, _)| *kind == credit_types::AliasKind::Document)
            .map(|(_, pseudonym)| *pseudonym);
        let aliases: Vec<[u8; 32]> = aliases.into_iter().map(|(_, pseudonym)| pseudonym).collect();
        let secret = AccountSecret { number: number.clone(), document, aliases: aliases.clone() };
        let side = OpeningSide {
            account_row: vault::seal_account(&data_key, account_ref, &secret)?,
            item: vault::seal_item(&data_key, &[part])?,
            account_ref,
            data_key,
            number,
            aliases,
        };
        Ok((OpeningDraw { account_ref, aliases: checks }, Side::Opening(Box::new(side))))
    }

    /// Checks a record's details against their commitment and computes its fingerprint. `last` is whom the one before was
    /// about: a learner's records come together.
    pub(crate) fn deposit(
        &self,
        issuer: &InstitutionId,
        facts: &RecordFacts,
        details: Option<v1::SecretPart>,
        last: &mut Option<Person>,
    ) -> Result<(DepositCheck, Box<DepositSide>), Failure> {
        let part = opened(
            "details",
            DETAILS_LABEL,
            payload_type::RECORD_DETAILS,
            facts.details_commitment,
            details,
        )?;
        let details = RecordDetails::from_payload(&part.payload)
            .map_err(|invalid| invalid.within("details.payload"))?;
        let person = match last.take() {
            Some(person) if person.account == facts.account_ref => person,
            Some(_) | None => {
                // The writer will ask for the account next. What it is does not matter here: its page is at hand then.
                drop(self.reader.row(&RowId::Account(facts.account_ref))?);
                self.person(facts.account_ref)?
            }
        };
        let person = last.insert(person);
        let (fingerprint_version, pepper) = self.keyring().pepper();
        let (code, certificate) = (details.catalogue_ref.as_str(), details.certificate_no.as_str());
        let fingerprint = vault::fingerprint(pepper, issuer, facts, code, certificate, &person.name);
        let check = DepositCheck {
            details: Details::Known(Box::new(details)),
            fingerprint_version,
            fingerprint_taken: false,
        };
        let record = (issuer.clone(), facts.record_id);
        let key = rows::fingerprint_key(facts.account_ref, &fingerprint);
        let plain = vault::fingerprint_value(issuer, facts.record_id);
        let value = vault::seal_fingerprint(self.keyring(), &fingerprint, &plain)?;
        let side = DepositSide {
            account_ref: facts.account_ref,
            record,
            secrets: vec![part],
            fingerprint,
            fingerprint_row: (key, value),
        };
        Ok((check, Box::new(side)))
    }

    /// Whom a fingerprint is about: the pseudonym of the document, else the account.
    fn person(&self, account: AccountRef) -> Result<Person, Failure> {
        let row = self.reader.shared.row_bytes(&rows::account_secret_key(account))?;
        let document = match self.keyring().data_key(account).zip(row) {
            Some((key, sealed)) => vault::open_account(&key, account, &sealed)?.document,
            None => None,
        };
        let name = document.map_or_else(|| account.as_bytes().to_vec(), |pseudonym| pseudonym.to_vec());
        Ok(Person { account, name })
    }

    /// The state of a batch by the index of its manifest's entry.
    pub fn manifest_of(&self, manifest_index: u64) -> Result<BatchRow, Failure> {
        match self.reader.row(&RowId::Batch(manifest_index))? {
            Some(Row::Batch(row)) => Ok(Arc::unwrap_or_clone(row)),
            _ => Err(Rejection::new(Reason::BatchUnknown).index(manifest_index).into()),
        }
    }
}

pub(crate) fn signed<B>(header: Header, body: B, signers: Vec<Kid>) -> Signed<B> {
    Signed { header, body, signers }
}

/// The institution that a record's signer must be.
fn issuer(signer: &SignerId) -> Result<&InstitutionId, Failure> {
    signer.institution().ok_or_else(|| {
        Rejection::new(Reason::SignerNotAllowed).field("envelope.payload.header.signer_id").into()
    })
}

/// A chunk has 1 to this many leaves.
pub(crate) const LEAVES_MAX: usize = CHUNK_LEAVES_MAX;
