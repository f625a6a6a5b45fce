//! Record bundles: one file that proves a record to whoever has a trust file.

use credit_log::receipt::TlogProof;
use credit_proto::strict;
use credit_proto::v1;
use credit_types::{Digest, InstitutionId, RecordId};
use credit_verify::bundle::{BundleFault, RECEIPT, VerifiedBundle, verify_bundle};

use crate::builder::Client;
use crate::call::records;
use crate::error::{BadReceipt, ClientError};
use crate::history::SeenHead;

/// A record bundle that was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordBundle {
    bytes: Vec<u8>,
    tlog_proof: String,
    /// What it proves.
    pub verified: VerifiedBundle,
}

impl RecordBundle {
    /// The file as it is kept and handed on.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The receipt of the record's entry alone, as a C2SP tlog-proof whose extra data is the entry's core: with the
    /// log's key it proves to any tool of that format that the core is in the log.
    pub fn tlog_proof(&self) -> &str {
        &self.tlog_proof
    }
}

impl Client {
    /// Fetches the bundle of a record, for its learner, its issuer and auditors, and verifies it by itself and against
    /// the log as it was seen: it is as of no older head.
    pub async fn get_record_bundle(
        &self,
        issuer_id: &InstitutionId,
        record_id: RecordId,
        disclose_details: bool,
    ) -> Result<RecordBundle, ClientError> {
        let answers = self.answers("GetRecordBundle");
        let request = v1::GetRecordBundleRequest {
            issuer_id: issuer_id.as_str().to_owned(),
            record_id: record_id.as_bytes().to_vec(),
            disclose_details,
        };
        let before = self.seen().await?;
        let call = |channel, request| async move { records(channel).get_record_bundle(request).await };
        let v1::GetRecordBundleResponse { bundle } = self.call(request, call).await?;
        let verified = verify_bundle(&bundle, &self.shared.trust).map_err(|fault| match fault {
            BundleFault::Newer { what } => ClientError::Newer { what },
            broken @ BundleFault::Broken { .. } => BadReceipt::Bundle(broken).into(),
        })?;
        if (&verified.issuer, verified.facts.record_id) != (issuer_id, record_id) {
            return Err(answers.wrong("it is of another record"));
        }
        if verified.details.is_some() != disclose_details {
            return Err(answers.wrong("it does not disclose what was asked for, or discloses more"));
        }
        let receipt = self.receipt_in(&bundle)?;
        let mut proof = TlogProof::parse(&receipt.tlog_proof).map_err(|error| answers.wrong(error))?;
        let head = SeenHead {
            size: verified.checkpoint.size,
            root: Digest(verified.checkpoint.root),
            checkpoint: proof.checkpoint.clone(),
        };
        self.remember_since(before, head).await?;
        proof.extra = Some(receipt.core);
        let tlog_proof = proof.format().map_err(|error| answers.wrong(error))?;
        Ok(RecordBundle { bytes: bundle, tlog_proof, verified })
    }

    /// The receipt of the record's entry in a bundle that was verified.
    fn receipt_in(&self, bundle: &[u8]) -> Result<v1::Receipt, ClientError> {
        let answers = self.answers("GetRecordBundle");
        let files = credit_log::container::parse(bundle).map_err(|error| answers.wrong(error))?;
        let file = answers.some(RECEIPT, files.iter().find(|file| file.name == RECEIPT))?;
        strict::decode(file.bytes).map_err(|error| answers.wrong(error))
    }
}
