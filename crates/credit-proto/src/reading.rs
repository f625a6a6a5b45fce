//! How a payload is read: what conversions can't know by themselves, and when they are done.

/// Checks that 32 bytes are the canonical encoding of a torsion-free Ed25519 point, and computes the kid. It is
/// given by the caller, for nothing here hashes.
pub type Admit = fn(&[u8; 32]) -> Option<[u8; 32]>;

/// The leaf hash of a batch leaf: SHA-256(0x00 || PAE(payload type, payload)). Given by the caller likewise.
pub type LeafHash = fn(&str, &[u8]) -> [u8; 32];

/// When a payload is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// As it arrives: text for people must be clean.
    Admission,
    /// Out of the log or the vault, where it was checked before: no Unicode table is consulted, for tables change
    /// and a replay must not.
    Replay,
}

/// What a conversion of a statement is given beside the message.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Admits public keys.
    pub admit: Admit,
    /// When it is read.
    pub stage: Stage,
}
