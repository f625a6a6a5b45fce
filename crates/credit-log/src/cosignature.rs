//! Cosignatures (C2SP tlog-cosignature v1.0.1, Ed25519): a witness says when it saw a checkpoint continue all before.

use crate::envelope::{PublicKey, SigningKey};
use crate::note::{Note, NoteSignature, OpenError, VkeyError, is_name, key_id, parse_vkey, vkey_text};

/// The type byte of a timestamped Ed25519 cosignature.
const TYPE_COSIGNATURE: u8 = 4;
/// The bytes of a cosignature in a signature line: a big-endian timestamp and an Ed25519 signature.
pub const COSIGNATURE_BYTES: usize = 72;
/// The latest time a cosignature may carry, in seconds since 1970 UTC.
pub const TIME_S_MAX: u64 = u64::MAX >> 1;

/// A time beyond [`TIME_S_MAX`], which no cosignature may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cosignature's time is at most {TIME_S_MAX} seconds")]
pub struct TimeError;

/// The public half of a witness's key: a name and an Ed25519 key (type byte 4). The signed message does not name the
/// cosigner, so a key belongs to one witness and is never a log's key too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    key: PublicKey,
}

impl CosignerKey {
    /// Names a key. The name is not empty and has no space, plus sign or control character.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, VkeyError> {
        if is_name(name) { Ok(Self { name: name.to_owned(), key }) } else { Err(VkeyError::Form) }
    }

    /// Reads `<name>+<8 hex digits>+<base64 of type 4 and key>`.
    pub fn parse(text: &str) -> Result<Self, VkeyError> {
        let (name, key) = parse_vkey(text, TYPE_COSIGNATURE)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// What [`CosignerKey::parse`] reads.
    pub fn text(&self) -> String {
        vkey_text(&self.name, TYPE_COSIGNATURE, &self.key)
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The 4-byte id: the beginning of SHA-256(name || newline || 0x04 || key).
    pub fn key_id(&self) -> [u8; 4] {
        key_id(&self.name, TYPE_COSIGNATURE, &self.key)
    }

    /// Whether a signature line claims to be by this key.
    pub fn is_named_by(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.key_id() == signature.key_id
    }

    /// The time of a cosignature over a checkpoint's text, in seconds since 1970 UTC; `None` where the line is not by
    /// this key or is false.
    pub fn verify(&self, text: &str, signature: &NoteSignature) -> Option<u64> {
        if !self.is_named_by(signature) {
            return None;
        }
        let blob = <&[u8; COSIGNATURE_BYTES]>::try_from(signature.signature.as_slice()).ok()?;
        let (time, bytes) = blob.split_first_chunk::<8>()?;
        let time_s = u64::from_be_bytes(*time);
        let message = message(text, time_s).ok()?;
        self.key.verify(&message, bytes.try_into().ok()?).ok()?;
        Some(time_s)
    }
}

/// The private half of a witness's key.
#[derive(Debug)]
pub struct Cosigner {
    verifier: CosignerKey,
    key: SigningKey,
}

impl Cosigner {
    /// Names a private key; see [`CosignerKey::new`].
    pub fn new(name: &str, key: SigningKey) -> Result<Self, VkeyError> {
        Ok(Self { verifier: CosignerKey::new(name, key.public())?, key })
    }

    /// The public half.
    pub fn verifier(&self) -> &CosignerKey {
        &self.verifier
    }

    /// Cosigns a checkpoint's text as of a time. Who calls this has made durable that it is the largest head seen, and
    /// has checked that it continues the one before.
    pub fn sign(&self, text: &str, time_s: u64) -> Result<NoteSignature, TimeError> {
        let signature = self.key.sign(&message(text, time_s)?);
        Ok(NoteSignature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.key_id(),
            signature: [time_s.to_be_bytes().as_slice(), &signature].concat(),
        })
    }
}

/// What a cosignature signs: a header line, a time line, and the checkpoint's whole text with any extension lines.
fn message(text: &str, time_s: u64) -> Result<Vec<u8>, TimeError> {
    if time_s > TIME_S_MAX {
        return Err(TimeError);
    }
    Ok(format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes())
}

/// A witness that has cosigned, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosigned {
    /// The witness's place among the keys asked about, from 0.
    pub witness: usize,
    /// The latest time that it stated, in seconds since 1970 UTC.
    pub time_s: u64,
}

/// Which of `keys` have cosigned the note, by their places ascending, each once. A false line by one of them rejects
/// the note as a whole, as signed-note has it; lines of others are passed over.
pub fn cosigned(note: &Note, keys: &[CosignerKey]) -> Result<Vec<Cosigned>, OpenError> {
    let Note { text, signatures } = note;
    let mut found = Vec::new();
    for (witness, key) in keys.iter().enumerate() {
        let mut latest = None;
        for signature in signatures.iter().filter(|signature| key.is_named_by(signature)) {
            let time_s = key
                .verify(text, signature)
                .ok_or_else(|| OpenError::BadSignature { name: signature.name.clone() })?;
            latest = latest.max(Some(time_s));
        }
        found.extend(latest.map(|time_s| Cosigned { witness, time_s }));
    }
    Ok(found)
}
