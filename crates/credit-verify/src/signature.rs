//! Signatures of statements, each checked strictly under a key that the log itself names.

use credit_log::envelope::PublicKey;
use credit_log::strict_batch::StrictBatch;
use credit_proto::{Envelope, Statement};
use credit_types::{Kid, Reason};

use crate::prepare::{Past, Unread};
use crate::report::Stop;
use crate::rule::Rule;

/// Who checks the signatures of an entry that is read.
pub(crate) enum Checks<'b> {
    /// Each is checked at once.
    OneByOne,
    /// They are taken for valid, and checked together with those of other entries. An entry of which one turns out to
    /// be false is read again, one by one, so that it says what it would have said.
    Together(&'b mut StrictBatch),
}

impl Checks<'_> {
    /// Whether a signature of a statement is valid, as far as it is known.
    fn hold(&mut self, key: &PublicKey, envelope: &Envelope, signature: &[u8; 64]) -> bool {
        let Envelope { payload_type, payload, signatures: _ } = envelope;
        let gathered = match self {
            Self::OneByOne => false,
            // What a full batch has no room for is checked at once.
            Self::Together(batch) => batch.push_statement(key, payload_type, payload, signature).is_ok(),
        };
        gathered || key.verify_statement(payload_type, payload, signature).is_ok()
    }
}

/// Verifies every signature of a statement and gives the keys, ascending: those that the statement brings, the
/// genesis's, or institutions'. Whether they were allowed to sign is decided elsewhere.
pub(crate) fn signers(
    past: &mut dyn Past,
    checks: &mut Checks<'_>,
    envelope: &Envelope,
    statement: &Statement,
) -> Result<Vec<Kid>, Unread> {
    let brought = statement.brought_keys();
    let mut kids = Vec::with_capacity(envelope.signatures.len());
    for (kid, signature) in &envelope.signatures {
        let own = brought.iter().find(|key| key.kid == *kid);
        let key = match own {
            Some(key) => PublicKey::admit(&key.bytes).ok(),
            None => Some(past.key(*kid)?.ok_or_else(|| {
                let rule = Rule::RefusedByRules { reason: Reason::KeyUnknown };
                Stop::broken(rule, format!("no key {kid} stands in the log before this entry"))
            })?),
        };
        let valid = key.is_some_and(|key| checks.hold(&key, envelope, signature));
        if !valid {
            let detail = format!("the signature by {kid} is false");
            return Err(Stop::broken(Rule::SignatureInvalid, detail).into());
        }
        kids.push(*kid);
    }
    Ok(kids)
}
