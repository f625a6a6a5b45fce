//! Receipts: what a write brings home, and what must hold before it is called recorded.

use credit_log::receipt::TlogProof;
use credit_proto::v1;
use credit_types::{CommandId, Digest};
use credit_verify::{VerifiedReceipt, Witnesses, expects_statement, verify_receipt};
use prost::Message as _;
use std::time::Duration;

use crate::builder::Client;
use crate::call::log;
use crate::clock;
use crate::error::{BadReceipt, ClientError};
use crate::history::SeenHead;
use crate::signer::Outgoing;

/// The most bytes of a receipt: a proof, and the largest entry with a path for each of its parts.
pub const RECEIPT_BYTES_MAX: usize = 2 << 20;

/// The longest that a receipt is waited for until enough witnesses have cosigned.
pub const WITNESS_WAIT_MAX: Duration = Duration::from_secs(600);
/// Between two questions for the same receipt.
const WITNESS_PAUSE: Duration = Duration::from_millis(500);

/// Proof that an entry is in the log, to be kept: with a trust file it convinces anybody, without a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    wire: v1::Receipt,
}

/// Bytes that are not a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// More than [`RECEIPT_BYTES_MAX`] bytes.
    #[error("a receipt has at most {RECEIPT_BYTES_MAX} bytes")]
    TooLong,
    /// They cannot be decoded.
    #[error("the bytes are not a receipt")]
    Form(#[source] prost::DecodeError),
}

impl Receipt {
    pub(crate) fn of(wire: v1::Receipt) -> Self {
        Self { wire }
    }

    /// The message.
    pub(crate) fn wire(&self) -> &v1::Receipt {
        &self.wire
    }

    /// Reads a receipt; it is worth nothing until it is verified.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLong);
        }
        v1::Receipt::decode(bytes).map(|wire| Self { wire }).map_err(ReceiptError::Form)
    }

    /// The receipt as it is kept in a file: the protobuf message `creditbank.v1.Receipt`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.wire.encode_to_vec()
    }

    /// Verifies it against what is pinned of a log, without a server.
    pub fn verify(&self, trust: &credit_verify::Trust) -> Result<VerifiedReceipt, credit_verify::Fault> {
        verify_receipt(&self.wire, trust)
    }
}

/// A write that is in the log, proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The statement's id.
    pub statement_id: CommandId,
    /// Index of its entry.
    pub index: u64,
    /// Leaf hash of its entry.
    pub leaf_hash: Digest,
    /// When the bank recorded it, in microseconds UTC.
    pub recorded_at_us: i64,
    /// Whether this very statement had been recorded before.
    pub replayed: bool,
    /// The proof.
    pub receipt: Receipt,
}

/// What a bank told of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) index: u64,
    pub(crate) leaf_hash: Digest,
}

/// Takes a position apart.
pub(crate) fn told(
    call: &'static str,
    position: Option<v1::Position>,
) -> Result<(Told, bool, Option<v1::Receipt>), ClientError> {
    let Some(v1::Position { index, leaf_hash, replayed, receipt }) = position else {
        return Err(ClientError::answer(call, "it has no position"));
    };
    let leaf_hash = Digest::from_slice(&leaf_hash);
    let leaf_hash = leaf_hash.map_err(|error| ClientError::answer(call, format!("leaf_hash {error}")))?;
    Ok((Told { index, leaf_hash }, replayed, receipt))
}

/// Checks that a receipt is of the very entry that was told.
pub(crate) fn of_entry(told: Told, receipt: &VerifiedReceipt) -> Result<(), BadReceipt> {
    let Told { index, leaf_hash } = told;
    if receipt.core.index != index {
        return Err(BadReceipt::OtherEntry { told: index, proved: receipt.core.index });
    }
    if receipt.leaf_hash != leaf_hash {
        return Err(BadReceipt::OtherLeaf { index, told: leaf_hash, proved: receipt.leaf_hash });
    }
    Ok(())
}

/// Checks that an entry records this statement, under its id and signer.
pub(crate) fn records(outgoing: &Outgoing, receipt: &VerifiedReceipt) -> Result<(), BadReceipt> {
    let index = receipt.core.index;
    let differs = |problem: &str| BadReceipt::OtherStatement { index, problem: problem.to_owned() };
    if receipt.head.actor != outgoing.signer {
        return Err(differs("it names another actor"));
    }
    if receipt.head.command_id != outgoing.statement_id {
        return Err(differs("it names another statement_id"));
    }
    let (payload_type, payload) = (&outgoing.envelope.payload_type, &outgoing.envelope.payload);
    expects_statement(receipt, payload_type, payload).map_err(|_| differs("it has another statement"))
}

