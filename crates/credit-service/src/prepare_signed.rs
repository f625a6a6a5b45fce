//! Opens envelopes: the statement in each, once every signature of it has been verified strictly. Many are opened
//! together where many wait, for their signatures cost a fraction then; what is valid does not depend on it.

use crate::failure::Failure;
use crate::prepare::{Expected, Prepared, Preparer, Secrets};
use crate::reader::admit;
use crate::side_items::seal_sides;
use credit_ledger::{Row, RowId};
use credit_log::envelope::PublicKey;
use credit_log::strict_batch::StrictBatch;
use credit_proto::entry::StatementPart;
use credit_proto::{Envelope, Statement, decode_statement, v1};
use credit_types::{Kid, Reason, Rejection};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

/// The most public keys that are kept ready: about 200 bytes each. A key that is not among them is admitted anew.
pub(crate) const KEYS_KEPT_MAX: usize = 16_384;

/// A statement with all that comes with it.
pub(crate) struct Submission {
    pub(crate) expected: Expected,
    pub(crate) envelope: Option<v1::Envelope>,
    pub(crate) secrets: Secrets,
    pub(crate) want_receipt: bool,
}

impl Submission {
    /// A statement that nothing secret comes with.
    pub(crate) fn plain(expected: Expected, envelope: Option<v1::Envelope>, want_receipt: bool) -> Self {
        Self { expected, envelope, secrets: Secrets::default(), want_receipt }
    }

    /// A statement with its secret part.
    pub(crate) fn secret(
        expected: Expected,
        envelope: Option<v1::Envelope>,
        secret: Option<v1::SecretPart>,
        want_receipt: bool,
    ) -> Self {
        Self { expected, envelope, secrets: Secrets { secret, ..Secrets::default() }, want_receipt }
    }

    /// A statement with an explanation.
    pub(crate) fn explained(
        expected: Expected,
        envelope: Option<v1::Envelope>,
        explanation: Option<v1::SecretPart>,
        want_receipt: bool,
    ) -> Self {
        Self { expected, envelope, secrets: Secrets { explanation, ..Secrets::default() }, want_receipt }
    }
}

/// Keys of the log, decompressed and admitted: a key is what its id says, for ever.
#[derive(Default)]
pub(crate) struct ReadyKeys(RwLock<BTreeMap<Kid, PublicKey>>);

impl ReadyKeys {
    fn get(&self, kid: Kid) -> Option<PublicKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&kid).cloned()
    }

    fn keep(&self, kid: Kid, key: PublicKey) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_KEPT_MAX {
            keys.clear();
        }
        keys.insert(kid, key);
    }
}

/// An envelope that was taken apart, with the places of its signatures among those that are verified together.
struct Opened {
    envelope: Envelope,
    statement: Statement,
    signatures: Range<usize>,
}

impl Preparer {
    /// Prepares a signed statement with its secret part and its explanation.
    pub fn statement(
        &self,
        expected: Expected,
        envelope: Option<v1::Envelope>,
        secret: Option<v1::SecretPart>,
        explanation: Option<v1::SecretPart>,
        want_receipt: bool,
    ) -> Result<Prepared, Failure> {
        let secrets = Secrets { secret, explanation, blob: None };
        self.one(Submission { expected, envelope, secrets, want_receipt })
    }

    /// Prepares the publication of a rule book with its canonical JSON.
    pub fn rule_book(
        &self,
        envelope: Option<v1::Envelope>,
        blob: Vec<u8>,
        want_receipt: bool,
    ) -> Result<Prepared, Failure> {
        let secrets = Secrets { blob: Some(blob), ..Secrets::default() };
        self.one(Submission { expected: Expected::PublishRuleBook, envelope, secrets, want_receipt })
    }

    fn one(&self, submission: Submission) -> Result<Prepared, Failure> {
        let prepared = self.together(vec![submission]).pop();
        prepared.unwrap_or_else(|| Err(Failure::Fault("a statement was not prepared".to_owned())))
    }

    /// Prepares statements, each for itself but for their signatures; in their order.
    pub(crate) fn together(&self, submissions: Vec<Submission>) -> Vec<Result<Prepared, Failure>> {
        let mut batch = StrictBatch::new(self.reader.shared.seed.clone());
        let opened: Vec<_> = submissions
            .into_iter()
            .map(|Submission { expected, envelope, secrets, want_receipt }| {
                self.opened(expected, envelope, &mut batch).map(|opened| (opened, secrets, want_receipt))
            })
            .collect();
        let wrong = batch.verify().err().map(|wrong| wrong.numbers).unwrap_or_default();
        opened
            .into_iter()
            .map(|opened| {
                let (opened, secrets, want_receipt) = opened?;
                let signers = signers(&opened, &wrong)?;
                self.finished(opened, signers, secrets, want_receipt)
            })
            .collect()
    }

