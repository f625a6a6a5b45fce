//! Accounts, balances, postings.

use super::{Edge, position, positioned};
use crate::failure::Failure;
use crate::prepare::Expected;
use crate::prepare_signed::Submission;
use crate::query::{account, balance};
use credit_proto::v1;
use credit_rpc::v1::account_service_server::AccountService;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The account service.
#[derive(Clone)]
pub(crate) struct Accounts {
    /// What all services share.
    pub(crate) edge: Arc<Edge>,
}

#[tonic::async_trait]
impl AccountService for Accounts {
    async fn open_account(
        &self,
        request: Request<v1::OpenAccountRequest>,
    ) -> Result<Response<v1::OpenAccountResponse>, Status> {
        let statement = |v1::OpenAccountRequest { envelope, identity, want_receipt }| {
            Submission::secret(Expected::OpenAccount, envelope, identity, want_receipt)
        };
        self.edge
            .write(request, statement, |mut answer| {
                let opened = answer.opened.pop();
                let opened =
                    opened.ok_or_else(|| Failure::Fault("an opening opened no account".to_owned()))?;
                Ok(v1::OpenAccountResponse {
                    position: Some(position(&mut answer)),
                    account_ref: opened.account_ref.as_bytes().to_vec(),
                    account_number: opened.account_number,
                })
            })
            .await
    }

    async fn change_account_status(
        &self,
        request: Request<v1::ChangeAccountStatusRequest>,
    ) -> Result<Response<v1::ChangeAccountStatusResponse>, Status> {
        let statement = |v1::ChangeAccountStatusRequest { envelope, explanation, want_receipt }| {
            Submission::explained(Expected::ChangeAccountStatus, envelope, explanation, want_receipt)
        };
        let answer = positioned(|position| v1::ChangeAccountStatusResponse { position });
        self.edge.write(request, statement, answer).await
    }

    async fn resolve_accounts(
        &self,
        request: Request<v1::ResolveAccountsRequest>,
    ) -> Result<Response<v1::ResolveAccountsResponse>, Status> {
        self.edge
            .read(request, |_, reader, principal, asked| account::resolve(reader, principal, asked))
            .await
    }

    async fn get_account(
        &self,
        request: Request<v1::GetAccountRequest>,
    ) -> Result<Response<v1::GetAccountResponse>, Status> {
        self.edge.point(request, |_, reader, principal, asked| account::get(reader, principal, &asked)).await
    }

    async fn get_balance(
        &self,
        request: Request<v1::GetBalanceRequest>,
    ) -> Result<Response<v1::GetBalanceResponse>, Status> {
        // A balance of the past is folded from the account's chain.
        let of_the_past = request.get_ref().at_index.is_some();
        let query = |_: &Edge, reader: &_, principal: &_, asked: v1::GetBalanceRequest| {
            balance::get(reader, principal, &asked)
        };
        if of_the_past {
            return self.edge.read(request, query).await;
        }
        self.edge.point(request, query).await
    }

    async fn list_postings(
        &self,
        request: Request<v1::ListPostingsRequest>,
    ) -> Result<Response<v1::ListPostingsResponse>, Status> {
        let query = |edge: &Edge, reader: &_, principal: &_, asked: v1::ListPostingsRequest| {
            account::postings(reader, principal, &edge.tokens, &asked)
        };
        self.edge.read(request, query).await
    }
}