/// A write whose receipt was verified, if it is of the entry that was told, and the entry records this statement.
pub(crate) fn recorded_as(
    outgoing: &Outgoing,
    told: Told,
    replayed: bool,
    receipt: Receipt,
    verified: &VerifiedReceipt,
) -> Result<Recorded, BadReceipt> {
    of_entry(told, verified)?;
    records(outgoing, verified)?;
    Ok(Recorded {
        statement_id: outgoing.statement_id,
        index: told.index,
        leaf_hash: told.leaf_hash,
        recorded_at_us: verified.core.recorded_at_us,
        replayed,
        receipt,
    })
}

impl Client {
    /// Verifies a receipt by itself and against the log as it was seen.
    pub(crate) async fn proved(&self, receipt: &v1::Receipt) -> Result<VerifiedReceipt, ClientError> {
        self.proved_since(None, receipt).await
    }

    /// The same, for an answer that is to be as of the newest head: its head must reach what had been seen before.
    pub(crate) async fn proved_since(
        &self,
        before: Option<SeenHead>,
        receipt: &v1::Receipt,
    ) -> Result<VerifiedReceipt, ClientError> {
        let verified = verify_receipt(receipt, &self.shared.trust)?;
        let proof = TlogProof::parse(&receipt.tlog_proof).map_err(credit_verify::Fault::ProofUnreadable)?;
        let head = SeenHead {
            size: verified.checkpoint.size,
            root: Digest(verified.checkpoint.root),
            checkpoint: proof.checkpoint,
        };
        self.remember_since(before, head).await?;
        Ok(verified)
    }

    /// What must hold before a statement is called recorded: its receipt verifies, under a head that continues the
    /// last one seen, and the entry is the one that was told and holds the very statement that was sent.
    pub(crate) async fn recorded(
        &self,
        call: &'static str,
        outgoing: &Outgoing,
        position: Option<v1::Position>,
    ) -> Result<(Recorded, VerifiedReceipt), ClientError> {
        let (told, replayed, receipt) = told(call, position)?;
        let receipt = receipt.ok_or(BadReceipt::Missing)?;
        let verified = self.proved(&receipt).await?;
        let recorded = recorded_as(outgoing, told, replayed, Receipt { wire: receipt }, &verified)?;
        Ok((recorded, verified))
    }

    /// Fetches the receipt of an entry under the latest checkpoint, and verifies it by itself and against the log as
    /// it was seen. It opens the parts that the caller may read.
    pub async fn get_receipt(&self, index: u64) -> Result<(Receipt, VerifiedReceipt), ClientError> {
        let (receipt, verified, _) = self.get_receipt_with_leaves(index).await?;
        Ok((receipt, verified))
    }

    /// The same, with the way of each opened leaf of a batch to the root that its manifest signs; that way is not
    /// verified here, for it takes the manifest.
    pub(crate) async fn get_receipt_with_leaves(
        &self,
        index: u64,
    ) -> Result<(Receipt, VerifiedReceipt, Vec<v1::LeafProof>), ClientError> {
        let call = |channel, request| async move { log(channel).get_receipt(request).await };
        let v1::GetReceiptResponse { receipt, leaves } =
            self.call(v1::GetReceiptRequest { index }, call).await?;
        let receipt = receipt.ok_or(BadReceipt::Missing)?;
        let verified = self.proved(&receipt).await?;
        if verified.core.index != index {
            return Err(BadReceipt::OtherEntry { told: index, proved: verified.core.index }.into());
        }
        Ok((Receipt { wire: receipt }, verified, leaves))
    }

