//! Applications: quoted, made, decided, moved on, and read with the explanation that they commit to.

mod noun;

pub use noun::{
    ApplicationStep, Applied, ComplianceQuery, ConversionQuery, ConversionView, NewConversion, NewDecision,
    NewReversal, NewStep, OpenedConversion, PeriodVerdict, Quote,
};

use credit_log::commitment::{RECKONING_LABEL, commit};
use credit_proto::entry::WireEvent;
use credit_proto::{Secret as _, payload_type, v1};
use credit_types::{
    AccountRef, ApplicationStatus, AwardReversal, CivilDate, ConversionAction, ConversionDecision,
    ConversionParticulars, ConversionPurpose, ConversionRequest, ConversionStep, Digest, InstitutionId,
    KeyPurpose, RecordName,
};
use credit_verify::VerifiedReceipt;

use crate::builder::Client;
use crate::call::conversions;
use crate::draft::Committed;
use crate::error::{BadReceipt, ClientError, Refusal};
use crate::proved::requested_in;
use crate::query::{Page, token};
use crate::signer::{InstitutionSigner, Outgoing, seal};
use crate::view::Answers;

fn account(account_ref: Option<AccountRef>) -> Vec<u8> {
    account_ref.map(|account| account.as_bytes().to_vec()).unwrap_or_default()
}

fn purpose_number(purpose: ConversionPurpose) -> i32 {
    match purpose {
        ConversionPurpose::Credit => v1::ConversionPurpose::Credit,
        ConversionPurpose::Award => v1::ConversionPurpose::Award,
    }
    .into()
}

fn record_name(name: &RecordName) -> v1::RecordName {
    let RecordName { issuer, record_id } = name;
    v1::RecordName { issuer_id: issuer.as_str().to_owned(), record_id: record_id.as_bytes().to_vec() }
}

fn day(date: CivilDate) -> v1::CivilDate {
    v1::CivilDate { year: date.year(), month: date.month(), day: date.day() }
}

/// Where an entry's events leave an application: at a step after the request, or under review.
fn status_after(
    answers: Answers,
    application: u64,
    receipt: &VerifiedReceipt,
) -> Result<ApplicationStatus, ClientError> {
    let index = receipt.core.index;
    let changed = |event: &WireEvent| {
        let body = event.conversion_changed.as_ref()?;
        (body.application_index == application).then_some(body.status)
    };
    if let Some(status) = receipt.events.values().rev().find_map(changed) {
        return answers.application_status(status);
    }
    let requested =
        index == application && receipt.events.values().any(|event| event.conversion_requested.is_some());
    if requested {
        return Ok(ApplicationStatus::UnderReview);
    }
    Err(BadReceipt::NotOpened { index, what: "what became of the application".to_owned() }.into())
}

/// Whether an explanation opens a commitment under a salt.
fn explains(commitment: Digest, salt: &[u8], explanation: &[u8]) -> bool {
    let salt: Option<&[u8; 32]> = salt.try_into().ok();
    salt.is_some_and(|salt| {
        let of = payload_type::CONVERSION_EXPLANATION;
        commit(RECKONING_LABEL, salt, of, explanation) == commitment.0
    })
}

impl Answers {
    fn conversion(self, wire: v1::ApplicationView) -> Result<ConversionView, ClientError> {
        let v1::ApplicationView {
            application_index,
            request,
            items,
            status,
            steps,
            granted,
            granted_on,
            provisional_until,
            auto_approval_index,
            explanation_commitment,
            last_entry,
            review_due,
        } = wire;
        let request = self.some("request", request)?;
        let step = |v1::ApplicationStep { index, status }| {
            Ok(ApplicationStep { index, status: self.application_status(status)? })
        };
        let commitment = Digest::from_slice(&explanation_commitment);
        Ok(ConversionView {
            application: application_index,
            request: self.body(request, |wire: &mut v1::ConversionRequest| &mut wire.header)?,
            items: self.items(items)?,
            status: self.application_status(status)?,
            steps: steps.into_iter().map(step).collect::<Result<_, ClientError>>()?,
            granted: self.granted(granted)?,
            granted_on: self.optional_day("granted_on", granted_on)?,
            provisional_until: self.optional_day("provisional_until", provisional_until)?,
            auto_approval: auto_approval_index,
            explanation_commitment: self.id("explanation_commitment", commitment)?,
            last_entry: self.id("last_entry", Digest::from_slice(&last_entry))?,
            review_due,
        })
    }
}

