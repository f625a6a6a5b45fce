//! A record held against the log: its facts are those of the entry, and of a leaf also those of its batch.

use credit_proto::Signable as _;
use credit_proto::entry::{StatementPart, WireEvent};
use credit_types::conversion::granted_facts;
use credit_types::{ConversionRequest, Digest, LeafType, RecordFacts};
use credit_verify::{DepositBasis, Fault, VerifiedReceipt, find_deposit, verify_leaf};

use crate::builder::Client;
use crate::error::{BadReceipt, ClientError};
use crate::receipt::Receipt;
use crate::signer::admit;
use crate::view::RecordView;

impl Client {
    /// Proves what the bank showed of a record: the entry that it names is in the log and deposits a record with these
    /// very facts and this issuer; of a leaf, that its manifest signs a root over it. A record that an application
    /// granted follows from the entries of the grant and of the application. Details that open the facts'
    /// commitment are thereby the ones that were signed for. Whose key signed, and whether it was in force, is the
    /// whole log's or a record bundle's to tell. Gives the receipt of the entry.
    pub async fn prove_record(&self, view: &RecordView) -> Result<Receipt, ClientError> {
        let (receipt, verified, leaves) = self.get_receipt_with_leaves(view.index).await?;
        let deposit = match find_deposit(&verified, view.facts.record_id) {
            Ok(deposit) => deposit,
            Err(Fault::RecordGranted) => {
                self.prove_granted(view, &verified).await?;
                return Ok(receipt);
            }
            Err(fault) => return Err(fault.into()),
        };
        if deposit.facts != view.facts || deposit.issuer != view.issuer_id {
            return Err(other_facts(view.index).into());
        }
        if let DepositBasis::Leaf { manifest_index, position, payload } = &deposit.basis {
            let proof = leaves.iter().find(|leaf| leaf.position == *position);
            let proof = proof.ok_or(Fault::OtherRecord)?;
            let (_, manifest) = self.get_receipt(*manifest_index).await?;
            verify_leaf(&manifest, LeafType::Record, payload, proof)?;
        }
        Ok(receipt)
    }

    /// Proves that a granted record is what its grant and its application make of it.
    async fn prove_granted(&self, view: &RecordView, grant: &VerifiedReceipt) -> Result<(), ClientError> {
        let of_record = |event: &&WireEvent| {
            let granted = event.conversion_changed.iter().flat_map(|changed| &changed.granted);
            granted.into_iter().any(|granted| granted.record_id == view.facts.record_id.as_bytes())
        };
        let changed =
            grant.events.values().find(of_record).and_then(|event| event.conversion_changed.as_ref());
        let application = changed.map(|changed| changed.application_index).ok_or(Fault::OtherRecord)?;
        let asked =
            if application == view.index { None } else { Some(self.get_receipt(application).await?.1) };
        let facts = self.granted_in(view, changed, asked.as_ref().unwrap_or(grant))?;
        if facts == view.facts { Ok(()) } else { Err(other_facts(view.index).into()) }
    }

    /// The facts of a granted record: what was granted, under what the application's entry says.
    fn granted_in(
        &self,
        view: &RecordView,
        changed: Option<&credit_proto::v1::ConversionChanged>,
        asked: &VerifiedReceipt,
    ) -> Result<RecordFacts, ClientError> {
        let answers = self.answers("GetReceipt");
        let index = asked.core.index;
        let closed = |what: &str| BadReceipt::NotOpened { index, what: what.to_owned() };
        let changed = changed.ok_or_else(|| closed("the grant"))?.clone();
        let requested = asked.events.values().find_map(|event| event.conversion_requested.clone());
        let requested = requested.ok_or_else(|| closed("the application"))?;
        let request = requested_in(asked).ok_or_else(|| closed("the request"))?;
        if request.institution_id != view.issuer_id {
            return Err(other_facts(view.index).into());
        }
        let granted = answers.granted(changed.granted)?;
        let granted = granted.into_iter().find(|granted| granted.record_id == view.facts.record_id);
        let granted = granted.ok_or(Fault::OtherRecord)?;
        let items = answers.items(requested.items)?;
        let item = usize::try_from(granted.position).ok().and_then(|at| items.get(at));
        let item = item.ok_or_else(|| answers.wrong("what is granted is no item of the proposal"))?;
        let granted_on = answers.optional_day("granted_on", changed.granted_on)?;
        let granted_on = answers.some("granted_on", granted_on)?;
        let commitment = Digest::from_slice(&requested.explanation_commitment);
        let commitment = answers.id("explanation_commitment", commitment)?;
        let (account, purpose) = (request.account_ref, request.purpose);
        Ok(granted_facts(account, purpose, &granted, &item.scheme, granted_on, commitment))
    }
}

/// The request that an entry records, as far as its receipt opens it.
pub(crate) fn requested_in(receipt: &VerifiedReceipt) -> Option<ConversionRequest> {
    let signed = |statement: &StatementPart| match statement {
        StatementPart::Signed(envelope) if envelope.payload_type == ConversionRequest::TYPE => {
            ConversionRequest::from_payload(&envelope.payload, admit).ok().map(|(_, request)| request)
        }
        StatementPart::Signed(_) | StatementPart::Leaf { .. } => None,
    };
    receipt.statements.values().find_map(signed)
}

fn other_facts(index: u64) -> BadReceipt {
    BadReceipt::OtherStatement { index, problem: "it deposits the record with other facts".to_owned() }
}