    /// Asks for the receipt of an entry until it is cosigned by enough witnesses, at most so long, and gives the last
    /// one either way: `witnesses` of what was verified says which. Without a pinned policy nothing is waited for.
    pub async fn get_witnessed_receipt(
        &self,
        index: u64,
        within: Duration,
    ) -> Result<(Receipt, VerifiedReceipt), ClientError> {
        let began = clock::instant();
        let within = within.min(WITNESS_WAIT_MAX);
        loop {
            let (receipt, verified) = self.get_receipt(index).await?;
            let waits = match &verified.witnesses {
                Witnesses::Met(_) | Witnesses::NotPinned { .. } => false,
                Witnesses::NotMet => clock::instant().saturating_duration_since(began) < within,
            };
            if !waits {
                return Ok((receipt, verified));
            }
            tokio::time::sleep(WITNESS_PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::checkpoint::Checkpoint;
    use credit_proto::Envelope;
    use credit_proto::entry::StatementPart;
    use credit_types::{EntryCore, EntryHead, InstitutionId, Kid, SignerId};
    use std::collections::BTreeMap;

    fn outgoing() -> Outgoing {
        let envelope = Envelope {
            payload_type: "type".to_owned(),
            payload: vec![1, 2, 3],
            signatures: vec![(Kid([1; 32]), [2; 64])],
        };
        let signer = SignerId::Institution(InstitutionId::new("cn.x.school").unwrap());
        Outgoing { statement_id: CommandId([7; 16]), signer, envelope }
    }

    fn receipt() -> VerifiedReceipt {
        let Outgoing { statement_id, signer, mut envelope } = outgoing();
        // Another of the signer's keys may have signed the same statement before: payloads are compared.
        envelope.signatures[0].0 = Kid([9; 32]);
        VerifiedReceipt {
            core: EntryCore { index: 5, recorded_at_us: 1, parts_root: Digest([0; 32]) },
            leaf_hash: Digest([6; 32]),
            head: EntryHead { actor: signer, command_id: statement_id, links: 0, statements: 1, events: 1 },
            links: BTreeMap::new(),
            statements: BTreeMap::from([(0, StatementPart::Signed(envelope))]),
            events: BTreeMap::new(),
            checkpoint: Checkpoint { origin: "dev.example".to_owned(), size: 6, root: [3; 32] },
            witnesses: credit_verify::Witnesses::NotPinned { claimed: false },
        }
    }

    #[test]
    fn a_receipt_is_of_the_entry_that_was_told() {
        let told = Told { index: 5, leaf_hash: Digest([6; 32]) };
        assert_eq!(of_entry(told, &receipt()), Ok(()));
        let other = of_entry(Told { index: 4, ..told }, &receipt());
        assert_eq!(other, Err(BadReceipt::OtherEntry { told: 4, proved: 5 }));
        let other = of_entry(Told { leaf_hash: Digest([1; 32]), ..told }, &receipt());
        assert!(matches!(other, Err(BadReceipt::OtherLeaf { index: 5, .. })));
    }

    #[test]
    fn an_entry_that_records_something_else_is_no_success() {
        assert_eq!(records(&outgoing(), &receipt()), Ok(()));
        let refused = |bend: fn(&mut Outgoing)| {
            let mut bent = outgoing();
            bend(&mut bent);
            matches!(records(&bent, &receipt()), Err(BadReceipt::OtherStatement { index: 5, .. }))
        };
        assert!(refused(|bent| bent.signer = SignerId::Authority));
        assert!(refused(|bent| bent.statement_id = CommandId([8; 16])));
        assert!(refused(|bent| bent.envelope.payload[0] = 9));
        assert!(refused(|bent| bent.envelope.payload_type.push('2')));
    }

    #[test]
    fn a_receipt_is_read_back_as_it_was_kept_and_not_without_bound() {
        let part = v1::PartOpening { number: 0, salt: vec![1; 32], part: vec![1], path: vec![vec![2; 32]] };
        let wire = v1::Receipt {
            core: vec![1],
            tlog_proof: "proof".to_owned(),
            parts: vec![part],
            witness_state: 1,
        };
        let receipt = Receipt { wire };
        assert_eq!(Receipt::from_bytes(&receipt.to_bytes()).as_ref(), Ok(&receipt));
        assert!(matches!(Receipt::from_bytes(&[0xff]), Err(ReceiptError::Form(_))));
        let padded = |bytes: usize| {
            let proof = "x".repeat(bytes - 4);
            let wire = v1::Receipt { tlog_proof: proof, ..v1::Receipt::default() };
            let encoded = wire.encode_to_vec();
            assert_eq!(encoded.len(), bytes);
            Receipt::from_bytes(&encoded)
        };
        assert!(padded(RECEIPT_BYTES_MAX).is_ok());
        assert_eq!(padded(RECEIPT_BYTES_MAX + 1), Err(ReceiptError::TooLong));
    }
}
