//! Applications: quoted, made, decided, moved on, read.

use super::{Edge, position};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::prepare::Expected;
use crate::prepare_signed::Submission;
use crate::query::{compliance, conversion};
use crate::status::Problem;
use credit_proto::v1;
use credit_rpc::v1::conversion_service_server::ConversionService;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The conversion service.
#[derive(Clone)]
pub(crate) struct Conversions {
    /// What all services share.
    pub(crate) edge: Arc<Edge>,
}

/// An answer that says where the application stands.
fn stands<A>(make: impl FnOnce(Option<v1::Position>, i32) -> A) -> impl FnOnce(Answer) -> Result<A, Problem> {
    move |mut answer| {
        let status =
            answer.status.ok_or_else(|| Failure::Fault("an application has no status".to_owned()))?;
        let status = conversion::status_number(status);
        Ok(make(Some(position(&mut answer)), status))
    }
}

#[tonic::async_trait]
impl ConversionService for Conversions {
    async fn quote_conversion(
        &self,
        request: Request<v1::QuoteConversionRequest>,
    ) -> Result<Response<v1::QuoteConversionResponse>, Status> {
        self.edge
            .read(request, |_, reader, principal, asked| conversion::quote(reader, principal, asked))
            .await
    }

    async fn request_conversion(
        &self,
        request: Request<v1::RequestConversionRequest>,
    ) -> Result<Response<v1::RequestConversionResponse>, Status> {
        let statement = |v1::RequestConversionRequest { envelope, particulars, want_receipt }| {
            Submission::secret(Expected::RequestConversion, envelope, particulars, want_receipt)
        };
        let answer = stands(|position, status| v1::RequestConversionResponse { position, status });
        self.edge.write(request, statement, answer).await
    }

    async fn decide_conversion(
        &self,
        request: Request<v1::DecideConversionRequest>,
    ) -> Result<Response<v1::DecideConversionResponse>, Status> {
        let statement = |v1::DecideConversionRequest { envelope, opinion, want_receipt }| {
            Submission::secret(Expected::DecideConversion, envelope, opinion, want_receipt)
        };
        let answer = stands(|position, status| v1::DecideConversionResponse { position, status });
        self.edge.write(request, statement, answer).await
    }

    async fn step_conversion(
        &self,
        request: Request<v1::StepConversionRequest>,
    ) -> Result<Response<v1::StepConversionResponse>, Status> {
        let statement = |v1::StepConversionRequest { envelope, explanation, want_receipt }| {
            Submission::explained(Expected::StepConversion, envelope, explanation, want_receipt)
        };
        let answer = stands(|position, status| v1::StepConversionResponse { position, status });
        self.edge.write(request, statement, answer).await
    }

    async fn reverse_award(
        &self,
        request: Request<v1::ReverseAwardRequest>,
    ) -> Result<Response<v1::ReverseAwardResponse>, Status> {
        let statement = |v1::ReverseAwardRequest { envelope, explanation, want_receipt }| {
            Submission::explained(Expected::ReverseAward, envelope, explanation, want_receipt)
        };
        let answer = stands(|position, status| v1::ReverseAwardResponse { position, status });
        self.edge.write(request, statement, answer).await
    }

    async fn get_conversion(
        &self,
        request: Request<v1::GetConversionRequest>,
    ) -> Result<Response<v1::GetConversionResponse>, Status> {
        self.edge.read(request, |_, reader, principal, asked| conversion::get(reader, principal, asked)).await
    }

    async fn list_conversions(
        &self,
        request: Request<v1::ListConversionsRequest>,
    ) -> Result<Response<v1::ListConversionsResponse>, Status> {
        let query = |edge: &Edge, reader: &_, principal: &_, asked: v1::ListConversionsRequest| {
            conversion::list(reader, principal, &edge.tokens, &asked)
        };
        self.edge.read(request, query).await
    }

    async fn check_compliance(
        &self,
        request: Request<v1::CheckComplianceRequest>,
    ) -> Result<Response<v1::CheckComplianceResponse>, Status> {
        self.edge
            .read(request, |_, reader, principal, asked| compliance::compliance(reader, principal, &asked))
            .await
    }
}
