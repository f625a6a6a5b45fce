//! The rules as stories: for every refusal one that ends in it, pairs of faults of which the earlier one wins, and
//! what balances show. Every line is also held against the model.

mod account;
mod balance;
mod batch;
mod chunk;
mod deposit;
mod header;
mod key;
mod leaf;
mod precedence;
mod record;
mod registry;
mod script;
mod statement;
mod words;

use crate::aim::core_reasons;
use credit_ledger::{Context, View, decide};
use credit_types::Reason;
use credit_types::genesis::PROTOCOL;
use expect_test::Expect;
use script::{World, run};
use words::Line;

/// A story whose last line is refused for a certain reason.
fn refused(reason: Reason, script: &str, expected: Expect) {
    let (told, last) = run(World::founded(), script);
    expected.assert_eq(&told);
    assert_eq!(last, Some(reason));
}

/// The same, beginning without a log.
fn refused_from_nothing(reason: Reason, script: &str, expected: Expect) {
    let (told, last) = run(World::empty(), script);
    expected.assert_eq(&told);
    assert_eq!(last, Some(reason));
}

/// A story with any end.
fn check(script: &str, expected: Expect) {
    let (told, _) = run(World::founded(), script);
    expected.assert_eq(&told);
}

#[test]
fn a_log_of_another_protocol_is_not_decided_on() {
    let command = statement::command(&World::founded(), &Line::new("start"));
    let context = Context { index: 7, recorded_at_us: 0, protocol: PROTOCOL + 1 };
    let refused = decide(&View::new(), &context, &command).map_err(|rejection| rejection.reason);
    assert_eq!(refused, Err(Reason::ProtocolUnknown));
}

#[test]
fn a_log_begins_with_a_protocol_that_there_is() {
    for (protocol, expected) in [(0, Some(Reason::ProtocolUnknown)), (1, None), (PROTOCOL, None)] {
        let (_, last) = run(World::empty(), &format!("ledger protocol={protocol}"));
        assert_eq!(last, expected, "{protocol}");
    }
    let (_, last) = run(World::empty(), &format!("ledger protocol={}", PROTOCOL + 1));
    assert_eq!(last, Some(Reason::ProtocolUnknown));
}

#[test]
fn every_reason_of_the_core_has_a_scenario() {
    let sources = [
        include_str!("scenarios/account.rs"),
        include_str!("scenarios/batch.rs"),
        include_str!("scenarios/deposit.rs"),
        include_str!("scenarios/header.rs"),
        include_str!("scenarios/key.rs"),
        include_str!("scenarios/record.rs"),
        include_str!("scenarios/registry.rs"),
    ];
    let text: String = sources.concat().split_whitespace().collect();
    for reason in core_reasons() {
        let told = ["refused", "refused_from_nothing"].map(|call| format!("{call}(Reason::{reason:?},"));
        assert!(told.iter().any(|call| text.contains(call)), "{reason} has no scenario");
    }
}
