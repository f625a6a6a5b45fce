//! Random histories of conversions, and what holds at every index of them.

mod commands;
mod properties;

use super::bank::Bank;
use super::say::*;
use crate::draw::{Draw, mixed};
use credit_types::*;
use properties::check_balance;
use std::collections::BTreeMap;

/// How many commands a run submits, unless `CREDITBANK_CONVERSIONS` says otherwise.
const COMMANDS: usize = 6_000;
/// The commands of one history.
const HISTORY_COMMANDS: usize = 200;
const LEARNERS: [&str; 3] = ["ann", "bob", "cid"];
const ISSUERS: [&str; 3] = ["t", "u", "v"];
const TARGETS: [&str; 4] = ["U-AD", "V-AD", "diploma", "badge"];
/// Where an application came to, how often at least in a run of the usual size.
const STATUSES: [(ApplicationStatus, usize); 10] = [
    (ApplicationStatus::UnderReview, 100),
    (ApplicationStatus::InfoRequested, 20),
    (ApplicationStatus::Posted, 100),
    (ApplicationStatus::Provisional, 20),
    (ApplicationStatus::Rejected, 20),
    (ApplicationStatus::Appealed, 10),
    (ApplicationStatus::Withdrawn, 10),
    (ApplicationStatus::Lapsed, 10),
    (ApplicationStatus::Rescinded, 10),
    (ApplicationStatus::Reversed, 5),
];
/// What was refused, each at least a few times.
const REASONS: [Reason; 20] = [
    Reason::AccountClosed,
    Reason::RecordKeySuspect,
    Reason::RecordOfAnotherAccount,
    Reason::RecordRevoked,
    Reason::AccountNotActive,
    Reason::BookNotInForce,
    Reason::RecordNotOffered,
    Reason::RecordGranted,
    Reason::RecordExpired,
    Reason::RecordNotAvailable,
    Reason::RecordReserved,
    Reason::RecordUsed,
    Reason::NothingGranted,
    Reason::ApplicationOfAnother,
    Reason::ApplicationStateWrong,
    Reason::ApplicationLapsed,
    Reason::AppealNotPossible,
    Reason::SameOfficer,
    Reason::RecordOfApplication,
    Reason::AccountHasApplications,
];

#[derive(Default)]
struct Tally {
    statuses: BTreeMap<ApplicationStatus, usize>,
    reasons: BTreeMap<Reason, usize>,
    /// Programmes into which an account was granted something by several applications.
    several: usize,
}

struct History {
    draw: Draw,
    bank: Bank,
    /// Records by learner, of issuers and of applications.
    records: BTreeMap<&'static str, Vec<RecordName>>,
    deposits: usize,
    newest: u32,
    in_force: u32,
    /// What issuers have signed.
    signed: BTreeMap<RecordName, Option<i64>>,
    /// The most that the book grants for an application's sources alone.
    most: BTreeMap<u64, i64>,
}

/// The book with another ratio in each version.
fn version(number: u32) -> String {
    let ratio = format!("ratio = \"{} xs / 1 cr\"", 9 + 9 * (number % 3));
    super::book::version(number).replacen("ratio = \"18 xs / 1 cr\"", &ratio, 1)
}

fn milli(credits: Option<Credits>) -> i64 {
    credits.map_or(0, Credits::milli)
}

impl History {
    fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut bank = Bank::open();
        bank.open_account("cid", AssuranceLevel::Document);
        for by in ["u", "v"] {
            if draw.chance(60) {
                bank.allow(by, &[], "2026-09-30").unwrap();
            }
        }
        let records = LEARNERS.map(|who| (who, Vec::new())).into();
        let (deposits, newest, in_force) = (0, 1, 1);
        let (signed, most) = (BTreeMap::new(), BTreeMap::new());
        Self { draw, bank, records, deposits, newest, in_force, signed, most }
    }

    /// What was granted is among what may be asked for next.
    fn learn(&mut self) {
        let mut new = Vec::new();
        for event in self.bank.last() {
            if let Event::ConversionChanged(change) = event
                && [ApplicationStatus::Posted, ApplicationStatus::Provisional].contains(&change.status)
                && !change.granted.is_empty()
            {
                new.push(change.application);
            }
        }
        for application in new {
            let who = self.bank.application(application).request.account_ref;
            let who = LEARNERS.into_iter().find(|learner| account(learner) == who).unwrap();
            self.records.get_mut(who).unwrap().extend(self.bank.granted(application));
        }
    }
}

