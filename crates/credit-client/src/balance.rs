//! Balances: asked for, and proved where they are signed.

use credit_proto::{BankSigned as _, v1};
use credit_types::{AccountRef, BalanceStatement, CivilDate, Subject};
use credit_verify::{Fault, Trust, VerifiedReceipt, verify_balance};
use prost::Message as _;

use crate::builder::Client;
use crate::call::accounts;
use crate::error::{BadReceipt, ClientError};
use crate::receipt::{RECEIPT_BYTES_MAX, Receipt};

/// Which balance is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BalanceQuery {
    /// The account; a learner may leave it out.
    pub account_ref: Option<AccountRef>,
    /// After this entry; `None`: now. A signed balance is always of now.
    pub at_index: Option<u64>,
    /// The date at which validity is judged; `None`: today, by the log.
    pub as_of: Option<CivilDate>,
    /// Whether the bank is to sign it.
    pub want_signed: bool,
    /// An entry that must be counted in: the index of one's own last write.
    pub min_entry_index: Option<u64>,
}

/// A balance.
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// The sums. With a signature they are the bank's word for good; without, its word for the moment.
    pub statement: BalanceStatement,
    /// The bank's signature, where it was asked for.
    pub signed: Option<SignedBalance>,
}

/// A balance under the bank's signature, to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedBalance {
    envelope: v1::Envelope,
    /// The receipt of the account's last entry, under the very head for which the balance is signed.
    pub receipt: Receipt,
}

/// The most bytes of a signed balance that was kept: a receipt and one signed payload.
pub const BALANCE_BYTES_MAX: usize = RECEIPT_BYTES_MAX + (64 << 10);

/// Bytes that are not a signed balance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BalanceError {
    /// More than [`BALANCE_BYTES_MAX`] bytes.
    #[error("a signed balance has at most {BALANCE_BYTES_MAX} bytes")]
    TooLong,
    /// They cannot be decoded.
    #[error("the bytes are not a signed balance")]
    Form(#[source] prost::DecodeError),
    /// They lack the signed statement or the receipt.
    #[error("there is no {0}")]
    Missing(&'static str),
}

impl SignedBalance {
    /// Reads what was kept; it is worth nothing until it is verified.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BalanceError> {
        if bytes.len() > BALANCE_BYTES_MAX {
            return Err(BalanceError::TooLong);
        }
        let kept = v1::GetBalanceResponse::decode(bytes).map_err(BalanceError::Form)?;
        let v1::GetBalanceResponse { balance: _, signed, receipt } = kept;
        Ok(Self {
            envelope: signed.ok_or(BalanceError::Missing("signed statement"))?,
            receipt: Receipt::of(receipt.ok_or(BalanceError::Missing("receipt"))?),
        })
    }

    /// The signed statement and its receipt as they are kept in a file: the protobuf message
    /// `creditbank.v1.GetBalanceResponse` without the unsigned balance.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (signed, receipt) = (Some(self.envelope.clone()), Some(self.receipt.wire().clone()));
        v1::GetBalanceResponse { balance: None, signed, receipt }.encode_to_vec()
    }

    /// Verifies it against what is pinned of a log, without a server: the bank's signature, and that the account's entry
    /// is in the log under the very head that the balance names.
    pub fn verify(&self, trust: &Trust) -> Result<(BalanceStatement, VerifiedReceipt), Fault> {
        let receipt = self.receipt.verify(trust)?;
        Ok((verify_balance(&self.envelope, &receipt, trust)?, receipt))
    }
}

