//! Signatures of statements, each checked strictly under a key that the log itself names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use credit_ledger::{Row, RowId};
use credit_log::Hash;
use credit_log::envelope::PublicKey;
use credit_proto::{Envelope, Statement};
use credit_types::{Kid, Reason};

use crate::replay::State;
use crate::report::Stop;
use crate::rule::Rule;

/// Admits a public key, for decoding: its kid, or nothing.
pub(crate) fn admit(key: &[u8; 32]) -> Option<Hash> {
    PublicKey::admit(key).ok().map(|key| key.kid())
}

/// Keys that have been admitted once: asking whether a point is torsion-free costs as much as a signature.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys(BTreeMap<Kid, PublicKey>);

impl Keys {
    fn admitted(&mut self, kid: Kid, bytes: &[u8; 32]) -> Option<&mut PublicKey> {
        Some(match self.0.entry(kid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(PublicKey::admit(bytes).ok()?),
        })
    }
}

/// Verifies every signature of a statement and gives the keys, ascending: those that the statement brings, the
/// genesis's, or institutions'. Whether they were allowed to sign is decided elsewhere.
pub(crate) fn signers(
    state: &mut State,
    envelope: &Envelope,
    statement: &Statement,
) -> Result<Vec<Kid>, Stop> {
    let brought = statement.brought_keys();
    let mut kids = Vec::with_capacity(envelope.signatures.len());
    for (kid, signature) in &envelope.signatures {
        let bytes = brought.iter().find(|key| key.kid == *kid).map(|key| key.bytes);
        let Some(bytes) = bytes.or_else(|| known(state, *kid)) else {
            let rule = Rule::RefusedByRules { reason: Reason::KeyUnknown };
            return Err(Stop::broken(rule, format!("no key {kid} stands in the log before this entry")));
        };
        let key = state.keys.admitted(*kid, &bytes);
        let valid = key.is_some_and(|key| {
            key.verify_statement(&envelope.payload_type, &envelope.payload, signature).is_ok()
        });
        if !valid {
            return Err(Stop::broken(Rule::SignatureInvalid, format!("the signature by {kid} is false")));
        }
        kids.push(*kid);
    }
    Ok(kids)
}

/// A key that the log has named so far.
fn known(state: &State, kid: Kid) -> Option<[u8; 32]> {
    let of_genesis = state.genesis().and_then(|genesis| {
        genesis.authority_keys.iter().chain(&genesis.operator_keys).find(|key| key.kid == kid)
    });
    match (of_genesis, state.rows.get(&RowId::Key(kid))) {
        (Some(key), _) => Some(key.bytes),
        (None, Some(Row::Key(row))) => Some(row.key.key.bytes),
        (None, _) => None,
    }
}
