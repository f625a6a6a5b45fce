//! Signed notes (C2SP signed-note v1.0.0): a text, an empty line, and one line per signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::envelope::{KeyError, PublicKey, SigningKey};
use crate::hash::sha256;

/// The most signature lines of a note; the specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;
/// The most bytes of a note: room for [`SIGNATURES_MAX`] post-quantum signatures of 5 kB in base64.
pub const NOTE_BYTES_MAX: usize = 524_288;

const _: () = assert!(SIGNATURES_MAX >= 16);
const _: () = assert!(SIGNATURES_MAX * 7_000 < NOTE_BYTES_MAX);

/// How a signature line begins: an em dash and a space.
const LINE_PREFIX: &str = "— ";
/// The type byte of a plain Ed25519 signature.
const TYPE_ED25519: u8 = 1;

/// The bytes are not a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note is longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// A control character other than the newline.
    #[error("the note has a control character")]
    Control,
    /// No empty line between a text and its signatures, or no signature after it.
    #[error("the note has no signatures")]
    Unsigned,
    /// A line after the empty one is not a signature.
    #[error("signature line {line} cannot be read")]
    Line {
        /// The line's number among the signature lines, from 1.
        line: usize,
    },
    /// More than [`SIGNATURES_MAX`] signature lines.
    #[error("the note has more than {SIGNATURES_MAX} signatures")]
    Signatures,
    /// The parts do not form a note that reads back as them.
    #[error("the text or a signature's name cannot stand in a note")]
    Unwritable,
}

/// A note that cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error(transparent)]
    Malformed(#[from] Error),
    /// A signature by a known key is false: the note is rejected whatever the others say.
    #[error("the signature of {name} is false")]
    BadSignature {
        /// The name of the key.
        name: String,
    },
    /// No signature is by a known key.
    #[error("no signature is by a known key")]
    NoKnownKey,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key: not empty, no space, no plus sign.
    pub name: String,
    /// The first bytes of a hash over name, algorithm and key.
    pub key_id: [u8; 4],
    /// The signature, at least one byte; its form depends on the key's algorithm.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    /// The signature line with its newline.
    pub fn line(&self) -> String {
        let bytes = [self.key_id.as_slice(), &self.signature].concat();
        format!("{LINE_PREFIX}{} {}\n", self.name, STANDARD.encode(bytes))
    }

    /// Reads signature lines, each with its newline, as a witness answers them: 1 to [`SIGNATURES_MAX`].
    pub fn parse_lines(lines: &str) -> Result<Vec<Self>, Error> {
        if lines.is_empty() {
            return Err(Error::Unsigned);
        }
        let mut signatures = Vec::new();
        for (line, number) in lines.split_inclusive('\n').zip(1usize..) {
            if number > SIGNATURES_MAX {
                return Err(Error::Signatures);
            }
            let signature = line.strip_suffix('\n').and_then(Self::parse);
            signatures.push(signature.ok_or(Error::Line { line: number })?);
        }
        Ok(signatures)
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(LINE_PREFIX)?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        (is_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }
}

/// A note taken apart, nothing verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, which ends with a newline.
    pub text: String,
    /// The signatures in their order: 1 to [`SIGNATURES_MAX`].
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Takes a note apart at its last empty line.
    pub fn parse(note: &str) -> Result<Self, Error> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(Error::TooLong);
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(Error::Control);
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(Error::Unsigned)?;
        let signatures = NoteSignature::parse_lines(lines)?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// The note's bytes; parts that would not read back as themselves are refused.
    pub fn format(&self) -> Result<String, Error> {
        let lines: String = self.signatures.iter().map(NoteSignature::line).collect();
        let note = format!("{}\n{lines}", self.text);
        if Self::parse(&note)? == *self { Ok(note) } else { Err(Error::Unwritable) }
    }
}

/// A text that cannot be read as a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VkeyError {
    /// Not `name+id+key`, or the name is not one.
    #[error("not a verifier key of the form name+id+key")]
    Form,
    /// The id is not that of the name and key.
    #[error("the key's id is not that of its name and key")]
    Id,
    /// Another algorithm than the one that belongs there: plain Ed25519 (type byte 1) for logs, timestamped
    /// Ed25519 (type byte 4) for witnesses.
    #[error("the key's algorithm is not the one that belongs here")]
    Algorithm,
    /// The key is not 32 bytes long.
    #[error("the key is not 32 bytes long")]
    Length,
    /// The key must not be used.
    #[error("the key is refused")]
    Key(#[source] KeyError),
}

/// The public half of a note's key: a name and an Ed25519 key (type byte 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: PublicKey,
}

