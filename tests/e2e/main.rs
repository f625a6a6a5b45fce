//! The whole product over the wire: the real binary, its server, its clients and its command line.
//!
//! `shared.rs` holds two ledgers that most tests share; every test has institutions and accounts of its own. What must
//! be refused is sent by raw stubs to a ledger on which one test runs at a time, so that each can see that the log did
//! not grow.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking; what its server wrote is shown beside it"
)]

#[path = "../support/bank.rs"]
mod bank;
#[path = "../support/change.rs"]
mod change;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/conversion.rs"]
mod conversion_support;
#[path = "../support/institution.rs"]
mod institution;
#[path = "../support/office.rs"]
mod office;
#[path = "../support/session.rs"]
mod session;
#[path = "../support/statement.rs"]
mod statement;

mod access;
mod award;
mod bad_batch;
mod bad_payload;
mod bad_record;
mod bad_signer;
mod bad_status;
mod bench;
mod cli;
mod cli_correct;
mod cli_diff;
mod cli_export;
mod cli_home;
mod cli_rules;
mod cli_submit;
mod cli_verify;
mod conversion;

mod good_account;
mod good_batch;
mod good_bundle;
mod good_key;
mod good_record;
mod monitor;
mod monitor_alarms;
mod monitor_liar;
mod noise;
mod oulad;
mod paging;
mod public_log;
mod publish;
mod report_page;
mod retry;
mod rotation;
mod service;
mod shared;
mod shipped_cases;
mod token;