impl Client {
    /// Reckons what an application would be granted, and why. Nothing is written, and it is the bank's word: the engine
    /// is open, and the same records under the same book give the same again.
    pub async fn quote_conversion(&self, asked: &ConversionQuery) -> Result<Quote, ClientError> {
        let answers = self.answers("QuoteConversion");
        let mut names = asked.records.clone();
        names.sort();
        names.dedup();
        let request = v1::QuoteConversionRequest {
            account_ref: account(asked.account_ref),
            purpose: purpose_number(asked.purpose),
            book_id: asked.book_id.as_str().to_owned(),
            version: asked.version,
            target: asked.target.as_str().to_owned(),
            records: names.iter().map(record_name).collect(),
            particulars: asked.particulars.as_ref().map(ConversionParticulars::to_wire),
        };
        let call = |channel, request| async move { conversions(channel).quote_conversion(request).await };
        let v1::QuoteConversionResponse {
            version,
            institution_id,
            records,
            items,
            automatic,
            refusal,
            explanation,
        } = self.call(request, call).await?;
        let records = records.into_iter().map(|name| answers.record_name(name)).collect::<Result<_, _>>()?;
        Ok(Quote {
            version,
            institution_id: answers.id("institution_id", InstitutionId::new(institution_id))?,
            records,
            items: answers.items(items)?,
            automatic,
            refusal: refusal.map(|refusal| Refusal::of_element(refusal, self.shared.language)),
            explanation,
        })
    }

