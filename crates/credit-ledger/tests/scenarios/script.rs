//! Runs a scenario line by line and writes beside each line what came of it.

use super::statement::command;
use super::words::{self, Line};
use crate::draw::expanded;
use crate::shell::Shell;
use credit_types::limits::DAY_US;
use credit_types::{Anchor, CommandId, Event, LogId, Reason, RefusedLeaf, Rejection};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Width of the column of lines.
const COLUMN: usize = 64;
/// 2026-05-28T20:26:40Z.
const BEGIN_US: i64 = 1_780_000_000_000_000;

/// What most scenarios begin with: entries 0 to 6.
const BASE: &str = "
    ledger
    framework nqf 1 levels=10-80/10 schemes=CN_XF:500
    admit a
    admit b accreditations=narrow
    admit g roles=regulator
    open ann
    open bob
";

/// A ledger, a clock, and the names of its batches.
pub(super) struct World {
    pub(super) shell: Shell,
    now_us: i64,
    statements: u64,
    batches: BTreeMap<String, u64>,
}

/// What came of a line.
pub(super) type Outcome = Result<Vec<Event>, Rejection>;

impl World {
    /// Without a log.
    pub(super) fn empty() -> Self {
        Self { shell: Shell::new(1), now_us: BEGIN_US, statements: 0, batches: BTreeMap::new() }
    }

    /// With a framework, two issuers, a regulator and two accounts.
    pub(super) fn founded() -> Self {
        let mut world = Self::empty();
        for line in lines(BASE) {
            assert!(world.submit(line).is_ok(), "{line}");
        }
        world
    }

    pub(super) fn anchor(&self, size: u64) -> Option<Anchor> {
        let last = self.shell.model.entry(size.checked_sub(1)?)?;
        Some(Anchor { size, root: last.root })
    }

    pub(super) fn log_id(&self) -> Option<LogId> {
        self.shell.model.entry(0).map(|entry| LogId(entry.leaf.0))
    }

    pub(super) fn statement_id(&self, name: Option<&str>) -> CommandId {
        name.map_or_else(
            || CommandId(expanded(self.statements)),
            |name| CommandId(expanded(crate::draw::word_of(name))),
        )
    }

    /// The index of a batch's manifest; far beyond the log for a name that no batch has.
    pub(super) fn batch(&self, name: &str) -> u64 {
        self.batches.get(name).copied().unwrap_or(1_000_000)
    }

    /// Submits the statement that a line stands for.
    pub(super) fn submit(&mut self, text: &str) -> Outcome {
        let line = Line::new(text);
        self.statements += 1;
        let command = command(self, &line);
        line.assert_used();
        let index = self.shell.model.index();
        self.shell.forget();
        let outcome = self.shell.submit(self.now_us, &command);
        if outcome.is_ok() && line.verb == "batch" {
            self.batches.insert(String::from(line.word(0)), index);
        }
        outcome
    }

    /// Runs a line that may also be about the scenario itself, and says what came of it.
    pub(super) fn tell(&mut self, text: &str) -> Result<String, Rejection> {
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        match verb {
            "wait" => {
                self.now_us += rest.trim_end_matches('d').parse::<i64>().unwrap() * DAY_US;
                Ok(String::new())
            }
            "repeat" => {
                let (times, line) = rest.split_once(' ').unwrap();
                for number in 0..times.parse().unwrap() {
                    // `@` is the number of the round, `#` that of the next one.
                    let number: u64 = number;
                    let numbered =
                        line.replace('@', &number.to_string()).replace('#', &(number + 1).to_string());
                    for part in numbered.split(" ; ") {
                        self.submit(part)?;
                    }
                }
                Ok(String::from("ok each time"))
            }
            "pretend" => {
                let (name, count) = rest.split_once(' ').unwrap();
                self.shell.pretend(words::account(name), count.parse().unwrap());
                Ok(String::new())
            }
            "balance" => {
                let (name, on) = rest.split_once(' ').unwrap();
                Ok(self.balance(name, on))
            }
            _ => {
                let index = self.shell.model.index();
                self.submit(text).map(|events| format!("ok {index}: {}", told(&events)))
            }
        }
    }

    fn balance(&self, name: &str, on: &str) -> String {
        let lines = self.shell.check_balance(words::account(name), words::date(on));
        let told = lines.iter().map(|line| {
            let scheme = line.scheme.as_ref().map_or_else(|| String::from("-"), ToString::to_string);
            format!("{scheme} {:?} {} in {}", line.bucket, line.credits_milli, line.records)
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

fn lines(script: &str) -> impl Iterator<Item = &str> {
    script.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Runs a script; gives what is to be compared, and the last refusal.
pub(super) fn run(mut world: World, script: &str) -> (String, Option<Reason>) {
    let mut told = String::new();
    let mut last = None;
    for line in lines(script) {
        let outcome = world.tell(line);
        let text = match &outcome {
            Ok(text) => text.clone(),
            Err(rejection) => refusal(rejection),
        };
        last = outcome.err().map(|rejection| rejection.reason);
        let row = format!("{line:COLUMN$} {text}");
        writeln!(told, "{}", row.trim_end()).unwrap();
    }
    world.shell.check_rebuild();
    (told, last)
}

fn refusal(rejection: &Rejection) -> String {
    let field = rejection.field.iter().map(|field| format!(" {field}"));
    let index = rejection.index.iter().map(|index| format!(" @{index}"));
    let parts = [rejection.reason.to_string()].into_iter().chain(field).chain(index);
    parts.collect()
}

/// The events of an entry, equal ones in a row counted.
fn told(events: &[Event]) -> String {
    let mut words: Vec<(String, usize)> = Vec::new();
    for event in events {
        let word = match event {
            Event::BatchChunk { refused, .. } if !refused.is_empty() => {
                format!("BatchChunk({})", positions(refused))
            }
            Event::BatchClosed { accepted, refused, .. } => format!("BatchClosed({accepted}+{refused})"),
            Event::AccountStatusChanged { status, .. } => format!("AccountStatusChanged({status:?})"),
            Event::RecordStatusChanged { status, .. } => format!("RecordStatusChanged({status:?})"),
            other => format!("{:?}", other.kind()),
        };
        match words.last_mut() {
            Some((last, count)) if *last == word => *count += 1,
            _ => words.push((word, 1)),
        }
    }
    let told =
        words.into_iter().map(|(word, count)| if count > 1 { format!("{count} × {word}") } else { word });
    told.collect::<Vec<_>>().join(", ")
}

/// Refused positions, those in a row for one reason as a range.
fn positions(refused: &[RefusedLeaf]) -> String {
    let mut ranges: Vec<(u32, u32, Reason)> = Vec::new();
    for leaf in refused {
        match ranges.last_mut() {
            Some((_, last, reason)) if *last + 1 == leaf.position && *reason == leaf.reason => *last += 1,
            _ => ranges.push((leaf.position, leaf.position, leaf.reason)),
        }
    }
    let told = ranges.into_iter().map(|(first, last, reason)| {
        if first == last { format!("{first} {reason}") } else { format!("{first} to {last} {reason}") }
    });
    told.collect::<Vec<_>>().join(", ")
}
