//! Reads: records, institutions, frameworks, entries.

use credit_log::Hash;
use credit_proto::v1;
use credit_types::{AccountRef, Digest, FrameworkId, FrameworkPublication, InstitutionId, Kid, RecordId};

use crate::builder::Client;
use crate::call::{log, records, registry};
use crate::error::ClientError;
use crate::view::{Answers, InstitutionView, KeyHistory, RecordView};

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order of the list.
    pub items: Vec<T>,
    /// The token of the next page; `None` at the end.
    pub next: Option<String>,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The canonical core: the log's leaf data.
    pub core: Vec<u8>,
    /// The entry's secret; only with parts.
    pub secret: Option<[u8; 32]>,
    /// The parts, each a kind byte and canonical bytes; only with parts.
    pub parts: Vec<Vec<u8>>,
}

/// The token of the next page; an empty one ends the list.
pub(crate) fn token(next_page_token: String) -> Option<String> {
    Some(next_page_token).filter(|token| !token.is_empty())
}

impl Client {
    /// Reads the answers of a call.
    pub(crate) fn answers(&self, call: &'static str) -> Answers {
        Answers { call, log_id: self.shared.trust.log_id }
    }

    /// One record, for its learner, its issuer and auditors.
    pub async fn get_record(
        &self,
        issuer_id: &InstitutionId,
        record_id: RecordId,
    ) -> Result<RecordView, ClientError> {
        let answers = self.answers("GetRecord");
        let request = v1::GetRecordRequest {
            issuer_id: issuer_id.as_str().to_owned(),
            record_id: record_id.as_bytes().to_vec(),
        };
        let call = |channel, request| async move { records(channel).get_record(request).await };
        let v1::GetRecordResponse { record } = self.call(request, call).await?;
        let view = answers.record(answers.some("record", record)?)?;
        if view.issuer_id == *issuer_id && view.facts.record_id == record_id {
            return Ok(view);
        }
        Err(answers.wrong("it is another record"))
    }

