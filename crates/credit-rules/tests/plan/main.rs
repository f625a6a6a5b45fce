//! The planner against a model that tries everything, and against whoever forges what it says.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests count with small numbers and stop where something is wrong"
)]

mod cases;
mod draw;
mod exhaustive;
mod forged;
mod gap;
mod limits;
mod random;
