//! Random histories: what the crate does is what the model says, and its rows can be rebuilt from its events.

use crate::aim::{Aim, LEAF, core_reasons};
use crate::draw::{Draw, mixed};
use crate::model::Now;
use crate::prepared::prepare;
use crate::shell::Shell;
use credit_types::limits::DAY_US;
use credit_types::{AccountRef, BalanceLine, Bucket, CivilDate, Event, EventKind, Reason, Subject};
use std::collections::BTreeMap;

/// How many commands a run submits, unless `CREDITBANK_COMMANDS` says otherwise.
const COMMANDS: usize = 100_000;
/// The most commands of one history.
const HISTORY_COMMANDS_MAX: usize = 200;
/// How often each event, each refusal (of a command and of a leaf) and each bucket occurs at least in a run of the usual size.
const OCCURRENCES_MIN: usize = 100;
/// After how many commands a history may be prepared.
const PREPARED_AT: usize = 30;
/// Where a balance may show credit in this protocol.
const BUCKETS: [Bucket; 5] =
    [Bucket::Available, Bucket::Revoked, Bucket::Suspended, Bucket::Expired, Bucket::KeySuspect];
/// What happens without conversions.
const KINDS: [EventKind; 15] = [
    EventKind::LedgerCreated,
    EventKind::ServerStarted,
    EventKind::InstitutionAdmitted,
    EventKind::FrameworkPublished,
    EventKind::KeyAdded,
    EventKind::KeyRetired,
    EventKind::KeyCompromised,
    EventKind::AccountOpened,
    EventKind::AccountStatusChanged,
    EventKind::RecordDeposited,
    EventKind::RecordStatusChanged,
    EventKind::BatchOpened,
    EventKind::BatchChunk,
    EventKind::BatchClosed,
    EventKind::ProtocolUpgraded,
];
/// 2026-05-28T20:26:40Z.
const BEGIN_US: i64 = 1_780_000_000_000_000;

/// What occurred.
#[derive(Default)]
struct Tally {
    events: BTreeMap<EventKind, usize>,
    reasons: BTreeMap<Reason, usize>,
    leaves: BTreeMap<Reason, usize>,
    buckets: BTreeMap<Bucket, usize>,
}

impl Tally {
    fn count(&mut self, outcome: &Result<Vec<Event>, Reason>) {
        match outcome {
            Err(reason) => *self.reasons.entry(*reason).or_default() += 1,
            Ok(events) => {
                for event in events {
                    *self.events.entry(event.kind()).or_default() += 1;
                    if let Event::BatchChunk { refused, .. } = event {
                        for leaf in refused {
                            *self.leaves.entry(leaf.reason).or_default() += 1;
                        }
                    }
                }
            }
        }
    }

    fn print(&self) {
        for kind in KINDS {
            println!("{:6} {kind:?}", self.events.get(&kind).unwrap_or(&0));
        }
        println!("lines of balances: {:?}", self.buckets);
        for reason in core_reasons() {
            let leaves = self.leaves.get(&reason).unwrap_or(&0);
            println!("{:6} {reason} (and of leaves {leaves})", self.reasons.get(&reason).unwrap_or(&0));
        }
    }

    fn count_lines(&mut self, lines: &[BalanceLine]) {
        for line in lines {
            *self.buckets.entry(line.bucket).or_default() += 1;
        }
    }

    /// What occurred too rarely for its place to count as tested.
    fn rare(&self) -> Vec<String> {
        let few = |count: Option<&usize>| count.is_none_or(|count| *count < OCCURRENCES_MIN);
        let kinds = KINDS.iter().filter(|kind| few(self.events.get(kind))).map(|kind| format!("{kind:?}"));
        let reasons = core_reasons();
        let reasons = reasons.iter().filter(|reason| few(self.reasons.get(reason))).map(ToString::to_string);
        let leaves =
            LEAF.iter().filter(|reason| few(self.leaves.get(reason))).map(|reason| format!("leaf {reason}"));
        let buckets = BUCKETS.iter().filter(|bucket| few(self.buckets.get(bucket)));
        let buckets = buckets.map(|bucket| format!("{bucket:?}"));
        kinds.chain(reasons).chain(leaves).chain(buckets).collect()
    }
}

fn number_from(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// How much later the next command comes.
fn pause(draw: &mut Draw) -> i64 {
    match draw.below(100) {
        0..20 => 0,
        20..85 => draw.between(0, DAY_US / 12),
        85..96 => draw.between(0, DAY_US),
        _ => draw.between(0, 3 * DAY_US),
    }
}

/// An account that the last command was about, or any.
fn touched(shell: &Shell, draw: &mut Draw, outcome: &Result<Vec<Event>, Reason>) -> Option<AccountRef> {
    let of_events = outcome.iter().flatten().find_map(|event| match event.subject() {
        Some(Subject::Account(account_ref)) => Some(account_ref),
        _ => None,
    });
    let accounts: Vec<AccountRef> = shell.model.accounts().collect();
    of_events.or_else(|| draw.any(&accounts))
}

fn history(seed: u64, commands: usize, prepared: bool, tally: &mut Tally) {
    let mut draw = Draw::new(seed);
    let mut shell = Shell::new(draw.word());
    for number in 0..commands {
        if prepared && number == PREPARED_AT && shell.model.genesis().is_some() {
            let last_us = shell.model.entries.last().unwrap().recorded_at_us;
            prepare(&mut shell, &mut draw, last_us);
        }
        let last_us = shell.model.entries.last().map_or(BEGIN_US, |entry| entry.recorded_at_us);
        let now = Now { index: shell.model.index(), recorded_at_us: last_us + pause(&mut draw) };
        let command = Aim { draw: &mut draw, model: &shell.model, now }.command();
        if draw.chance(30) {
            shell.forget();
        }
        let outcome = shell.submit(now.recorded_at_us, &command).map_err(|rejection| rejection.reason);
        tally.count(&outcome);
        if let Some(account_ref) = touched(&shell, &mut draw, &outcome) {
            let on = CivilDate::from_days(i32::try_from(draw.between(18_000, 24_000)).unwrap()).unwrap();
            tally.count_lines(&shell.check_balance(account_ref, on));
        }
    }
    shell.check_rebuild();
}

#[test]
fn random_histories_go_as_the_model_says() {
    let seed = number_from("CREDITBANK_SEED", 20_261_123);
    let total = usize::try_from(number_from("CREDITBANK_COMMANDS", COMMANDS as u64)).unwrap();
    println!("CREDITBANK_SEED={seed} CREDITBANK_COMMANDS={total}");
    let mut tally = Tally::default();
    let mut left = total;
    for number in 0_u64.. {
        if left == 0 {
            break;
        }
        let commands = left.min(HISTORY_COMMANDS_MAX);
        let own = mixed(seed.wrapping_add(number));
        let run = std::panic::AssertUnwindSafe(|| history(own, commands, number % 2 == 0, &mut tally));
        if let Err(failure) = std::panic::catch_unwind(run) {
            println!("history {number} of CREDITBANK_SEED={seed} went wrong");
            std::panic::resume_unwind(failure);
        }
        left -= commands;
    }
    tally.print();
    if total >= COMMANDS {
        let rare = tally.rare();
        assert!(rare.is_empty(), "fewer than {OCCURRENCES_MIN} times: {rare:?}");
    }
}
