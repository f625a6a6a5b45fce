//! Checks what a credit bank says, with no server, no store and no clock: bytes come in as values, a verdict goes out.
//!
//! Four things can be checked. A **receipt** ([`verify_receipt`]) proves that an entry with these parts is in the log
//! under a checkpoint of pinned keys. A **balance** ([`verify_balance`]) is the bank's signed word about an account at
//! the head of such a receipt. A **record bundle** ([`verify_bundle`]) proves one record with all that its proof rests
//! on: the receipt, the issuer's key history, the status. A **whole log** ([`Verifier`]) is folded entry by entry: structure, every signature,
//! every batch, and every decision made again by the same core that made it first; the [`Report`] names the first bad
//! entry and the rule that it breaks.
//!
//! Nothing here takes the bank's word for anything that can be computed. What later software wrote is only called
//! newer where the authority has announced it in the log ([`Verdict::NeedsNewer`]); else a bank could turn "broken"
//! into "not understood" at will.
//!
//! Start reading at [`Verifier::push`].

mod balance;
pub mod bundle;
mod chunk;
mod command;
mod cores;
mod deposit;
mod disclosed;
mod fault;
mod history;
mod log;
mod part;
mod receipt;
mod replay;
mod report;
mod rule;
mod signature;
mod tree;
mod trust;
mod upgrade;
mod witnessed;

pub use balance::{verify_balance, verify_subject_head};
pub use bundle::{BundleFault, BundleRule, VerifiedBundle, verify_bundle};
pub use command::{DetailsSource, OpenedDetails};
pub use cores::{CoreVerifier, CoresReport};
pub use deposit::{Deposit, DepositBasis, find_deposit, find_manifest, verify_leaf};
pub use disclosed::verify_details;
pub use fault::Fault;
pub use log::{EntryBytes, Head, Verifier};
pub use receipt::{VerifiedReceipt, expects_leaf, expects_statement, verify_receipt};
pub use report::{Broken, EXIT_BROKEN, EXIT_NEEDS_NEWER, EXIT_OK, Report, Verdict};
pub use rule::Rule;
pub use trust::Trust;
pub use witnessed::{WitnessedBy, Witnesses};