impl Client {
    /// The balance of an account. A signed one is verified: by a pinned statement key, about the account's link in an
    /// entry that is proved to be in the log, under a head that continues the last one seen and is not older.
    pub async fn get_balance(&self, asked: BalanceQuery) -> Result<Balance, ClientError> {
        let answers = self.answers("GetBalance");
        let BalanceQuery { account_ref, at_index, as_of, want_signed, min_entry_index } = asked;
        if want_signed && at_index.is_some() {
            let problem = "is proved only by the newest head: leave at_index out, or want_signed";
            return Err(ClientError::invalid("at_index", problem));
        }
        let request = v1::GetBalanceRequest {
            account_ref: account_ref.map(|account| account.as_bytes().to_vec()).unwrap_or_default(),
            at_index,
            as_of: as_of.map(|date| v1::CivilDate {
                year: date.year(),
                month: date.month(),
                day: date.day(),
            }),
            want_signed,
            min_entry_index,
        };
        let before = if want_signed { self.seen().await? } else { None };
        let call = |channel, request| async move { accounts(channel).get_balance(request).await };
        let v1::GetBalanceResponse { balance, signed, receipt } = self.call(request, call).await?;
        let balance = answers.some("balance", balance)?;
        let statement = BalanceStatement::from_wire(balance).map_err(|error| answers.wrong(error))?;
        self.is_asked_for(&asked, &statement)?;
        if !want_signed {
            return Ok(Balance { statement, signed: None });
        }
        let envelope = answers.some("signed", signed)?;
        let receipt = receipt.ok_or(BadReceipt::Missing)?;
        let verified = self.proved_since(before, &receipt).await?;
        if verify_balance(&envelope, &verified, &self.shared.trust)? != statement {
            return Err(answers.wrong("the signed balance differs from the one shown"));
        }
        let signed = SignedBalance { envelope, receipt: Receipt::of(receipt) };
        Ok(Balance { statement, signed: Some(signed) })
    }

    /// A true balance of something else is no answer.
    fn is_asked_for(&self, asked: &BalanceQuery, statement: &BalanceStatement) -> Result<(), ClientError> {
        let answers = self.answers("GetBalance");
        let head = &statement.head;
        if head.log_id != self.shared.trust.log_id {
            return Err(ClientError::OtherLog);
        }
        if asked.account_ref.is_some_and(|account| head.subject != Subject::Account(account)) {
            return Err(answers.wrong("it is of another account"));
        }
        if asked.as_of.is_some_and(|date| date != statement.as_of) {
            return Err(answers.wrong("it is judged at another date"));
        }
        if asked.min_entry_index.is_some_and(|index| head.size <= index) {
            return Err(answers.wrong("it does not reach the entry that must be counted in"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_is_read_back_as_it_was_kept_and_not_without_bound() {
        let envelope =
            v1::Envelope { payload_type: "t".to_owned(), payload: vec![1; 40], signatures: vec![] };
        let receipt =
            v1::Receipt { core: vec![2; 60], tlog_proof: "proof".to_owned(), ..v1::Receipt::default() };
        let kept = SignedBalance { envelope: envelope.clone(), receipt: Receipt::of(receipt.clone()) };
        assert_eq!(SignedBalance::from_bytes(&kept.to_bytes()).as_ref(), Ok(&kept));
        assert!(matches!(SignedBalance::from_bytes(&[0xff]), Err(BalanceError::Form(_))));
        let of = |signed, receipt| {
            SignedBalance::from_bytes(
                &v1::GetBalanceResponse { balance: None, signed, receipt }.encode_to_vec(),
            )
        };
        assert_eq!(of(None, Some(receipt)), Err(BalanceError::Missing("signed statement")));
        assert_eq!(of(Some(envelope), None), Err(BalanceError::Missing("receipt")));
        assert_eq!(SignedBalance::from_bytes(&[]), Err(BalanceError::Missing("signed statement")));
        // Field 15 is none of the message's: it is passed over.
        let padded = |bytes: usize| {
            let mut padded = kept.to_bytes();
            while padded.len() < bytes {
                let rest = (bytes - padded.len() - 2).min(100);
                padded.extend([0x7a, u8::try_from(rest).unwrap()]);
                padded.resize(padded.len() + rest, 0);
            }
            assert_eq!(padded.len(), bytes);
            SignedBalance::from_bytes(&padded)
        };
        assert!(padded(BALANCE_BYTES_MAX).is_ok());
        assert_eq!(padded(BALANCE_BYTES_MAX + 1), Err(BalanceError::TooLong));
    }
}