fn history(seed: u64, tally: &mut Tally) {
    let mut history = History::new(seed);
    let stolen = history.draw.chance(50).then(|| history.draw.below(HISTORY_COMMANDS));
    for number in 0..HISTORY_COMMANDS {
        if stolen == Some(number) {
            // What an issuer has signed of late is in doubt.
            let back = u64::try_from(history.draw.below(60)).unwrap();
            let active = history.bank.account(account(LEARNERS[0])).opened_index;
            let from = history.bank.index().saturating_sub(back).max(active);
            history.bank.report("t.records", from);
        }
        if history.draw.chance(20) {
            let days = history.draw.below(12);
            history.bank.wait_days(u32::try_from(days).unwrap());
        }
        let (index, before) = (history.bank.index(), history.bank.rows.clone());
        let outcome = history.command();
        match outcome {
            Err(rejection) if history.bank.index() == index => {
                *tally.reasons.entry(rejection.reason).or_default() += 1;
                assert!(history.bank.rows == before, "a refusal changes nothing");
                continue;
            }
            _ => {}
        }
        for event in history.bank.last() {
            let status = match event {
                Event::ConversionRequested { .. } => ApplicationStatus::UnderReview,
                Event::ConversionChanged(change) => change.status,
                _ => continue,
            };
            *tally.statuses.entry(status).or_default() += 1;
        }
        // Of two commands in one step, the second is looked at.
        if history.bank.index() == index + 1 {
            history.check_changed(&before);
        }
        history.learn();
        history.check();
    }
    for who in LEARNERS {
        check_balance(&history, who);
    }
    tally.several += history.check_together();
    history.bank.check_rebuild();
}

#[test]
fn random_conversions_keep_what_must_hold() {
    let number = |variable: &str, otherwise: usize| {
        std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let seed = u64::try_from(number("CREDITBANK_SEED", 20_261_128)).unwrap();
    let total = number("CREDITBANK_CONVERSIONS", COMMANDS);
    println!("CREDITBANK_SEED={seed} CREDITBANK_CONVERSIONS={total}");
    let mut tally = Tally::default();
    for number in 0..u64::try_from(total / HISTORY_COMMANDS).unwrap() {
        let run = std::panic::AssertUnwindSafe(|| history(mixed(seed.wrapping_add(number)), &mut tally));
        if let Err(failure) = std::panic::catch_unwind(run) {
            println!("history {number} of CREDITBANK_SEED={seed} went wrong");
            std::panic::resume_unwind(failure);
        }
    }
    println!("{:#?}\n{:#?}\n{}", tally.statuses, tally.reasons, tally.several);
    if total >= COMMANDS {
        for (status, least) in STATUSES {
            let count = tally.statuses.get(&status).copied().unwrap_or(0);
            assert!(count >= least, "{status:?}: {count}");
        }
        assert!(tally.several >= 10, "{}", tally.several);
        for reason in REASONS {
            let count = tally.reasons.get(&reason).copied().unwrap_or(0);
            assert!(count >= 3, "{reason}: {count}");
        }
    }
}

/// Of whatever records: in whichever order they were deposited, the same is proposed for the same reasons.
#[test]
fn no_answer_depends_on_the_order_of_deposits() {
    let mut draw = Draw::new(11);
    let mut granted = 0;
    for _ in 0..15 {
        let count = 4 + draw.below(8);
        let what: Vec<(String, What)> = (0..count)
            .map(|number| {
                let id = format!("{}/{number:02}", draw.pick(&ISSUERS));
                let credit = 500 * draw.between(1, 9);
                let what = match draw.below(6) {
                    0 => What::Hours(9 * draw.small(1, 12)),
                    1 => What::Training(9 * draw.small(1, 12), credit),
                    2 => What::Grade(draw.small(1, 3), credit),
                    3 => What::Named(if draw.chance(50) { "A" } else { "B" }),
                    4 => What::Exam(credit),
                    _ => What::Course(credit),
                };
                (id, what)
            })
            .collect();
        let names: Vec<RecordName> = what.iter().map(|(id, _)| record(id)).collect();
        let mut first = None;
        for _ in 0..3 {
            let mut order = what.clone();
            for at in (1..order.len()).rev() {
                order.swap(at, draw.below(at + 1));
            }
            let mut bank = Bank::open();
            for (id, what) in &order {
                bank.deposit(id, "ann", *what);
            }
            let answers: Vec<Assessment> = TARGETS
                .iter()
                .map(|target| {
                    let request = request("ann", target, &names);
                    let statement = bank.signed("r", &["r.registry"], request);
                    bank.reckon(&statement)
                })
                .collect();
            granted += answers.iter().filter(|answer| !answer.items.is_empty()).count();
            assert_eq!(*first.get_or_insert_with(|| answers.clone()), answers, "{names:?}");
        }
    }
    assert!(granted > 60, "{granted}");
}
