//! What came with protocol 2 waits for it.

use super::bank::{Bank, digest};
use super::book::BOOK;
use super::refused;
use super::say::*;
use credit_types::*;

#[test]
fn a_log_of_protocol_1_knows_no_conversions_until_it_is_upgraded() {
    let mut bank = Bank::founded(1, |_| {});
    bank.deposit("t/h", "ann", What::Hours(18));
    refused(bank.publish(BOOK), Reason::ProtocolTooOld, "");
    refused(bank.change_book(1, RuleBookAction::Activate), Reason::ProtocolTooOld, "");
    refused(bank.allow("u", &[], "2026-12-31"), Reason::ProtocolTooOld, "");
    refused(bank.apply("ann", "U-AD", &["t/h"]), Reason::ProtocolTooOld, "");
    let after = digest("no leaf");
    let decision = ConversionDecision {
        after,
        application: 3,
        outcome: DecisionOutcome::Approve,
        explanation_commitment: after,
        items: Vec::new(),
        reason: None,
        provisional_until: None,
        opinion_commitment: None,
    };
    let statement = bank.signed("u", &["u.one"], decision);
    refused(bank.submit(&Command::DecideConversion(Box::new(statement))), Reason::ProtocolTooOld, "");
    let action = ConversionAction::Withdraw;
    let step = ConversionStep { after, application: 3, action, explanation_commitment: None };
    let statement = bank.signed("r", &["r.registry"], step);
    refused(bank.submit(&Command::StepConversion(Box::new(statement))), Reason::ProtocolTooOld, "");
    let reversal = AwardReversal {
        after,
        application: 3,
        regulator_id: institution("g"),
        order_ref: String::from("O-1"),
        kept: Vec::new(),
        explanation_commitment: None,
    };
    let statement = bank.signed("u", &["u.one", "g.status"], reversal);
    refused(bank.submit(&Command::ReverseAward(Box::new(statement))), Reason::ProtocolTooOld, "");
    for protocol in [0, 1, 3] {
        refused(bank.upgrade(protocol), Reason::ProtocolNotNewer, "protocol");
    }
    bank.upgrade(2).unwrap();
    assert_eq!(bank.last()[0].kind(), EventKind::ProtocolUpgraded);
    refused(bank.upgrade(2), Reason::ProtocolNotNewer, "protocol");
    bank.publish(BOOK).unwrap();
    bank.wait_days(NOTICE_DAYS);
    bank.change_book(1, RuleBookAction::Activate).unwrap();
    // What was deposited before counts as well.
    let application = bank.apply("ann", "U-AD", &["t/h"]).unwrap();
    bank.decide(application, DecisionOutcome::Approve).unwrap();
    bank.check_rebuild();
}

#[test]
fn a_framework_of_protocol_1_keeps_its_id_from_books_of_protocol_2() {
    let mut bank = Bank::founded(1, |_| {});
    bank.framework("bank", 1).unwrap();
    bank.upgrade(2).unwrap();
    refused(bank.publish(BOOK), Reason::BookIdTaken, "book_id");
    bank.framework("bank", 2).unwrap();
}
