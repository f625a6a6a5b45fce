//! Rule books: published by a stream, read in pieces.

use super::{Caller, Edge, moment, position, positioned};
use crate::deadline;
use crate::failure::Failure;
use crate::prepare::Expected;
use crate::prepare_signed::Submission;
use crate::query::rule_book;
use crate::status::Problem;
use credit_proto::v1;
use credit_rpc::v1::rule_book_service_server::RuleBookService;
use credit_types::limits::BOOK_BLOB_BYTES_MAX;
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

/// The most bytes of a piece of a rule book on the wire.
pub(crate) const PIECE_BYTES_MAX: usize = 65_536;

/// The rule book service.
#[derive(Clone)]
pub(crate) struct RuleBooks {
    /// What all services share.
    pub(crate) edge: Arc<Edge>,
}

/// A book as it came in.
struct Sent {
    envelope: Option<v1::Envelope>,
    blob: Vec<u8>,
    want_receipt: bool,
}

fn invalid(field: &str, problem: String) -> Problem {
    Problem::Behind(Failure::Invalid { field: field.to_owned(), problem })
}

/// How taking a book in ends before it is published.
enum End {
    /// Something was refused or failed.
    Problem(Problem),
    /// The requests broke off, or are none of the contract: nothing was done.
    Broken(Status),
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

/// Adds a piece to a book.
fn take(blob: &mut Vec<u8>, piece: &[u8]) -> Result<(), Problem> {
    let most = usize::try_from(BOOK_BLOB_BYTES_MAX).unwrap_or(usize::MAX);
    if piece.len() > PIECE_BYTES_MAX {
        let problem =
            format!("has {} bytes, at most {PIECE_BYTES_MAX} are allowed: send more pieces", piece.len());
        return Err(invalid("piece", problem));
    }
    if blob.len().saturating_add(piece.len()) > most {
        let problem = format!("the book has more than {most} bytes: split it into several books");
        return Err(invalid("piece", problem));
    }
    blob.extend_from_slice(piece);
    Ok(())
}

impl RuleBooks {
    /// Takes a book in, piece by piece, once its statement is known to be signed by the authority: nobody else fills memory.
    async fn receive(&self, requests: &mut Streaming<v1::PublishRuleBookRequest>) -> Result<Sent, End> {
        let first = requests.message().await.map_err(End::Broken)?;
        let first =
            first.ok_or_else(|| invalid("envelope", "is missing: begin the stream with it".to_owned()))?;
        let v1::PublishRuleBookRequest { envelope, piece, want_receipt } = first;
        let preparer = self.edge.ledger.preparer().clone();
        let signed = envelope.clone();
        self.edge.blocking(move || preparer.signed_by_authority(signed)).await?;
        let mut sent = Sent { envelope, blob: Vec::new(), want_receipt };
        take(&mut sent.blob, &piece)?;
        while let Some(v1::PublishRuleBookRequest { envelope, piece, want_receipt: _ }) =
            requests.message().await.map_err(End::Broken)?
        {
            if envelope.is_some() {
                return Err(invalid(
                    "envelope",
                    "belongs in the first message only: leave it out".to_owned(),
                )
                .into());
            }
            take(&mut sent.blob, &piece)?;
        }
        Ok(sent)
    }
}

#[tonic::async_trait]
impl RuleBookService for RuleBooks {
    async fn publish_rule_book(
        &self,
        request: Request<Streaming<v1::PublishRuleBookRequest>>,
    ) -> Result<Response<v1::PublishRuleBookResponse>, Status> {
        let caller = Caller::of(&request)?;
        let language = caller.language;
        let mut requests = request.into_inner();
        let work = async {
            let until = moment(self.edge.batch, &caller)?;
            let publish = async {
                let Sent { envelope, blob, want_receipt } = self.receive(&mut requests).await?;
                let preparing = move |preparer: &crate::prepare::Preparer| {
                    preparer.rule_book(envelope, blob, want_receipt)
                };
                let prepared = self.edge.prepared(&caller, preparing).await?;
                let mut answer = self.edge.ledger.submit(prepared).await?;
                Ok::<_, End>(v1::PublishRuleBookResponse { position: Some(position(&mut answer)) })
            };
            deadline::within(until, publish).await
        };
        work.await.map(Response::new).map_err(|end| match end {
            End::Problem(problem) => self.edge.tell(&problem, language),
            End::Broken(status) => status,
        })
    }

    async fn change_rule_book(
        &self,
        request: Request<v1::ChangeRuleBookRequest>,
    ) -> Result<Response<v1::ChangeRuleBookResponse>, Status> {
        let statement = |v1::ChangeRuleBookRequest { envelope, want_receipt }| {
            Submission::plain(Expected::ChangeRuleBook, envelope, want_receipt)
        };
        let answer = positioned(|position| v1::ChangeRuleBookResponse { position });
        self.edge.write(request, statement, answer).await
    }

    async fn give_auto_approval(
        &self,
        request: Request<v1::GiveAutoApprovalRequest>,
    ) -> Result<Response<v1::GiveAutoApprovalResponse>, Status> {
        let statement = |v1::GiveAutoApprovalRequest { envelope, want_receipt }| {
            Submission::plain(Expected::GiveAutoApproval, envelope, want_receipt)
        };
        let answer = positioned(|position| v1::GiveAutoApprovalResponse { position });
        self.edge.write(request, statement, answer).await
    }

    async fn get_rule_book(
        &self,
        request: Request<v1::GetRuleBookRequest>,
    ) -> Result<Response<v1::GetRuleBookResponse>, Status> {
        self.edge.read(request, |_, reader, _, asked| rule_book::get(reader, &asked)).await
    }

    async fn list_rule_books(
        &self,
        request: Request<v1::ListRuleBooksRequest>,
    ) -> Result<Response<v1::ListRuleBooksResponse>, Status> {
        self.edge.read(request, |edge, reader, _, asked| rule_book::list(reader, &edge.tokens, &asked)).await
    }

    type ReadRuleBookStream =
        tokio_stream::Iter<std::vec::IntoIter<Result<v1::ReadRuleBookResponse, Status>>>;

    async fn read_rule_book(
        &self,
        request: Request<v1::ReadRuleBookRequest>,
    ) -> Result<Response<Self::ReadRuleBookStream>, Status> {
        let read = self.edge.read(request, |_, reader, _, asked| rule_book::text(reader, &asked)).await?;
        let blob = read.into_inner();
        let pieces =
            blob.chunks(PIECE_BYTES_MAX).map(|piece| Ok(v1::ReadRuleBookResponse { piece: piece.to_vec() }));
        Ok(Response::new(tokio_stream::iter(pieces.collect::<Vec<_>>())))
    }
}
