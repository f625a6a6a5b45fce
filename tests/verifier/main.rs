//! Strangers check the ledger: a client and a verifier in another language, made from the documents alone, verifiers and
//! a witness that others wrote, and a store whose bytes were changed one by one.
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
#[allow(dead_code, reason = "each test target uses another part of it")]
mod require;
#[path = "../support/seed.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod seed;
#[path = "../support/session.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod session;
#[path = "../support/statement.rs"]
#[allow(dead_code, reason = "each test target uses another part of it")]
mod statement;

mod document;
mod export;
mod forgeries;
mod guides;
mod liar;
mod python;
mod thirdparty;
mod tiles;
