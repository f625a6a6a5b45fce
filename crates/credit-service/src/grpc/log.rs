//! The log itself: heads, entries, proofs, receipts.

use super::{Caller, Edge, watch};
use crate::query::log;
use credit_proto::v1;
use credit_rpc::v1::log_service_server::LogService;
use std::sync::Arc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// The log service.
#[derive(Clone)]
pub(crate) struct Log {
    /// What all services share.
    pub(crate) edge: Arc<Edge>,
}

#[tonic::async_trait]
impl LogService for Log {
    type WatchCheckpointsStream = ReceiverStream<Result<v1::WatchCheckpointsResponse, Status>>;

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        self.edge
            .point(request, |_, reader, _, v1::GetCheckpointRequest {}| Ok(log::checkpoint(reader)))
            .await
    }

    async fn watch_checkpoints(
        &self,
        request: Request<v1::WatchCheckpointsRequest>,
    ) -> Result<Response<Self::WatchCheckpointsStream>, Status> {
        let caller = Caller::of(&request)?;
        let v1::WatchCheckpointsRequest {} = request.into_inner();
        Ok(Response::new(watch::watch(Arc::clone(&self.edge), caller)?))
    }

    async fn get_receipt(
        &self,
        request: Request<v1::GetReceiptRequest>,
    ) -> Result<Response<v1::GetReceiptResponse>, Status> {
        self.edge.point(request, |_, reader, principal, asked| log::receipt(reader, principal, asked)).await
    }

    async fn list_entries(
        &self,
        request: Request<v1::ListEntriesRequest>,
    ) -> Result<Response<v1::ListEntriesResponse>, Status> {
        self.edge.read(request, |_, reader, principal, asked| log::entries(reader, principal, &asked)).await
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::GetInclusionProofResponse>, Status> {
        self.edge.point(request, |_, reader, _, asked| log::inclusion_proof(reader, &asked)).await
    }

    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        self.edge.point(request, |_, reader, _, asked| log::consistency_proof(reader, &asked)).await
    }
}