    fn finished(
        &self,
        opened: Opened,
        signers: Vec<Kid>,
        secrets: Secrets,
        want_receipt: bool,
    ) -> Result<Prepared, Failure> {
        let (command, signer, side) = self.command(opened.statement, signers, secrets)?;
        let statements = vec![StatementPart::Signed(opened.envelope)];
        let sides = vec![side];
        let items = seal_sides(self.keyring(), &sides)?;
        Ok(Prepared { command, signer, statements, sides, items, want_receipt })
    }

    /// That the publication of a rule book is signed by a key of the authority: asked before the book is taken in.
    pub(crate) fn signed_by_authority(&self, envelope: Option<v1::Envelope>) -> Result<(), Failure> {
        let mut batch = StrictBatch::new(self.reader.shared.seed.clone());
        let opened = self.opened(Expected::PublishRuleBook, envelope, &mut batch)?;
        let wrong = batch.verify().err().map(|wrong| wrong.numbers).unwrap_or_default();
        let signers = signers(&opened, &wrong)?;
        let authority = &self.reader.genesis().authority_keys;
        let signed = signers.iter().any(|kid| authority.iter().any(|key| key.kid == *kid));
        let none = || Rejection::new(Reason::ThresholdNotMet).field("envelope.signatures");
        if signed { Ok(()) } else { Err(none().into()) }
    }

    /// Takes an envelope apart; its signatures come into the batch, under the keys that the log knows and those that the
    /// statement brings.
    fn opened(
        &self,
        expected: Expected,
        envelope: Option<v1::Envelope>,
        batch: &mut StrictBatch,
    ) -> Result<Opened, Failure> {
        let Some(envelope) = envelope else {
            return Err(Rejection::new(Reason::FieldInvalid).field("envelope").detail("is missing").into());
        };
        let envelope = Envelope::try_from(envelope)?;
        if envelope.payload_type != expected.payload_type() {
            let problem = format!("must be {}", expected.payload_type());
            return Err(Rejection::new(Reason::PayloadTypeWrong)
                .field("envelope.payload_type")
                .detail(problem)
                .into());
        }
        let statement = decode_statement(&envelope.payload_type, &envelope.payload, admit)
            .map_err(|invalid| invalid.within("envelope.payload"))?;
        let brought = statement.brought_keys();
        let mut keys = Vec::with_capacity(envelope.signatures.len());
        for (kid, _) in &envelope.signatures {
            let key = match brought.iter().find(|key| key.kid == *kid) {
                // It has been admitted while the statement was read.
                Some(key) => PublicKey::admit(&key.bytes).map_err(|_| invalid(*kid))?,
                None => self.known_key(*kid)?.ok_or_else(|| {
                    Rejection::new(Reason::KeyUnknown).field("envelope.signatures").detail(kid.to_string())
                })?,
            };
            keys.push(key);
        }
        let first = batch.len();
        for (key, (kid, signature)) in keys.iter().zip(&envelope.signatures) {
            let pushed = batch.push_statement(key, &envelope.payload_type, &envelope.payload, signature);
            // The workshop takes fewer statements at once than fill a batch.
            pushed.map_err(|full| Failure::Fault(format!("verify a signature of {kid}: {full}")))?;
        }
        Ok(Opened { envelope, statement, signatures: first..batch.len() })
    }

    /// A key of the log: the authority's, the operator's, or an institution's.
    fn known_key(&self, kid: Kid) -> Result<Option<PublicKey>, Failure> {
        let ready = &self.reader.shared.keys;
        if let Some(key) = ready.get(kid) {
            return Ok(Some(key));
        }
        let genesis = self.reader.genesis();
        let own = genesis.authority_keys.iter().chain(&genesis.operator_keys).find(|key| key.kid == kid);
        let bytes = match own {
            Some(key) => key.bytes,
            None => match self.reader.row(&RowId::Key(kid))? {
                Some(Row::Key(row)) => row.key.key.bytes,
                _ => return Ok(None),
            },
        };
        let key = PublicKey::admit(&bytes).map_err(|_| invalid(kid))?;
        ready.keep(kid, key.clone());
        Ok(Some(key))
    }
}

/// Who signed, if no signature is among those found wrong.
fn signers(opened: &Opened, wrong: &[usize]) -> Result<Vec<Kid>, Failure> {
    let signatures = opened.signatures.clone().zip(&opened.envelope.signatures);
    signatures
        .map(|(number, (kid, _))| match wrong.binary_search(&number) {
            Ok(_) => Err(invalid(*kid).into()),
            Err(_) => Ok(*kid),
        })
        .collect()
}

fn invalid(kid: Kid) -> Rejection {
    Rejection::new(Reason::SignatureInvalid).field("envelope.signatures").detail(kid.to_string())
}
