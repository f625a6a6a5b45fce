//! The core against its rules: random histories against a naive model, and scenarios as text.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that goes wrong here fails, which is what it is for; numbers are small"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them when it updates a snapshot")]

mod aim;
mod conversion;
mod draw;
mod histories;
mod model;
mod prepared;
mod scenarios;
mod shell;