impl VerifierKey {
    /// Names a key. The name is not empty and has no space, plus sign or control character.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, VkeyError> {
        if is_name(name) { Ok(Self { name: name.to_owned(), key }) } else { Err(VkeyError::Form) }
    }

    /// Reads `<name>+<8 hex digits>+<base64 of type and key>`.
    pub fn parse(text: &str) -> Result<Self, VkeyError> {
        let (name, key) = parse_vkey(text, TYPE_ED25519)?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// What [`VerifierKey::parse`] reads.
    pub fn text(&self) -> String {
        vkey_text(&self.name, TYPE_ED25519, &self.key)
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The 4-byte id: the beginning of SHA-256(name || newline || type || key).
    pub fn key_id(&self) -> [u8; 4] {
        key_id(&self.name, TYPE_ED25519, &self.key)
    }

    /// Whether a signature line claims to be by this key.
    fn is_named_by(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.key_id() == signature.key_id
    }

    fn verifies(&self, text: &str, signature: &NoteSignature) -> bool {
        <&[u8; 64]>::try_from(signature.signature.as_slice())
            .is_ok_and(|bytes| self.key.verify(text.as_bytes(), bytes).is_ok())
    }
}

/// The private half of a note's key.
#[derive(Debug)]
pub struct NoteSigner {
    verifier: VerifierKey,
    key: SigningKey,
}

impl NoteSigner {
    /// Names a private key; see [`VerifierKey::new`].
    pub fn new(name: &str, key: SigningKey) -> Result<Self, VkeyError> {
        Ok(Self { verifier: VerifierKey::new(name, key.public())?, key })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text, which ends with a newline, and gives the signature line's parts.
    pub fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.key_id(),
            signature: self.key.sign(text.as_bytes()).to_vec(),
        }
    }
}

/// A note of which at least one signature by a known key is good, and none is bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The signed text, with its last newline.
    pub text: String,
    /// The names of the known keys that signed, in the order of their lines, each once.
    pub signers: Vec<String>,
}

/// Reads a note and relies on it: lines of unknown (name, id) are ignored, one false signature by a known
/// key rejects the whole, and at least one known key must have signed.
pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Opened, OpenError> {
    let Note { text, signatures } = Note::parse(note)?;
    let mut signers = Vec::new();
    for signature in &signatures {
        let mut named = keys.iter().filter(|key| key.is_named_by(signature)).peekable();
        if named.peek().is_none() {
            continue;
        }
        if !named.any(|key| key.verifies(&text, signature)) {
            return Err(OpenError::BadSignature { name: signature.name.clone() });
        }
        if !signers.contains(&signature.name) {
            signers.push(signature.name.clone());
        }
    }
    if signers.is_empty() { Err(OpenError::NoKnownKey) } else { Ok(Opened { text, signers }) }
}

/// Reads a verifier key of one algorithm: its name and its key.
pub(crate) fn parse_vkey(text: &str, algorithm: u8) -> Result<(&str, PublicKey), VkeyError> {
    let (name, rest) = text.split_once('+').ok_or(VkeyError::Form)?;
    let (id, encoded) = rest.split_once('+').ok_or(VkeyError::Form)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| VkeyError::Form)?;
    if !is_name(name) {
        return Err(VkeyError::Form);
    }
    if hex(key_id_of(name, &bytes)) != id {
        return Err(VkeyError::Id);
    }
    let (found, key) = bytes.split_first().ok_or(VkeyError::Form)?;
    if *found != algorithm {
        return Err(VkeyError::Algorithm);
    }
    let key = key.try_into().map_err(|_| VkeyError::Length)?;
    Ok((name, PublicKey::admit(key).map_err(VkeyError::Key)?))
}

/// What [`parse_vkey`] reads.
pub(crate) fn vkey_text(name: &str, algorithm: u8, key: &PublicKey) -> String {
    let id = hex(key_id(name, algorithm, key));
    format!("{name}+{id}+{}", STANDARD.encode(typed(algorithm, key)))
}

/// The 4-byte id of a named key of an algorithm.
pub(crate) fn key_id(name: &str, algorithm: u8, key: &PublicKey) -> [u8; 4] {
    key_id_of(name, &typed(algorithm, key))
}

fn typed(algorithm: u8, key: &PublicKey) -> Vec<u8> {
    [[algorithm].as_slice(), &key.bytes()].concat()
}

/// Whether a text may be the name of a key.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c < ' ' || c == '+')
}

fn key_id_of(name: &str, typed_key: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", typed_key].concat());
    [a, b, c, d]
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}
