//! The typed client of the credit bank: signs, anchors, retries under one id, and verifies each receipt before it
//! reports success.
//!
//! It speaks the nouns of `credit-types`; messages and transport stay inside. A caller pins a log by a [`Trust`] file,
//! keeps the last head seen in a [`HeadStore`], and builds a [`Client`] with a [`ClientBuilder`]. Every write is signed
//! once and sent, if need be several times, under the same statement_id, so that an answer lost on the way is never a
//! second entry. It holds no store, no server and no secrets but the keys it is given; what an entry means is judged by
//! `credit-verify`.
//!
//! Start reading at [`ClientBuilder`], then `submit.rs` for one record and `batch.rs` for a semester.

mod account;
mod application;
mod balance;
mod batch;
mod builder;
mod bundle;
mod call;
mod chunk;
mod clock;
mod conversion;
mod draft;
mod error;
mod heads;
mod history;
mod outbox;
mod plan;
mod posting;
mod progress;
mod proved;
mod query;
mod random;
mod receipt;
mod record_id;
mod registry;
mod retry;
mod rule_book;
mod signer;
mod stream;
mod submit;
mod sums;
mod token;
mod trust;
mod view;
mod watch;

pub use credit_verify::{Fault, Trust, WitnessedBy, Witnesses};

pub use account::{AccountQuery, NewAccount, NewAccountChange, OpenedAccount, RESOLVE_MAX};
pub use balance::{BALANCE_BYTES_MAX, Balance, BalanceError, BalanceQuery, SignedBalance};
pub use batch::{BatchOptions, BatchReport, ChunkEntry, LeafOutcome};
pub use builder::{Client, ClientBuilder, Language};
pub use bundle::RecordBundle;
pub use conversion::{
    ApplicationStep, Applied, ComplianceQuery, ConversionQuery, ConversionView, NewConversion, NewDecision,
    NewReversal, NewStep, OpenedConversion, PeriodVerdict, Quote,
};
pub use draft::{NewCorrection, NewRecord, NewStatusChange};
pub use error::{BadReceipt, ClientError, Fork, ForkKind, Refusal};
pub use heads::{FileHeads, HeadStore, HeadsError, MemoryHeads};
pub use history::SeenHead;
pub use plan::{BatchPlan, PlanError};
pub use posting::{AccountEntry, AccountEvent, ChangedConversion, ProvedEntry};
pub use progress::Progress;
pub use query::{LogEntry, Page};
pub use random::{RandomError, new_record_id};
pub use receipt::{RECEIPT_BYTES_MAX, Receipt, ReceiptError, Recorded, WITNESS_WAIT_MAX};
pub use record_id::record_id_from_row;
pub use registry::KeyAuthority;
pub use retry::{RETRY_PAUSE_MAX, RETRY_TRIES_MAX, RetryPolicy};
pub use rule_book::{BOOK_PIECE_BYTES, RuleBookVersion};
pub use signer::{AuthoritySigner, InstitutionSigner, SignerError};
pub use stream::{RecordOutcome, STREAM_RECORDS_MAX};
pub use sums::{Sums, SumsError, add_up};
pub use token::{TOKEN_LIFE, TokenSource, institution_token};
pub use trust::{TRUST_BYTES_MAX, TrustError, format_trust, parse_trust};
pub use view::{AccountView, InstitutionView, KeyHistory, RecordView};
pub use watch::CheckpointWatch;
