//! Signatures of statements, each checked strictly under a key that the log itself names.

use credit_log::envelope::PublicKey;
use credit_proto::{Envelope, Statement};
use credit_types::{Kid, Reason};

use crate::prepare::{Past, Unread};
use crate::report::Stop;
use crate::rule::Rule;

/// Verifies every signature of a statement and gives the keys, ascending: those that the statement brings, the
/// genesis's, or institutions'. Whether they were allowed to sign is decided elsewhere.
pub(crate) fn signers(
    past: &mut dyn Past,
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
        let valid = key.is_some_and(|key| {
            key.verify_statement(&envelope.payload_type, &envelope.payload, signature).is_ok()
        });
        if !valid {
            let detail = format!("the signature by {kid} is false");
            return Err(Stop::broken(Rule::SignatureInvalid, detail).into());
        }
        kids.push(*kid);
    }
    Ok(kids)
}
