//! How a log begins and how a server takes it up.

use credit_types::genesis::{FORMAT, NOTICE_DAYS_MIN, PROTOCOL};
use credit_types::limits::{
    AUTHORITY_KEYS_MAX, CIVIL_OFFSET_MINUTES_MAX, GENESIS_KEYS_MAX, ORIGIN_BYTES_MAX, ORIGIN_BYTES_MIN,
    POLICY_DAYS_MAX, SIGNATURES_MAX, SOFTWARE_BYTES_MAX,
};
use credit_types::{
    Digest, Epoch, Genesis, Header, Kid, LogContinuation, LogId, Policy, PublicKey, ServerStart,
};

use crate::field::{ascii, count, ensure, optional_sized, range, required, sized};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::{Admit, Reading};
use crate::statement::{Signable, genesis_header, header, header_wire};
use crate::v1;

impl Signable for Genesis {
    const TYPE: &'static str = payload_type::GENESIS;
    type Wire = v1::Genesis;

    fn to_wire(&self, header: Option<&Header>) -> v1::Genesis {
        let keys = |keys: &[PublicKey]| keys.iter().map(key_wire).collect();
        v1::Genesis {
            header: header_wire(header),
            nonce: self.nonce.to_vec(),
            format: FORMAT,
            protocol: self.protocol,
            origin: self.origin.clone(),
            hash_alg: v1::HashAlgorithm::Sha256.into(),
            checkpoint_keys: keys(&self.checkpoint_keys),
            statement_keys: keys(&self.statement_keys),
            operator_keys: keys(&self.operator_keys),
            authority_keys: keys(&self.authority_keys),
            authority_threshold: self.authority_threshold,
            witness_policy_hash: self.witness_policy_hash.map(|hash| hash.0.to_vec()).unwrap_or_default(),
            registry_log: self.registry_log.map(|id| id.0.to_vec()).unwrap_or_default(),
            civil_offset_minutes: self.civil_offset_minutes,
            policy: Some(policy_wire(&self.policy)),
            continues: self.continues.as_ref().map(continuation_wire),
        }
    }

    fn from_wire(wire: v1::Genesis, reading: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::Genesis {
            header,
            nonce,
            format,
            protocol,
            origin: origin_wire,
            hash_alg,
            checkpoint_keys,
            statement_keys,
            operator_keys,
            authority_keys,
            authority_threshold,
            witness_policy_hash,
            registry_log,
            civil_offset_minutes,
            policy: policy_wire,
            continues,
        } = wire;
        let header = genesis_header(header)?;
        let Digest(nonce) = sized("nonce", &nonce, Digest::from_slice)?;
        range("format", format, FORMAT..=FORMAT)?;
        let origin = origin(origin_wire)?;
        let sha256 = hash_alg == i32::from(v1::HashAlgorithm::Sha256);
        ensure(sha256, "hash_alg", "must be SHA256: set it")?;
        let offset = -CIVIL_OFFSET_MINUTES_MAX..=CIVIL_OFFSET_MINUTES_MAX;
        let admit = reading.admit;
        let genesis = Self {
            nonce,
            protocol: range("protocol", protocol, 1..=PROTOCOL)?,
            origin,
            checkpoint_keys: keys("checkpoint_keys", checkpoint_keys, GENESIS_KEYS_MAX, admit)?,
            statement_keys: keys("statement_keys", statement_keys, GENESIS_KEYS_MAX, admit)?,
            operator_keys: keys("operator_keys", operator_keys, GENESIS_KEYS_MAX, admit)?,
            authority_keys: keys("authority_keys", authority_keys, AUTHORITY_KEYS_MAX, admit)?,
            authority_threshold,
            witness_policy_hash: optional_sized(
                "witness_policy_hash",
                &witness_policy_hash,
                Digest::from_slice,
            )?,
            registry_log: optional_sized("registry_log", &registry_log, LogId::from_slice)?,
            civil_offset_minutes: range("civil_offset_minutes", civil_offset_minutes, offset)?,
            policy: required("policy", policy_wire).and_then(|wire| policy(wire).at("policy"))?,
            continues: continues.map(continuation).transpose().at("continues")?,
        };
        check_together(&genesis)?;
        Ok((header, genesis))
    }
}

/// What one field of a genesis asks of another.
fn check_together(genesis: &Genesis) -> Result<(), InvalidField> {
    let authority_keys = u32::try_from(genesis.authority_keys.len()).unwrap_or(u32::MAX);
    range("authority_threshold", genesis.authority_threshold, 1..=authority_keys)?;
    if !genesis.is_dev() {
        range("policy.notice_days", genesis.policy.notice_days, NOTICE_DAYS_MIN..=POLICY_DAYS_MAX)?;
    }
    Ok(())
}

