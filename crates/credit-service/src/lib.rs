//! The running ledger: one writer thread that decides, stores, signs and answers in groups; readers beside it; gRPC in
//! front of it.
//!
//! Nothing is answered before it is durable, and no head leaves the process before the high-water mark behind it.
//! What a command means is `credit-ledger`'s business; how proofs look is `credit-log`'s. Start reading at
//! [`ledger::Ledger`], then `writer.rs` and `group.rs` for the straight path of one command.

mod access;
mod answer;
mod assemble;
mod books;
pub mod clock;
mod committer;
pub mod config;
mod create;
mod deadline;
mod disclose;
mod draining;
mod failure;
mod gate;
mod group;
mod grpc;
mod head_signer;
mod hex;
mod http;
mod keyring;
mod ledger;
mod metrics;
mod prepare;
mod prepare_chunk;
mod prepare_conversion;
mod prepare_signed;
mod project;
mod publisher;
mod query;
mod quick;
pub mod random;
mod reader;
mod rebuild;
mod receipts;
mod reckon;
mod registry_rows;
mod rows;
mod rows_layout;
mod seal;
mod server;
mod side_items;
mod signed_rows;
mod stats;
mod status;
mod tiles;
mod vault;
pub mod witness;
mod witnesses;
mod workshop;
mod writer;

pub use answer::{Answer, Opened};
pub use disclose::{Disclosed, disclose};
pub use failure::Failure;
pub use grpc::BLOCKING_THREADS_MAX;
pub use keyring::Keyring;
pub use ledger::{Health, Ledger, OpenOptions, SOFTWARE, ServerKeys};
pub use prepare::{Expected, Prepared, Preparer};
pub use publisher::{CosignError, PUBLISH_EVERY, PublishedCheckpoint, Publisher, REPUBLISH_EVERY};
pub use reader::{AliasQuery, Head, HeadTiles, Reader, StoredEntry};
pub use rebuild::{RowDiffers, RowTable, RowVisitor, RowsInMemory, compare_rows, rebuild_rows};
pub use receipts::OpenParts;
pub use seal::Secret;
pub use server::{ServeError, Serving, serve};
pub use stats::Stats;
pub use tiles::TreeFiles;
