//! The trust file: what a client takes on trust, one log pinned by a small file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credit_log::envelope::{KeyError, PublicKey, kid_text};
use credit_log::note::{VerifierKey, VkeyError};
use credit_log::policy::{self, POLICY_BYTES_MAX, Policy};
use credit_types::LogId;
use credit_types::limits::{GENESIS_KEYS_MAX, ORIGIN_BYTES_MAX, ORIGIN_BYTES_MIN};
use credit_verify::Trust;
use serde::{Deserialize, Serialize};

/// The most bytes of a trust file.
pub const TRUST_BYTES_MAX: usize = 65_536;

// A policy fits with all the keys beside it.
const _: () = assert!(POLICY_BYTES_MAX * 3 / 2 < TRUST_BYTES_MAX);

/// A text that is not a trust file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Longer than [`TRUST_BYTES_MAX`].
    #[error("the trust file is longer than {TRUST_BYTES_MAX} bytes")]
    TooLong,
    /// Not TOML with exactly the fields of a trust file.
    #[error("the trust file cannot be read")]
    Form(#[source] toml::de::Error),
    /// The log's id is not 64 hexadecimal digits.
    #[error("log_id must be 64 lower-case hexadecimal digits")]
    LogId,
    /// The origin is too short or too long.
    #[error("origin must be {ORIGIN_BYTES_MIN} to {ORIGIN_BYTES_MAX} bytes")]
    Origin,
    /// None, or more than a log has.
    #[error("{field} must have 1 to {GENESIS_KEYS_MAX} keys, has {count}")]
    KeyCount {
        /// Which list.
        field: &'static str,
        /// How many it has.
        count: usize,
    },
    /// A checkpoint key cannot be read.
    #[error("checkpoint key {number} cannot be used")]
    CheckpointKey {
        /// Its number in the list, from 1.
        number: usize,
        /// Why.
        #[source]
        cause: VkeyError,
    },
    /// A checkpoint key is named otherwise than the log: a witness's key must not pass for the log's.
    #[error("checkpoint key {number} is not named by the origin")]
    CheckpointKeyName {
        /// Its number in the list, from 1.
        number: usize,
    },
    /// A statement key is not a kid, a space and 32 bytes in base64, or the kid is of another key.
    #[error("statement key {number} must be the key's id, a space, and 32 bytes in base64")]
    StatementKey {
        /// Its number in the list, from 1.
        number: usize,
    },
    /// The witness policy can't be used.
    #[error("the witness policy cannot be used")]
    WitnessPolicy(#[source] policy::Error),
    /// A witness of the policy has a checkpoint key: the log would be its own witness.
    #[error("a witness of the policy has a checkpoint key of the log")]
    WitnessKey,
    /// A statement key must not be used.
    #[error("statement key {number} is refused")]
    StatementKeyRefused {
        /// Its number in the list, from 1.
        number: usize,
        /// Why.
        #[source]
        cause: KeyError,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    log_id: String,
    origin: String,
    checkpoint_keys: Vec<String>,
    statement_keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    witness_policy: Option<String>,
}

/// Reads a trust file: the log's id, its origin, and the keys by which it speaks. Whoever has it needs nothing else to
/// check a receipt.
pub fn parse_trust(text: &str) -> Result<Trust, TrustError> {
    if text.len() > TRUST_BYTES_MAX {
        return Err(TrustError::TooLong);
    }
    let file: TrustFile = toml::from_str(text).map_err(TrustError::Form)?;
    let TrustFile {
        log_id,
        origin,
        checkpoint_keys: checkpoint_texts,
        statement_keys: statement_texts,
        witness_policy,
    } = file;
    let log_id = unhex(&log_id).ok_or(TrustError::LogId)?;
    counted("checkpoint_keys", &checkpoint_texts)?;
    counted("statement_keys", &statement_texts)?;
    let mut checkpoint_keys = Vec::with_capacity(checkpoint_texts.len());
    for (number, text) in (1..).zip(&checkpoint_texts) {
        let key = VerifierKey::parse(text);
        checkpoint_keys.push(key.map_err(|cause| TrustError::CheckpointKey { number, cause })?);
    }
    let mut statement_keys = Vec::with_capacity(statement_texts.len());
    for (number, text) in (1..).zip(&statement_texts) {
        statement_keys.push(statement_key(number, text)?);
    }
    if !(ORIGIN_BYTES_MIN..=ORIGIN_BYTES_MAX).contains(&origin.len()) {
        return Err(TrustError::Origin);
    }
    if let Some(position) = checkpoint_keys.iter().position(|key| key.name() != origin) {
        return Err(TrustError::CheckpointKeyName { number: position.saturating_add(1) });
    }
    let witness_policy = witness_policy.map(|text| policy_of(&text, &checkpoint_keys)).transpose()?;
    Ok(Trust { log_id: LogId(log_id), origin, checkpoint_keys, statement_keys, witness_policy })
}

fn policy_of(text: &str, checkpoint_keys: &[VerifierKey]) -> Result<Policy, TrustError> {
    let policy = Policy::parse(text.as_bytes()).map_err(TrustError::WitnessPolicy)?;
    let own =
        |witness: &policy::PolicyWitness| checkpoint_keys.iter().any(|key| key.key() == witness.key.key());
    if policy.witnesses().iter().any(own) { Err(TrustError::WitnessKey) } else { Ok(policy) }
}

/// Writes a trust file; [`parse_trust`] reads it back, if what it says is within the bounds of one.
pub fn format_trust(trust: &Trust) -> String {
    let file = TrustFile {
        log_id: trust.log_id.to_string(),
        origin: trust.origin.clone(),
        checkpoint_keys: trust.checkpoint_keys.iter().map(VerifierKey::text).collect(),
        statement_keys: trust.statement_keys.iter().map(statement_key_text).collect(),
        witness_policy: trust.witness_policy.as_ref().map(policy_text),
    };
    // Texts and lists of texts: there is nothing that TOML couldn't hold.
    let text = toml::to_string_pretty(&file).unwrap_or_default();
    assert!(!text.is_empty(), "a trust file has a form in TOML");
    text
}

/// A policy's text; names that are no UTF-8 have no place in a trust file, and come back as what they are shown as.
fn policy_text(policy: &Policy) -> String {
    String::from_utf8_lossy(policy.source()).into_owned()
}

fn counted<T>(field: &'static str, keys: &[T]) -> Result<(), TrustError> {
    let count = keys.len();
    if (1..=GENESIS_KEYS_MAX).contains(&count) { Ok(()) } else { Err(TrustError::KeyCount { field, count }) }
}

fn statement_key(number: usize, text: &str) -> Result<PublicKey, TrustError> {
    let malformed = TrustError::StatementKey { number };
    let Some((kid, encoded)) = text.split_once(' ') else { return Err(malformed) };
    let bytes = STANDARD.decode(encoded).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let Some(bytes) = bytes else { return Err(malformed) };
    let key = PublicKey::admit(&bytes);
    let key = key.map_err(|cause| TrustError::StatementKeyRefused { number, cause })?;
    if kid_text(&key.kid()) == kid { Ok(key) } else { Err(malformed) }
}

fn statement_key_text(key: &PublicKey) -> String {
    format!("{} {}", kid_text(&key.kid()), STANDARD.encode(key.bytes()))
}

/// Reads 64 lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a').and_then(|value| value.checked_add(10)),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::cosignature::CosignerKey;
    use credit_log::envelope::SigningKey;

    fn trust() -> Trust {
        let key = |seed| SigningKey::from_seed([seed; 32]).public();
        Trust {
            log_id: LogId([0xab; 32]),
            origin: "dev.example".to_owned(),
            checkpoint_keys: vec![VerifierKey::new("dev.example", key(1)).unwrap()],
            statement_keys: vec![key(2), key(3)],
            witness_policy: None,
        }
    }

    #[test]
    fn a_trust_file_is_read_back_as_it_was_written() {
        let trust = trust();
        let text = format_trust(&trust);
        assert_eq!(parse_trust(&text).as_ref(), Ok(&trust));
        assert!(text.contains(&format!("log_id = \"{}\"", "ab".repeat(32))));
        assert!(text.contains("dev.example+"));
    }

    #[test]
    fn a_trust_file_that_says_too_much_or_too_little_is_refused() {
        let text = format_trust(&trust());
        let parse = |from: &str, to: &str| parse_trust(&text.replace(from, to)).unwrap_err();
        assert!(matches!(parse("origin", "origins"), TrustError::Form(_)));
        assert!(matches!(parse_trust(&format!("{text}extra = 1\n")), Err(TrustError::Form(_))));
        assert_eq!(parse(&"ab".repeat(32), &"ab".repeat(31)), TrustError::LogId);
        assert_eq!(parse(&"ab".repeat(32), &"AB".repeat(32)), TrustError::LogId);
        assert_eq!(parse(&"ab".repeat(32), &"é".repeat(32)), TrustError::LogId);
        assert_eq!(parse("origin = \"dev.example\"", "origin = \"xy\""), TrustError::Origin);
        let renamed = parse("origin = \"dev.example\"", "origin = \"dev.other\"");
        assert_eq!(renamed, TrustError::CheckpointKeyName { number: 1 });
        let cut = parse_trust(&text.replace("dev.example+", "dev.example-"));
        assert!(matches!(cut, Err(TrustError::CheckpointKey { number: 1, .. })));
    }

    #[test]
    fn a_witness_policy_is_pinned_word_for_word() {
        let witness = |seed| {
            let key = SigningKey::from_seed([seed; 32]).public();
            CosignerKey::new("w.example/1", key).unwrap().text()
        };
        let source = format!("# 两位见证者\nwitness one\t{} https://w.example/\nquorum one\n", witness(9));
        let policy = Policy::parse(source.as_bytes()).unwrap();
        let pinned = Trust { witness_policy: Some(policy.clone()), ..trust() };
        let text = format_trust(&pinned);
        assert_eq!(parse_trust(&text).as_ref(), Ok(&pinned));
        assert_eq!(parse_trust(&text).unwrap().witness_policy.unwrap().digest(), policy.digest());
        let wrong = parse_trust(&text.replace("quorum one", "quorum two"));
        assert!(matches!(wrong, Err(TrustError::WitnessPolicy(policy::Error::Line { line: 3, .. }))));
        let own = parse_trust(&text.replace(&witness(9), &witness(1)));
        assert_eq!(own, Err(TrustError::WitnessKey));
    }

    #[test]
    fn a_statement_key_stands_under_its_own_id() {
        let text = format_trust(&trust());
        let [first, second] = [2, 3].map(|seed| kid_text(&SigningKey::from_seed([seed; 32]).public().kid()));
        let swapped = text.replace(&first, "?").replace(&second, &first).replace('?', &second);
        assert_eq!(parse_trust(&swapped), Err(TrustError::StatementKey { number: 1 }));
        let joined = text.replace(&format!("{second} "), &second);
        assert_eq!(parse_trust(&joined), Err(TrustError::StatementKey { number: 2 }));
        let identity = STANDARD.encode([[1u8].as_slice(), &[0; 31]].concat());
        let key = STANDARD.encode(SigningKey::from_seed([2; 32]).public().bytes());
        let weak = parse_trust(&text.replace(&key, &identity));
        assert!(matches!(weak, Err(TrustError::StatementKeyRefused { number: 1, .. })));
    }

    #[test]
    fn keys_and_bytes_are_bounded() {
        let with = |checkpoint: usize, statement: usize| {
            let mut trust = trust();
            trust.checkpoint_keys = vec![trust.checkpoint_keys[0].clone(); checkpoint];
            trust.statement_keys = vec![trust.statement_keys[0].clone(); statement];
            parse_trust(&format_trust(&trust)).map(|_| ())
        };
        let max = GENESIS_KEYS_MAX;
        assert_eq!(with(max, max), Ok(()));
        for (checkpoint, statement, field, count) in [
            (0, 1, "checkpoint_keys", 0),
            (max + 1, 1, "checkpoint_keys", max + 1),
            (1, 0, "statement_keys", 0),
            (1, max + 1, "statement_keys", max + 1),
        ] {
            assert_eq!(with(checkpoint, statement), Err(TrustError::KeyCount { field, count }));
        }
        let text = format_trust(&trust());
        let padded = |bytes: usize| format!("{text}#{}", " ".repeat(bytes - text.len() - 1));
        assert!(parse_trust(&padded(TRUST_BYTES_MAX)).is_ok());
        assert_eq!(parse_trust(&padded(TRUST_BYTES_MAX + 1)), Err(TrustError::TooLong));
    }
}