    /// Applies, signed by the registrar's REGISTRY key, which says that the learner's consent was seen. The index of the
    /// entry names the application.
    pub async fn request_conversion(&self, wanted: &NewConversion) -> Result<Applied, ClientError> {
        const CALL: &str = "RequestConversion";
        let NewConversion { account_ref, purpose, institution_id, book, target, records, particulars } =
            wanted;
        let particulars = Committed::particulars(particulars.as_ref())?;
        let mut records = records.clone();
        records.sort();
        records.dedup();
        let body = ConversionRequest {
            account_ref: *account_ref,
            purpose: *purpose,
            institution_id: institution_id.clone(),
            book: book.clone(),
            target: target.clone(),
            records,
            particulars_commitment: particulars.as_ref().map(|part| part.commitment),
        };
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, &body, &[self.signer()?.key(&[KeyPurpose::Registry])?])?;
        let request = v1::RequestConversionRequest {
            envelope: Some((&outgoing.envelope).into()),
            particulars: particulars.map(Committed::wire),
            want_receipt: true,
        };
        let call = |channel, request| async move { conversions(channel).request_conversion(request).await };
        let v1::RequestConversionResponse { position, status } = self.call(request, call).await?;
        self.applied(CALL, &outgoing, position, None, status).await
    }

    /// Decides an application, signed by the institution's DECISIONS key.
    pub async fn decide_conversion(&self, decision: &NewDecision) -> Result<Applied, ClientError> {
        let NewDecision {
            after,
            application,
            outcome,
            explanation_commitment,
            items,
            reason,
            provisional_until,
            opinion,
        } = decision;
        let opinion = Committed::explanation(opinion.as_ref())?;
        let mut items = items.clone();
        items.sort_by_key(|item| item.position);
        let body = ConversionDecision {
            after: *after,
            application: *application,
            outcome: *outcome,
            explanation_commitment: *explanation_commitment,
            items,
            reason: *reason,
            provisional_until: *provisional_until,
            opinion_commitment: opinion.as_ref().map(|part| part.commitment),
        };
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, &body, &[self.signer()?.key(&[KeyPurpose::Decisions])?])?;
        let request = v1::DecideConversionRequest {
            envelope: Some((&outgoing.envelope).into()),
            opinion: opinion.map(Committed::wire),
            want_receipt: true,
        };
        let call = |channel, request| async move { conversions(channel).decide_conversion(request).await };
        let v1::DecideConversionResponse { position, status } = self.call(request, call).await?;
        self.applied("DecideConversion", &outgoing, position, Some(*application), status).await
    }

    /// Withdraws, appeals or answers, signed by a registrar's REGISTRY key; confirms or rescinds, signed by the
    /// institution's DECISIONS key.
    pub async fn step_conversion(&self, step: &NewStep) -> Result<Applied, ClientError> {
        let NewStep { after, application, action, explanation } = step;
        let explanation = Committed::explanation(explanation.as_ref())?;
        let body = ConversionStep {
            after: *after,
            application: *application,
            action: *action,
            explanation_commitment: explanation.as_ref().map(|part| part.commitment),
        };
        let purpose = match action {
            ConversionAction::Withdraw | ConversionAction::Appeal | ConversionAction::Answer => {
                KeyPurpose::Registry
            }
            ConversionAction::Confirm | ConversionAction::Rescind => KeyPurpose::Decisions,
        };
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, &body, &[self.signer()?.key(&[purpose])?])?;
        let request = v1::StepConversionRequest {
            envelope: Some((&outgoing.envelope).into()),
            explanation: explanation.map(Committed::wire),
            want_receipt: true,
        };
        let call = |channel, request| async move { conversions(channel).step_conversion(request).await };
        let v1::StepConversionResponse { position, status } = self.call(request, call).await?;
        self.applied("StepConversion", &outgoing, position, Some(*application), status).await
    }

    /// Takes an award back by order, signed by the awarding institution's DECISIONS key and by the regulator's STATUS
    /// key.
    pub async fn reverse_award(
        &self,
        reversal: &NewReversal,
        regulator: &InstitutionSigner,
    ) -> Result<Applied, ClientError> {
        let NewReversal { after, application, order_ref, kept, explanation } = reversal;
        let explanation = Committed::explanation(explanation.as_ref())?;
        let mut kept = kept.clone();
        kept.sort_unstable();
        kept.dedup();
        let body = AwardReversal {
            after: *after,
            application: *application,
            regulator_id: regulator.institution().clone(),
            order_ref: order_ref.clone(),
            kept,
            explanation_commitment: explanation.as_ref().map(|part| part.commitment),
        };
        let header = self.header(self.signer_id()?).await?;
        let own = self.signer()?.key(&[KeyPurpose::Decisions])?;
        let outgoing = seal(&header, &body, &[own, regulator.key(&[KeyPurpose::Status])?])?;
        let request = v1::ReverseAwardRequest {
            envelope: Some((&outgoing.envelope).into()),
            explanation: explanation.map(Committed::wire),
            want_receipt: true,
        };
        let call = |channel, request| async move { conversions(channel).reverse_award(request).await };
        let v1::ReverseAwardResponse { position, status } = self.call(request, call).await?;
        self.applied("ReverseAward", &outgoing, position, Some(*application), status).await
    }

    /// What must hold before a write about an application is called done: its receipt holds, and the entry leaves the
    /// application where the bank says. Without an application it is the entry's own.
    async fn applied(
        &self,
        call: &'static str,
        outgoing: &Outgoing,
        position: Option<v1::Position>,
        application: Option<u64>,
        status: i32,
    ) -> Result<Applied, ClientError> {
        let answers = self.answers(call);
        let (recorded, verified) = self.recorded(call, outgoing, position).await?;
        let proved = status_after(answers, application.unwrap_or(recorded.index), &verified)?;
        // Of a statement that was recorded before, the bank may tell where the application stands by now.
        if !recorded.replayed && answers.application_status(status)? != proved {
            return Err(answers.wrong("the entry leaves the application elsewhere than the answer says"));
        }
        Ok(Applied { recorded, status: proved })
    }

    /// An application with its explanation, for its learner, the institution that was asked, its registrar and auditors.
    /// The explanation opens the application's commitment.
    pub async fn get_conversion(&self, application: u64) -> Result<OpenedConversion, ClientError> {
        let answers = self.answers("GetConversion");
        let request = v1::GetConversionRequest { application_index: application };
        let call = |channel, request| async move { conversions(channel).get_conversion(request).await };
        let v1::GetConversionResponse { application: view, explanation, explanation_salt, precedents } =
            self.call(request, call).await?;
        let view = answers.conversion(answers.some("application", view)?)?;
        if view.application != application {
            return Err(answers.wrong("it is another application"));
        }
        let explanation = Some(explanation).filter(|explanation| !explanation.is_empty());
        if let Some(explanation) = &explanation
            && !explains(view.explanation_commitment, &explanation_salt, explanation)
        {
            return Err(answers.wrong("the explanation is not the one that the application commits to"));
        }
        Ok(OpenedConversion { view, explanation, precedents })
    }

    /// Proves what the bank shows of an application: its entry is in the log, with this very request and proposal, and
    /// commits to this explanation.
    pub async fn prove_conversion(&self, view: &ConversionView) -> Result<(), ClientError> {
        let answers = self.answers("GetReceipt");
        let index = view.application;
        let (_, verified) = self.get_receipt(index).await?;
        let closed = |what: &str| BadReceipt::NotOpened { index, what: what.to_owned() };
        let other = |what: &str| BadReceipt::OtherStatement { index, problem: what.to_owned() };
        let requested = verified.events.values().find_map(|event| event.conversion_requested.clone());
        let requested = requested.ok_or_else(|| closed("the application"))?;
        let commitment = Digest::from_slice(&requested.explanation_commitment);
        let same = answers.items(requested.items)? == view.items
            && answers.id("explanation_commitment", commitment)? == view.explanation_commitment
            && requested.account_ref == view.request.account_ref.as_bytes();
        if !same {
            return Err(other("it proposes something else").into());
        }
        let signed = requested_in(&verified).ok_or_else(|| closed("the request"))?;
        if signed == view.request { Ok(()) } else { Err(other("it asks for something else").into()) }
    }

    /// A page of applications, newest first: of an account, or those made to the calling institution. `page_size` 0 (the
    /// bank's default, 50) to 200; `page_token` empty for the first; `open_only`: those that an officer is to decide.
    pub async fn list_conversions(
        &self,
        account_ref: Option<AccountRef>,
        open_only: bool,
        page_size: u32,
        page_token: &str,
    ) -> Result<Page<ConversionView>, ClientError> {
        let answers = self.answers("ListConversions");
        let request = v1::ListConversionsRequest {
            account_ref: account(account_ref),
            page_size,
            page_token: page_token.to_owned(),
            open_only,
        };
        let call = |channel, request| async move { conversions(channel).list_conversions(request).await };
        let v1::ListConversionsResponse { applications, next_page_token } = self.call(request, call).await?;
        let items =
            applications.into_iter().map(|view| answers.conversion(view)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: token(next_page_token) })
    }

    /// Judges a period of continuing education. It is the bank's word.
    pub async fn check_compliance(&self, asked: &ComplianceQuery) -> Result<PeriodVerdict, ClientError> {
        let request = v1::CheckComplianceRequest {
            account_ref: account(asked.account_ref),
            book_id: asked.book_id.as_str().to_owned(),
            version: asked.version,
            rule: asked.rule.as_str().to_owned(),
            on: Some(day(asked.on)),
        };
        let call = |channel, request| async move { conversions(channel).check_compliance(request).await };
        let v1::CheckComplianceResponse { version, verdict, compliant } = self.call(request, call).await?;
        Ok(PeriodVerdict { version, verdict, compliant })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_opens_its_commitment_and_no_other_does() {
        let (salt, explanation) = ([7; 32], br#"{"items":[]}"#);
        let commitment =
            Digest(commit(RECKONING_LABEL, &salt, payload_type::CONVERSION_EXPLANATION, explanation));
        assert!(explains(commitment, &salt, explanation));
        assert!(!explains(commitment, &salt, br#"{"items":[1]}"#));
        assert!(!explains(commitment, &[8; 32], explanation));
        assert!(!explains(commitment, &salt[1..], explanation));
    }
}
