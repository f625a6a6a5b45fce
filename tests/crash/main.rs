//! What is left when the server is killed, the power fails, the disk is full, or files are lost.
//!
//! `kill.rs` kills the real server under load; `fdatasync.rs` and `power.rs` read what it asks of the kernel (strace);
//! `disk.rs` gives it a disk that is too small; `lost.rs` takes files away from it or gives it older ones.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking; seeds, skips and what the server wrote are shown beside it"
)]

#[path = "../support/bank.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod bank;
#[path = "../support/change.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod change;
#[path = "../support/institution.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod institution;
#[path = "../support/require.rs"]
mod require;
#[path = "../support/seed.rs"]
mod seed;
#[path = "../support/session.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod session;
#[path = "../support/statement.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod statement;

mod disk;
mod fault;
mod fdatasync;
mod image;
mod kill;
mod load;
mod lost;
mod power;
mod trace;
