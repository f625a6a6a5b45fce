//! Records: deposit one by one, as a stream, as a batch; correct, revoke, read.

mod batch;
mod stream;

use super::{Caller, Edge, positioned};
use crate::failure::Failure;
use crate::prepare::{Expected, Secrets};
use crate::prepare_signed::Submission;
use crate::query::{bundle, record};
use crate::status::{Problem, code_of};
use credit_proto::v1;
use credit_rpc::v1::record_service_server::RecordService;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// The record service.
#[derive(Clone)]
pub(crate) struct Records {
    /// What all services share.
    pub(crate) edge: Arc<Edge>,
}

/// The answers of a stream: where they are put, and how the stream ends.
struct Answers<A> {
    edge: Arc<Edge>,
    caller: Caller,
    to: mpsc::Sender<Result<A, Status>>,
}

/// A caller who does not listen any more; what is in flight goes on, for it may be recorded already.
struct Gone;

impl<A> Answers<A> {
    async fn send(&self, answer: A) -> Result<(), Gone> {
        self.to.send(Ok(answer)).await.map_err(|_| Gone)
    }

    /// Ends the stream: well, with a problem, or with the status with which the requests broke off.
    async fn end(self, outcome: Result<(), End>) {
        let status = match outcome {
            Ok(()) => None,
            Err(End::Problem(problem)) => Some(self.edge.tell(&problem, self.caller.language)),
            Err(End::Broken(status)) => Some(status),
            Err(End::Gone) => {
                self.edge.metrics.called(self.caller.method, "CANCELLED");
                return;
            }
        };
        self.edge.metrics.called(self.caller.method, status.as_ref().map_or("OK", code_of));
        if let Some(status) = status {
            // A caller who has gone meanwhile hears nothing, and needs not.
            let _ = self.to.send(Err(status)).await;
        }
    }
}

/// Why a stream ends before its requests do.
enum End {
    /// Something was refused or failed.
    Problem(Problem),
    /// The requests broke off.
    Broken(Status),
    /// Nobody listens.
    Gone,
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Problem(failure.into())
    }
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

#[tonic::async_trait]
impl RecordService for Records {
    type SubmitRecordsStream = ReceiverStream<Result<v1::SubmitRecordsResponse, Status>>;
    type SubmitBatchStream = ReceiverStream<Result<v1::SubmitBatchResponse, Status>>;

    async fn submit_record(
        &self,
        request: Request<v1::SubmitRecordRequest>,
    ) -> Result<Response<v1::SubmitRecordResponse>, Status> {
        let statement = |v1::SubmitRecordRequest { envelope, details, want_receipt }| {
            Submission::secret(Expected::DepositRecord, envelope, details, want_receipt)
        };
        self.edge
            .write(request, statement, positioned(|position| v1::SubmitRecordResponse { position }))
            .await
    }

    async fn submit_records(
        &self,
        request: Request<Streaming<v1::SubmitRecordsRequest>>,
    ) -> Result<Response<Self::SubmitRecordsStream>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(stream::submit(Arc::clone(&self.edge), caller, request.into_inner())))
    }

    async fn submit_batch(
        &self,
        request: Request<Streaming<v1::SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitBatchStream>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(batch::submit(Arc::clone(&self.edge), caller, request.into_inner())))
    }

    async fn close_batch(
        &self,
        request: Request<v1::CloseBatchRequest>,
    ) -> Result<Response<v1::CloseBatchResponse>, Status> {
        let statement = |v1::CloseBatchRequest { envelope, want_receipt }| {
            Submission::plain(Expected::CloseBatch, envelope, want_receipt)
        };
        self.edge.write(request, statement, positioned(|position| v1::CloseBatchResponse { position })).await
    }

    async fn correct_record(
        &self,
        request: Request<v1::CorrectRecordRequest>,
    ) -> Result<Response<v1::CorrectRecordResponse>, Status> {
        let statement =
            |v1::CorrectRecordRequest { envelope, details, explanation, want_receipt }| Submission {
                expected: Expected::CorrectRecord,
                envelope,
                secrets: Secrets { secret: details, explanation, blob: None },
                want_receipt,
            };
        self.edge
            .write(request, statement, positioned(|position| v1::CorrectRecordResponse { position }))
            .await
    }

    async fn change_record_status(
        &self,
        request: Request<v1::ChangeRecordStatusRequest>,
    ) -> Result<Response<v1::ChangeRecordStatusResponse>, Status> {
        let statement = |v1::ChangeRecordStatusRequest { envelope, explanation, want_receipt }| {
            Submission::explained(Expected::ChangeRecordStatus, envelope, explanation, want_receipt)
        };
        let answer = positioned(|position| v1::ChangeRecordStatusResponse { position });
        self.edge.write(request, statement, answer).await
    }

    async fn get_record(
        &self,
        request: Request<v1::GetRecordRequest>,
    ) -> Result<Response<v1::GetRecordResponse>, Status> {
        self.edge.point(request, |_, reader, principal, asked| record::get(reader, principal, asked)).await
    }

    async fn get_record_bundle(
        &self,
        request: Request<v1::GetRecordBundleRequest>,
    ) -> Result<Response<v1::GetRecordBundleResponse>, Status> {
        self.edge.read(request, |_, reader, principal, asked| bundle::get(reader, principal, asked)).await
    }

    async fn list_records(
        &self,
        request: Request<v1::ListRecordsRequest>,
    ) -> Result<Response<v1::ListRecordsResponse>, Status> {
        let query = |edge: &Edge, reader: &_, principal: &_, asked: v1::ListRecordsRequest| {
            record::list(reader, principal, &edge.tokens, &asked)
        };
        self.edge.read(request, query).await
    }
}
