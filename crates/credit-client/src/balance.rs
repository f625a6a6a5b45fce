//! Balances: asked for, and proved where they are signed.

use credit_proto::{BankSigned as _, v1};
use credit_types::{AccountRef, BalanceStatement, CivilDate, Subject};
use credit_verify::verify_balance;
use prost::Message as _;

use crate::builder::Client;
use crate::call::accounts;
use crate::error::{BadReceipt, ClientError};
use crate::receipt::Receipt;

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

impl SignedBalance {
    /// The signed statement as it is kept in a file: the protobuf message `creditbank.v1.Envelope`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.envelope.encode_to_vec()
    }
}

impl Client {
    /// The balance of an account. A signed one is verified: by a pinned statement key, about the account's link in an
    /// entry that is proved to be in the log, under a head that continues the last one seen.
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
        let verified = self.proved(&receipt).await?;
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
