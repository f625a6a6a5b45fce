//! Accounts: open, find, look at, change their status.

use credit_proto::entry::WireEvent;
use credit_proto::v1;
use credit_types::{
    AccountAction, AccountIdentity, AccountOpening, AccountRef, AccountStatusChange, AssuranceLevel, Digest,
    KeyPurpose, StatusReason, Text,
};
use credit_verify::VerifiedReceipt;

use crate::builder::Client;
use crate::call::accounts;
use crate::draft::Committed;
use crate::error::{BadReceipt, ClientError};
use crate::receipt::Recorded;
use crate::signer::seal;
use crate::view::AccountView;

/// The most accounts that one call resolves; more are asked for by several.
pub const RESOLVE_MAX: usize = 1_000;

/// An account to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// How well the person was identified.
    pub assurance: AssuranceLevel,
    /// Who they are: committed to, sealed, never in an entry.
    pub identity: AccountIdentity,
}

/// An opened account.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenedAccount {
    /// The proof.
    pub recorded: Recorded,
    /// Its id.
    pub account_ref: AccountRef,
    /// The number that the learner is told: 16 digits.
    pub account_number: String,
}

/// A suspension, reinstatement or closing of an account to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccountChange {
    /// Leaf hash of the account's last status entry, as reading the account gives it.
    pub after: Digest,
    /// The account.
    pub account_ref: AccountRef,
    /// What is done.
    pub action: AccountAction,
    /// Why.
    pub reason: StatusReason,
    /// The order's reference; empty if there is none.
    pub order_ref: String,
    /// Words about it, kept secret like details.
    pub explanation: Option<Text>,
}

/// How an account is named by who looks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountQuery {
    /// By its number: 16 digits.
    AccountNumber(String),
    /// By the calling institution's own student number: 1 to 64 printable ASCII bytes.
    StudentNumber(String),
}

/// Checks that an event opens the account that was told.
pub(crate) fn opens(
    index: u64,
    event: Option<&WireEvent>,
    account_ref: AccountRef,
) -> Result<(), BadReceipt> {
    let opened = event.and_then(|event| event.account_opened.as_ref());
    if opened.is_some_and(|opened| opened.account_ref == account_ref.as_bytes()) {
        return Ok(());
    }
    Err(BadReceipt::OtherStatement { index, problem: "it opens another account".to_owned() })
}

impl Client {
    /// Opens an account, signed by the registrar's REGISTRY key.
    pub async fn open_account(&self, account: &NewAccount) -> Result<OpenedAccount, ClientError> {
        const CALL: &str = "OpenAccount";
        let identity = Committed::identity(&account.identity)?;
        let body = AccountOpening { assurance: account.assurance, identity_commitment: identity.commitment };
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, &body, &[self.signer()?.key(&[KeyPurpose::Registry])?])?;
        let request = v1::OpenAccountRequest {
            envelope: Some((&outgoing.envelope).into()),
            identity: Some(identity.wire()),
            want_receipt: true,
        };
        let call = |channel, request| async move { accounts(channel).open_account(request).await };
        let v1::OpenAccountResponse { position, account_ref, account_number } =
            self.call(request, call).await?;
        let account_ref = self.answers(CALL).id("account_ref", AccountRef::from_slice(&account_ref))?;
        let (recorded, verified) = self.recorded(CALL, &outgoing, position).await?;
        let VerifiedReceipt { events, .. } = &verified;
        opens(recorded.index, events.get(&0), account_ref)?;
        Ok(OpenedAccount { recorded, account_ref, account_number })
    }

    /// Suspends, reinstates or closes an account, signed by the registrar's REGISTRY key or, for a regulator without
    /// one, its STATUS key.
    pub async fn change_account_status(&self, change: &NewAccountChange) -> Result<Recorded, ClientError> {
        let NewAccountChange { after, account_ref, action, reason, order_ref, explanation } = change;
        let explanation = Committed::explanation(explanation.as_ref())?;
        let body = AccountStatusChange {
            after: *after,
            account_ref: *account_ref,
            action: *action,
            reason: *reason,
            order_ref: order_ref.clone(),
            explanation_commitment: explanation.as_ref().map(|part| part.commitment),
        };
        let header = self.header(self.signer_id()?).await?;
        let key = self.signer()?.key(&[KeyPurpose::Registry, KeyPurpose::Status])?;
        let outgoing = seal(&header, &body, &[key])?;
        let request = v1::ChangeAccountStatusRequest {
            envelope: Some((&outgoing.envelope).into()),
            explanation: explanation.map(Committed::wire),
            want_receipt: true,
        };
        let call = |channel, request| async move { accounts(channel).change_account_status(request).await };
        let v1::ChangeAccountStatusResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("ChangeAccountStatus", &outgoing, position).await?.0)
    }

    /// Finds accounts, in the order of the queries; `None` where none was found. Any number of queries: each call
    /// takes up to [`RESOLVE_MAX`].
    pub async fn resolve_accounts(
        &self,
        queries: &[AccountQuery],
    ) -> Result<Vec<Option<AccountRef>>, ClientError> {
        let answers = self.answers("ResolveAccounts");
        let mut found = Vec::with_capacity(queries.len());
        for queries in queries.chunks(RESOLVE_MAX) {
            let request = v1::ResolveAccountsRequest { queries: queries.iter().map(query).collect() };
            let call = |channel, request| async move { accounts(channel).resolve_accounts(request).await };
            let v1::ResolveAccountsResponse { accounts } = self.call(request, call).await?;
            if accounts.len() != queries.len() {
                return Err(answers.wrong("it has not one account a query"));
            }
            for v1::ResolvedAccount { account_ref } in accounts {
                found.push(match account_ref.as_slice() {
                    [] => None,
                    bytes => Some(answers.id("account_ref", AccountRef::from_slice(bytes))?),
                });
            }
        }
        Ok(found)
    }

    /// An account's status. A learner may leave the account out.
    pub async fn get_account(&self, account_ref: Option<AccountRef>) -> Result<AccountView, ClientError> {
        let answers = self.answers("GetAccount");
        let account_ref = account_ref.map(|account| account.as_bytes().to_vec()).unwrap_or_default();
        let call = |channel, request| async move { accounts(channel).get_account(request).await };
        let v1::GetAccountResponse { account } =
            self.call(v1::GetAccountRequest { account_ref }, call).await?;
        answers.account(answers.some("account", account)?)
    }
}

fn query(query: &AccountQuery) -> v1::AccountQuery {
    let by = match query {
        AccountQuery::AccountNumber(number) => v1::account_query::By::AccountNumber(number.clone()),
        AccountQuery::StudentNumber(number) => v1::account_query::By::StudentNumber(number.clone()),
    };
    v1::AccountQuery { by: Some(by) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_opens_the_account_that_was_told_and_no_other() {
        let opened = v1::AccountOpened { account_ref: vec![1; 16], aliases: Vec::new() };
        let event = v1::Event { account_opened: Some(opened), ..v1::Event::default() };
        assert_eq!(opens(5, Some(&event), AccountRef([1; 16])), Ok(()));
        for (event, account) in [(Some(&event), 2), (Some(&v1::Event::default()), 1), (None, 1)] {
            let told = opens(5, event, AccountRef([account; 16]));
            assert!(matches!(told, Err(BadReceipt::OtherStatement { index: 5, .. })));
        }
    }
}
