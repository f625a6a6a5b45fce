//! Institutions, their keys, frameworks.

use super::{Edge, positioned};
use crate::prepare::Expected;
use crate::prepare_signed::Submission;
use crate::query::registry;
use credit_proto::v1;
use credit_rpc::v1::registry_service_server::RegistryService;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The registry service.
#[derive(Clone)]
pub(crate) struct Registry {
    /// What all services share.
    pub(crate) edge: Arc<Edge>,
}

#[tonic::async_trait]
impl RegistryService for Registry {
    async fn admit_institution(
        &self,
        request: Request<v1::AdmitInstitutionRequest>,
    ) -> Result<Response<v1::AdmitInstitutionResponse>, Status> {
        let statement = |v1::AdmitInstitutionRequest { envelope, want_receipt }| {
            Submission::plain(Expected::AdmitInstitution, envelope, want_receipt)
        };
        self.edge
            .write(request, statement, positioned(|position| v1::AdmitInstitutionResponse { position }))
            .await
    }

    async fn publish_framework(
        &self,
        request: Request<v1::PublishFrameworkRequest>,
    ) -> Result<Response<v1::PublishFrameworkResponse>, Status> {
        let statement = |v1::PublishFrameworkRequest { envelope, want_receipt }| {
            Submission::plain(Expected::PublishFramework, envelope, want_receipt)
        };
        self.edge
            .write(request, statement, positioned(|position| v1::PublishFrameworkResponse { position }))
            .await
    }

    async fn add_signing_key(
        &self,
        request: Request<v1::AddSigningKeyRequest>,
    ) -> Result<Response<v1::AddSigningKeyResponse>, Status> {
        let statement = |v1::AddSigningKeyRequest { envelope, want_receipt }| {
            Submission::plain(Expected::AddKey, envelope, want_receipt)
        };
        self.edge
            .write(request, statement, positioned(|position| v1::AddSigningKeyResponse { position }))
            .await
    }

    async fn retire_signing_key(
        &self,
        request: Request<v1::RetireSigningKeyRequest>,
    ) -> Result<Response<v1::RetireSigningKeyResponse>, Status> {
        let statement = |v1::RetireSigningKeyRequest { envelope, want_receipt }| {
            Submission::plain(Expected::RetireKey, envelope, want_receipt)
        };
        self.edge
            .write(request, statement, positioned(|position| v1::RetireSigningKeyResponse { position }))
            .await
    }

    async fn report_key_compromise(
        &self,
        request: Request<v1::ReportKeyCompromiseRequest>,
    ) -> Result<Response<v1::ReportKeyCompromiseResponse>, Status> {
        let statement = |v1::ReportKeyCompromiseRequest { envelope, want_receipt }| {
            Submission::plain(Expected::ReportKeyCompromise, envelope, want_receipt)
        };
        let answer = positioned(|position| v1::ReportKeyCompromiseResponse { position });
        self.edge.write(request, statement, answer).await
    }

    async fn upgrade_protocol(
        &self,
        request: Request<v1::UpgradeProtocolRequest>,
    ) -> Result<Response<v1::UpgradeProtocolResponse>, Status> {
        let statement = |v1::UpgradeProtocolRequest { envelope, want_receipt }| {
            Submission::plain(Expected::UpgradeProtocol, envelope, want_receipt)
        };
        let answer = positioned(|position| v1::UpgradeProtocolResponse { position });
        self.edge.write(request, statement, answer).await
    }

    async fn get_institution(
        &self,
        request: Request<v1::GetInstitutionRequest>,
    ) -> Result<Response<v1::GetInstitutionResponse>, Status> {
        self.edge.read(request, |_, reader, _, asked| registry::institution(reader, asked)).await
    }

    async fn list_institutions(
        &self,
        request: Request<v1::ListInstitutionsRequest>,
    ) -> Result<Response<v1::ListInstitutionsResponse>, Status> {
        self.edge
            .read(request, |edge, reader, _, asked| registry::institutions(reader, &edge.tokens, &asked))
            .await
    }

    async fn get_signing_key(
        &self,
        request: Request<v1::GetSigningKeyRequest>,
    ) -> Result<Response<v1::GetSigningKeyResponse>, Status> {
        self.edge.read(request, |_, reader, _, asked| registry::signing_key(reader, &asked)).await
    }

    async fn get_framework(
        &self,
        request: Request<v1::GetFrameworkRequest>,
    ) -> Result<Response<v1::GetFrameworkResponse>, Status> {
        self.edge.read(request, |_, reader, _, asked| registry::framework(reader, asked)).await
    }
}
