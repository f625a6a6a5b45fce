//! One record: deposit, correct, change its status.

use credit_proto::v1;
use credit_types::{Anchor, Header, KeyPurpose, RecordCorrection, RecordStatusChange, SignerId};

use crate::builder::Client;
use crate::call::records;
use crate::draft::{Committed, NewCorrection, NewRecord, NewStatusChange};
use crate::error::ClientError;
use crate::random;
use crate::receipt::Recorded;
use crate::signer::{Outgoing, seal};

impl Client {
    /// A header under a new statement_id, anchored on the last head seen.
    pub(crate) async fn header(&self, signer: SignerId) -> Result<Header, ClientError> {
        self.header_on(signer, self.anchor().await?)
    }

    fn header_on(&self, signer: SignerId, anchor: Anchor) -> Result<Header, ClientError> {
        let log_id = Some(self.shared.trust.log_id);
        Ok(Header { log_id, statement_id: random::command_id()?, signer, anchor: Some(anchor) })
    }

    /// Signs a record on an anchor.
    pub(crate) fn prepare(
        &self,
        record: &NewRecord,
        anchor: Anchor,
        want_receipt: bool,
    ) -> Result<(Outgoing, v1::SubmitRecordRequest), ClientError> {
        let details = Committed::details(&record.details)?;
        let header = self.header_on(self.signer_id()?, anchor)?;
        let key = self.signer()?.key(&[KeyPurpose::Records])?;
        let outgoing = seal(&header, &record.facts(details.commitment), &[key])?;
        let request = v1::SubmitRecordRequest {
            envelope: Some((&outgoing.envelope).into()),
            details: Some(details.wire()),
            want_receipt,
        };
        Ok((outgoing, request))
    }

    /// Deposits one record, signed by the issuer's RECORDS key.
    pub async fn submit_record(&self, record: &NewRecord) -> Result<Recorded, ClientError> {
        self.signer()?;
        let (outgoing, request) = self.prepare(record, self.anchor().await?, true)?;
        let call = |channel, request| async move { records(channel).submit_record(request).await };
        let v1::SubmitRecordResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("SubmitRecord", &outgoing, position).await?.0)
    }

    /// Replaces a record by a corrected one, signed by the issuer's RECORDS key.
    pub async fn correct_record(&self, correction: &NewCorrection) -> Result<Recorded, ClientError> {
        let NewCorrection { after, supersedes, reason, record, explanation } = correction;
        let details = Committed::details(&record.details)?;
        let explanation = Committed::explanation(explanation.as_ref())?;
        let body = RecordCorrection {
            after: *after,
            supersedes: *supersedes,
            reason: *reason,
            facts: record.facts(details.commitment),
            explanation_commitment: explanation.as_ref().map(|part| part.commitment),
        };
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, &body, &[self.signer()?.key(&[KeyPurpose::Records])?])?;
        let request = v1::CorrectRecordRequest {
            envelope: Some((&outgoing.envelope).into()),
            details: Some(details.wire()),
            explanation: explanation.map(Committed::wire),
            want_receipt: true,
        };
        let call = |channel, request| async move { records(channel).correct_record(request).await };
        let v1::CorrectRecordResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("CorrectRecord", &outgoing, position).await?.0)
    }

    /// Revokes, suspends or reinstates a record, signed by the STATUS key of its issuer or of a regulator.
    pub async fn change_record_status(&self, change: &NewStatusChange) -> Result<Recorded, ClientError> {
        let NewStatusChange {
            after,
            account_ref,
            issuer_id,
            record_id,
            action,
            reason,
            order_ref,
            effective_from,
            explanation,
        } = change;
        let explanation = Committed::explanation(explanation.as_ref())?;
        let body = RecordStatusChange {
            after: *after,
            account_ref: *account_ref,
            issuer_id: issuer_id.clone(),
            record_id: *record_id,
            action: *action,
            reason: *reason,
            order_ref: order_ref.clone(),
            effective_from: *effective_from,
            explanation_commitment: explanation.as_ref().map(|part| part.commitment),
        };
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, &body, &[self.signer()?.key(&[KeyPurpose::Status])?])?;
        let request = v1::ChangeRecordStatusRequest {
            envelope: Some((&outgoing.envelope).into()),
            explanation: explanation.map(Committed::wire),
            want_receipt: true,
        };
        let call = |channel, request| async move { records(channel).change_record_status(request).await };
        let v1::ChangeRecordStatusResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("ChangeRecordStatus", &outgoing, position).await?.0)
    }
}
