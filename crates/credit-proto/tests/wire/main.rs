//! The conversions as their users see them: every statement, secret part and entry, from values to bytes and back,
//! and everything that must be refused on the way.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::assigning_clones,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "tests: what goes wrong fails the test, arithmetic is bounded by their own constants, speed is nothing"
)]

mod bounds;
mod canonical;
mod describe;
mod entries;
mod forged;
mod garbage;
mod newer;
mod random;
mod round_trip;
mod samples;
mod values;
mod vectors;
