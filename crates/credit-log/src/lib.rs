//! Hashes, signs and proves: everything about the log that can be said without a server.
//!
//! The crate holds the Merkle tree of RFC 6962 with its inclusion and consistency proofs, the C2SP formats
//! (tiles, signed notes, checkpoints, cosignatures, witness policies and requests, tlog-proof receipts), and the ledger's own hashed forms (parts of an
//! entry, salted commitments, signed statements, batches of one signature). It reads no file, no clock and
//! no randomness: salts, seeds and bytes come in as values. It knows no credit noun either; what the bytes
//! mean is the business of the crates that call it.
//!
//! Start with [`tree`] and [`inclusion`] for proofs, [`envelope`] for signatures, [`receipt`] for what a
//! learner takes home. A proof that is false is always a [`ProofError`]; bytes that cannot be read are the
//! error of the module that reads them, so that a verdict is never mixed up with a typing error.

pub mod batch;
pub mod checkpoint;
pub mod commitment;
pub mod consistency;
pub mod container;
pub mod cosignature;
mod decimal;
pub mod envelope;
pub mod hash;
pub mod inclusion;
pub mod note;
pub mod parts;
pub mod policy;
pub mod proof;
pub mod receipt;
pub mod strict_batch;
pub mod subtree;
pub mod tile;
pub mod tree;
pub mod witness;

pub use hash::Hash;
pub use proof::ProofError;
