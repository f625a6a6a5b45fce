//! What a command means. Pure and deterministic: no I/O, no clock, no randomness; the same entries give the same rows
//! and the same refusals wherever they are read.
//!
//! [`reads`] names the rows a command needs, [`decide`] gives the events or the one refusal that comes first in
//! [`credit_types::Reason`], [`evolve`] takes an event over into the rows. Where rows are kept, how statements are
//! encoded and who may call is left to others; signatures and commitments were verified before a command exists.
//!
//! Start reading at [`decide`], then [`evolve`], then [`balance`].

pub mod assess;
pub mod balance;
mod decide;
mod evidence;
mod evolve;
mod links;
mod reads;
mod row;
pub mod suspect;
mod view;

pub use decide::{decide, foresee, is_over, lacking, protocol};
pub use evolve::{evolve, evolve_entry};
pub use links::links;
pub use reads::{command_key, event_reads, reads};
pub use row::{
    AccountRow, ApplicationRow, AutoApprovalsRow, BatchRow, BookRow, BookVersionRow, CommandKey, CommandRow,
    Compromised, Context, FrameworkRow, GivenApproval, HeadRow, HeldRecord, InstitutionRow, KeyRow, LogRow,
    OpenBatchesRow, RecordRow, RecordUse, Row, RowId, SchemeRow, StatusStep, SubjectRow, UsesRow,
};
pub use view::View;
