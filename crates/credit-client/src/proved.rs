//! A record held against the log: its facts are those of the entry, and of a leaf also those of its batch.

use credit_types::LeafType;
use credit_verify::{DepositBasis, Fault, find_deposit, verify_leaf};

use crate::builder::Client;
use crate::error::{BadReceipt, ClientError};
use crate::receipt::Receipt;
use crate::view::RecordView;

impl Client {
    /// Proves what the bank showed of a record: the entry that it names is in the log and deposits a record with these
    /// very facts and this issuer; of a leaf, that its manifest signs a root over it. Details that open the facts'
    /// commitment are thereby the ones that were signed for. Whose key signed, and whether it was in force, is the
    /// whole log's or a record bundle's to tell. Gives the receipt of the entry.
    pub async fn prove_record(&self, view: &RecordView) -> Result<Receipt, ClientError> {
        let (receipt, verified, leaves) = self.get_receipt_with_leaves(view.index).await?;
        let deposit = find_deposit(&verified, view.facts.record_id)?;
        if deposit.facts != view.facts || deposit.issuer != view.issuer_id {
            let problem = "it deposits the record with other facts".to_owned();
            return Err(BadReceipt::OtherStatement { index: view.index, problem }.into());
        }
        if let DepositBasis::Leaf { manifest_index, position, payload } = &deposit.basis {
            let proof = leaves.iter().find(|leaf| leaf.position == *position);
            let proof = proof.ok_or(Fault::OtherRecord)?;
            let (_, manifest) = self.get_receipt(*manifest_index).await?;
            verify_leaf(&manifest, LeafType::Record, payload, proof)?;
        }
        Ok(receipt)
    }
}