fn origin(text: String) -> Result<String, InvalidField> {
    let text = ascii("origin", text, ORIGIN_BYTES_MIN..=ORIGIN_BYTES_MAX)?;
    let plain = !text.contains([' ', '+']) && !text.contains("://");
    ensure(plain, "origin", "must be a URL without scheme, spaces and plus signs: leave them out")?;
    Ok(text)
}

fn policy(wire: v1::Policy) -> Result<Policy, InvalidField> {
    let v1::Policy { notice_days, quorum, appeal_days, lapse_days, batch_days, anchor_days, suspect_days } =
        wire;
    let quorum_max = u32::try_from(SIGNATURES_MAX).unwrap_or(u32::MAX);
    Ok(Policy {
        notice_days: range("notice_days", notice_days, 0..=POLICY_DAYS_MAX)?,
        quorum: range("quorum", quorum, 0..=quorum_max)?,
        appeal_days: range("appeal_days", appeal_days, 0..=POLICY_DAYS_MAX)?,
        lapse_days: range("lapse_days", lapse_days, 0..=POLICY_DAYS_MAX)?,
        batch_days: range("batch_days", batch_days, 1..=POLICY_DAYS_MAX)?,
        anchor_days: range("anchor_days", anchor_days, 1..=POLICY_DAYS_MAX)?,
        suspect_days: range("suspect_days", suspect_days, 1..=POLICY_DAYS_MAX)?,
    })
}

fn policy_wire(policy: &Policy) -> v1::Policy {
    let Policy { notice_days, quorum, appeal_days, lapse_days, batch_days, anchor_days, suspect_days } =
        *policy;
    v1::Policy { notice_days, quorum, appeal_days, lapse_days, batch_days, anchor_days, suspect_days }
}

fn continuation(wire: v1::LogContinuation) -> Result<LogContinuation, InvalidField> {
    let v1::LogContinuation { log_id, size, root } = wire;
    Ok(LogContinuation {
        log_id: sized("log_id", &log_id, LogId::from_slice)?,
        size: range("size", size, 1..=u64::MAX)?,
        root: sized("root", &root, Digest::from_slice)?,
    })
}

fn continuation_wire(continuation: &LogContinuation) -> v1::LogContinuation {
    let LogContinuation { log_id, size, root } = continuation;
    v1::LogContinuation { log_id: log_id.0.to_vec(), size: *size, root: root.0.to_vec() }
}

/// One to `max` keys.
fn keys(
    field: &str,
    wires: Vec<v1::PublicKey>,
    max: usize,
    admit: Admit,
) -> Result<Vec<PublicKey>, InvalidField> {
    count(field, &wires, 1..=max)?;
    let mut keys = Vec::with_capacity(wires.len());
    for (position, wire) in wires.into_iter().enumerate() {
        keys.push(key(wire, admit).at_element(field, position)?);
    }
    Ok(keys)
}

/// A public key, admitted.
pub(crate) fn key(wire: v1::PublicKey, admit: Admit) -> Result<PublicKey, InvalidField> {
    let v1::PublicKey { algorithm, key } = wire;
    let ed25519 = algorithm == i32::from(v1::KeyAlgorithm::Ed25519);
    ensure(ed25519, "algorithm", "must be ED25519: set it")?;
    let Digest(bytes) = sized("key", &key, Digest::from_slice)?;
    let problem = "is not the canonical encoding of a torsion-free Ed25519 point: generate another key";
    let kid = admit(&bytes).ok_or_else(|| InvalidField::new("key", problem))?;
    Ok(PublicKey { bytes, kid: Kid(kid) })
}

/// A public key as it stands in a message.
pub(crate) fn key_wire(key: &PublicKey) -> v1::PublicKey {
    v1::PublicKey { algorithm: v1::KeyAlgorithm::Ed25519.into(), key: key.bytes.to_vec() }
}

impl Signable for ServerStart {
    const TYPE: &'static str = payload_type::SERVER_START;
    type Wire = v1::ServerStart;

    fn to_wire(&self, header: Option<&Header>) -> v1::ServerStart {
        let Self { epoch, software, protocol } = self;
        v1::ServerStart {
            header: header_wire(header),
            epoch: epoch.0.to_vec(),
            software: software.clone(),
            protocol: *protocol,
        }
    }

    fn from_wire(wire: v1::ServerStart, _: Reading) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::ServerStart { header: header_wire, epoch, software, protocol } = wire;
        let header = header(header_wire)?;
        // Which protocol is spoken is the core's to judge; that one is named is asked here.
        let body = Self {
            epoch: sized("epoch", &epoch, Epoch::from_slice)?,
            software: ascii("software", software, 1..=SOFTWARE_BYTES_MAX)?,
            protocol: range("protocol", protocol, 1..=u32::MAX)?,
        };
        Ok((header, body))
    }
}
