//! Checks what a credit bank says, with no server, no store and no clock: bytes come in as values, a verdict goes out.
//!
//! Four things can be checked. A **receipt** ([`verify_receipt`]) proves that an entry with these parts is in the log
//! under a checkpoint of pinned keys. A **balance** ([`verify_balance`]) is the bank's signed word about an account at
//! the head of such a receipt. A **record bundle** ([`verify_bundle`]) proves one record with all that its proof rests
//! on: the receipt, the issuer's key history, the status. A **whole log** ([`Verifier`]) is folded entry by entry: structure, every signature,
//! every batch, and every decision made again by the same core that made it first; the [`Report`] names the first bad
//! entry and the rule that it breaks.
//!
//! What an application is granted is reckoned again from its rule book ([`Blobs`]) and the details of its records
//! ([`DetailsSource`]), where both are given. An [`Onlooker`] is shown each with what it was reckoned from.
//!
//! Nothing here takes the bank's word for anything that can be computed. What later software wrote is only called
//! newer where the authority has announced it in the log ([`Verdict::NeedsNewer`]); else a bank could turn "broken"
//! into "not understood" at will.
//!
//! Memory is bounded where that is asked for ([`Memory`]): what it has no room for goes to scratch files that the caller
//! supplies. Most of the work needs no rows and may run on many threads ([`Preparer`]); the verdict is the same.
//!
//! Start reading at [`Verifier::push`].

mod balance;
mod books;
pub mod bundle;
mod chunk;
mod column;
mod command;
mod cores;
mod deposit;
mod derived;
mod disclosed;
mod export;
mod fault;
mod frame;
mod history;
mod known;
mod log;
mod onlooker;
mod part;
mod prepare;
mod receipt;
mod recent;
mod replay;
mod report;
mod rows;
mod rule;
mod scratch;
mod signature;
mod table;
mod tree;
mod trust;
mod upgrade;
mod witnessed;

pub use balance::{verify_balance, verify_subject_head};
pub use books::Blobs;
pub use bundle::{BundleFault, BundleRule, VerifiedBundle, verify_bundle};
pub use command::{DetailsSource, OpenedDetails};
pub use cores::{CoreVerifier, CoresReport};
pub use deposit::{Deposit, DepositBasis, find_deposit, find_manifest, verify_leaf};
pub use disclosed::verify_details;
pub use export::{
    EXPORT_BLOBS, EXPORT_CHECKPOINT, EXPORT_DETAILS, EXPORT_ENTRIES, EXPORT_MANIFEST, Export, ExportName,
    is_file, open_export,
};
pub use fault::Fault;
pub use frame::{
    EXPORT_FILE_BYTES_MAX, EXPORT_FILE_ENTRIES_MAX, EarlierSecrets, EntrySecrets, FrameError, OwnedEntry,
    SecretPart, WithEarlier, read_entry, read_secrets, skip_entry, skip_secrets, write_entry, write_secrets,
};
pub use log::{EntryBytes, Head, Verifier};
pub use onlooker::{Application, Onlooker, Secrets};
pub use prepare::{Prepared, Preparer};
pub use receipt::{VerifiedReceipt, expects_leaf, expects_statement, verify_receipt};
pub use report::{Broken, EXIT_BROKEN, EXIT_NEEDS_NEWER, EXIT_OK, Halt, Report, Verdict};
pub use rows::AllRows;
pub use rule::Rule;
pub use scratch::{
    InMemory, MEMORY_BYTES_DEFAULT, MEMORY_BYTES_MIN, Memory, Scratch, ScratchError, ScratchFile,
};
pub use table::{Scan, Table, TableRow};
pub use trust::Trust;
pub use witnessed::{WitnessedBy, Witnesses};