    /// A page of an account's records by record id: all for its learner and auditors, an institution's own for it.
    /// `page_size` 0 (the bank's default, 50) to 1,000; `page_token` empty for the first page. A learner may leave the
    /// account out.
    pub async fn list_records(
        &self,
        account_ref: Option<AccountRef>,
        page_size: u32,
        page_token: &str,
        with_details: bool,
    ) -> Result<Page<RecordView>, ClientError> {
        let answers = self.answers("ListRecords");
        let request = v1::ListRecordsRequest {
            account_ref: account_ref.map(|account| account.as_bytes().to_vec()).unwrap_or_default(),
            page_size,
            page_token: page_token.to_owned(),
            with_details,
        };
        let call = |channel, request| async move { records(channel).list_records(request).await };
        let v1::ListRecordsResponse { records, next_page_token } = self.call(request, call).await?;
        let items = records.into_iter().map(|record| answers.record(record)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: token(next_page_token) })
    }

    /// An institution with its keys.
    pub async fn get_institution(
        &self,
        institution_id: &InstitutionId,
    ) -> Result<InstitutionView, ClientError> {
        let answers = self.answers("GetInstitution");
        let request = v1::GetInstitutionRequest { institution_id: institution_id.as_str().to_owned() };
        let call = |channel, request| async move { registry(channel).get_institution(request).await };
        let v1::GetInstitutionResponse { institution } = self.call(request, call).await?;
        let view = answers.institution(answers.some("institution", institution)?)?;
        let same = view.admission.institution_id == *institution_id;
        if same { Ok(view) } else { Err(answers.wrong("it is another institution")) }
    }

    /// A page of institutions by id: `page_size` 0 (the bank's default, 50) to 200; `page_token` empty for the first.
    pub async fn list_institutions(
        &self,
        page_size: u32,
        page_token: &str,
    ) -> Result<Page<InstitutionView>, ClientError> {
        let answers = self.answers("ListInstitutions");
        let request = v1::ListInstitutionsRequest { page_size, page_token: page_token.to_owned() };
        let call = |channel, request| async move { registry(channel).list_institutions(request).await };
        let v1::ListInstitutionsResponse { institutions, next_page_token } = self.call(request, call).await?;
        let items =
            institutions.into_iter().map(|view| answers.institution(view)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: token(next_page_token) })
    }

    /// A key with its history.
    pub async fn get_signing_key(&self, kid: Kid) -> Result<KeyHistory, ClientError> {
        let answers = self.answers("GetSigningKey");
        let request = v1::GetSigningKeyRequest { kid: kid.as_bytes().to_vec() };
        let call = |channel, request| async move { registry(channel).get_signing_key(request).await };
        let v1::GetSigningKeyResponse { key } = self.call(request, call).await?;
        let key = answers.key(answers.some("key", key)?)?;
        if key.key.key.kid == kid { Ok(key) } else { Err(answers.wrong("it is another key")) }
    }

    /// A framework's latest version, and the index of the entry that published it.
    pub async fn get_framework(
        &self,
        framework_id: &FrameworkId,
    ) -> Result<(FrameworkPublication, u64), ClientError> {
        let answers = self.answers("GetFramework");
        let request = v1::GetFrameworkRequest { framework_id: framework_id.as_str().to_owned() };
        let call = |channel, request| async move { registry(channel).get_framework(request).await };
        let v1::GetFrameworkResponse { framework, published_index } = self.call(request, call).await?;
        Ok((answers.framework(answers.some("framework", framework)?)?, published_index))
    }

    /// Entries from `start` (from 0) on, at most `page_size` (0: the bank's default, 50; at most 1,000), and the index
    /// to go on with, which is the size of the log at the end. Parts are shown to auditors only. Nothing is verified
    /// here: give them to a verifier, with the checkpoint of [`Client::head`].
    pub async fn list_entries(
        &self,
        start: u64,
        page_size: u32,
        with_parts: bool,
    ) -> Result<(Vec<LogEntry>, u64), ClientError> {
        let answers = self.answers("ListEntries");
        let request = v1::ListEntriesRequest { start, page_size, with_parts };
        let call = |channel, request| async move { log(channel).list_entries(request).await };
        let v1::ListEntriesResponse { entries, next_start } = self.call(request, call).await?;
        let mut found = Vec::with_capacity(entries.len());
        for v1::LogEntry { core, secret, parts } in entries {
            let secret = match secret.as_slice() {
                [] => None,
                bytes => Some(answers.id("secret", Digest::from_slice(bytes))?.0),
            };
            found.push(LogEntry { core, secret, parts });
        }
        Ok((found, next_start))
    }

    /// The leaf hash of an entry and its inclusion path in the tree of `size` entries; `size` 0: of the latest
    /// checkpoint. Also gives that size. Nothing is verified here.
    pub async fn inclusion_proof(
        &self,
        index: u64,
        size: u64,
    ) -> Result<(u64, Digest, Vec<Hash>), ClientError> {
        let answers = self.answers("GetInclusionProof");
        let call = |channel, request| async move { log(channel).get_inclusion_proof(request).await };
        let v1::GetInclusionProofResponse { size, leaf_hash, path } =
            self.call(v1::GetInclusionProofRequest { index, size }, call).await?;
        let leaf_hash = answers.id("leaf_hash", Digest::from_slice(&leaf_hash))?;
        Ok((size, leaf_hash, hashes(answers, &path)?))
    }

    /// The proof that the tree of `old_size` is a prefix of the tree of `new_size` (0: of the latest checkpoint), and
    /// the larger size. Nothing is verified here.
    pub async fn consistency_proof(
        &self,
        old_size: u64,
        new_size: u64,
    ) -> Result<(u64, Vec<Hash>), ClientError> {
        let answers = self.answers("GetConsistencyProof");
        let call = |channel, request| async move { log(channel).get_consistency_proof(request).await };
        let v1::GetConsistencyProofResponse { new_size, path } =
            self.call(v1::GetConsistencyProofRequest { old_size, new_size }, call).await?;
        Ok((new_size, hashes(answers, &path)?))
    }
}

/// The hashes of a path.
fn hashes(answers: Answers, path: &[Vec<u8>]) -> Result<Vec<Hash>, ClientError> {
    path.iter().map(|hash| answers.id("path", Digest::from_slice(hash)).map(|digest| digest.0)).collect()
}
