//! A server that lies. Its operator holds every key of the log's own and makes everything up that follows from a lie:
//! hashes, links, signatures, proofs. Everybody who can look does, with the product's own programs; the table of who
//! finds what stands here and in `docs/reference/lies.md`, and both are true.

mod forge;
mod server;
mod stage;
mod tale;
mod watch;

use crate::python::workspace;
use stage::Stage;
use std::fmt::Write as _;
use tale::Tale;
use watch::{Finding, Memory, Watchers};

/// What a watcher sees of a lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// It is found out by who comes for the first time.
    Always(&'static str),
    /// Only who has seen the honest history finds it out.
    Later(&'static str),
    /// Only who reads these entries for the first time finds it out.
    Once(&'static str),
    /// Nobody of this kind finds it out.
    Never,
}
use Sees::{Always, Later, Never, Once};

/// A lie, and who sees it.
struct Lie {
    what: &'static str,
    tell: fn(&Stage) -> Tale,
    client: Sees,
    verifier: Sees,
    anybody: Sees,
    monitor: Sees,
    witness: Sees,
}

/// Lies in what every entry holds: they follow on what was shown, so that only who reads all parts sees them.
const fn entry(what: &'static str, tell: fn(&Stage) -> Tale, rule: &'static str) -> Lie {
    let (verifier, monitor) = (Always(rule), Always("BAD_ENTRY"));
    Lie { what, tell, client: Never, verifier, anybody: Never, monitor, witness: Never }
}

/// Lies about the past: to who has not seen it they look like any log, unless something signed speaks against them.
const fn past(what: &'static str, tell: fn(&Stage) -> Tale, verifier: Sees) -> Lie {
    let (client, anybody) = (Later("FORK"), Later("HEAD_INCONSISTENT"));
    let monitor = match verifier {
        Always(_) => Always("BAD_ENTRY"),
        Later(_) | Once(_) | Never => Later("FORK"),
    };
    Lie { what, tell, client, verifier, anybody, monitor, witness: Later("422") }
}

/// Lies in an answer, beside a log that is true.
const fn answer(what: &'static str, tell: fn(&Stage) -> Tale, client: Sees) -> Lie {
    Lie { what, tell, client, verifier: Never, anybody: Never, monitor: Never, witness: Never }
}

/// Every lie.
const LIES: [Lie; 25] = [
    past("forks: another end of the history", tale::forked, Later("FORK")),
    Lie {
        client: Later("ROLLBACK"),
        monitor: Later("ROLLBACK"),
        witness: Later("400"),
        ..past("rolls back to an older head", tale::rolled_back, Later("ROLLBACK"))
    },
    Lie {
        client: Later("ROLLBACK"),
        monitor: Later("ROLLBACK"),
        witness: Later("400"),
        ..past("restores a snapshot with its high-water file, and goes on", tale::restored, Later("ROLLBACK"))
    },
    past("drops an entry, and makes all later ones anew", tale::dropped, Always("ANCHOR_UNKNOWN")),
    past("exchanges the order of two entries", tale::reordered, Always("ANCHOR_UNKNOWN")),
    past(
        "rewrites an event: more credits than were signed for",
        tale::event_rewritten,
        Always("DECISION_DIFFERS"),
    ),
    past("swaps a statement's body under its signature", tale::body_swapped, Always("SIGNATURE_INVALID")),
    Lie {
        client: Always("NOT_PROVED"),
        ..entry("shows other parts than the core commits to", tale::parts_exchanged, "PARTS_ROOT_WRONG")
    },
    answer(
        "withholds the last entry of a statement from the list",
        tale::last_unlisted,
        Always("STATEMENT_GAP"),
    ),
    answer("withholds it, and signs a head of the account without it", tale::last_denied, Never),
    answer("shows the account as of an older head of the log", tale::as_of_earlier, Later("ROLLBACK")),
    entry("issues one sequence of an account twice", tale::sequence_twice, "LINK_WRONG"),
    entry("accepts a record signed with a retired key", tale::retired_key, "KEY_RETIRED"),
    entry("invents an institution", tale::institution_invented, "THRESHOLD_NOT_MET"),
    entry("opens an account without a registrar", tale::no_registrar, "ROLE_MISSING"),
    Lie {
        monitor: Never,
        ..entry("drops details that were not erased", tale::detail_missing, "DETAILS_MISSING")
    },
    entry("replays an old reinstatement", tale::old_reinstatement, "STALE_STATEMENT"),
    entry("brings a record from another log", tale::foreign_record, "LOG_ID_MISMATCH"),
    entry("hoards a leaf of a batch for later", tale::hoarded_leaf, "BATCH_EXPIRED"),
    Lie {
        monitor: Always("WITHHELD"),
        ..past(
            "withholds the report of a stolen key after its receipt",
            tale::compromise_dropped,
            Later("FORK"),
        )
    },
    Lie {
        monitor: Always("WITHHELD"),
        ..answer("never takes the report of a stolen key", tale::compromise_ignored, Never)
    },
    Lie {
        monitor: Always("CHECKPOINT_INVALID"),
        ..answer("replays an old cosignature under a new head", tale::old_cosignature, Always("NOT_PROVED"))
    },
    Lie {
        anybody: Always("ROOT_WRONG"),
        monitor: Always("BAD_ENTRY"),
        ..answer("serves a wrong tile", tale::tile_bent, Never)
    },
    Lie {
        anybody: Always("ROOT_WRONG"),
        monitor: Once("BAD_ENTRY"),
        ..answer("serves a wrong bundle of cores", tale::bundle_bent, Never)
    },
    Lie {
        client: Always("NOT_PROVED"),
        verifier: Always("CHECKPOINT_INVALID"),
        anybody: Always("CHECKPOINT_INVALID"),
        monitor: Always("CHECKPOINT_INVALID"),
        witness: Always("403"),
        ..answer("signs the head with a key that is not the log's", tale::strange_key, Never)
    },
];

/// How a watcher looks.
type Look<'l> = &'l dyn Fn(Memory) -> Finding;

/// Holds what a watcher finds against what the table says; gives what is wrong with the table.
fn compare(expected: Sees, look: impl Fn(Memory) -> Finding) -> Result<(), String> {
    let (new, old) = (look(Memory::None), look(Memory::OfTheHonest));
    let holds = match expected {
        Always(code) => new.as_deref() == Some(code) && old.is_some(),
        Later(code) => new.is_none() && old.as_deref() == Some(code),
        Once(code) => new.as_deref() == Some(code) && old.is_none(),
        Never => new.is_none() && old.is_none(),
    };
    if holds {
        Ok(())
    } else {
        Err(format!("{expected:?} is told, a new one finds {new:?}, an old one {old:?}"))
    }
}

#[test]
fn everybody_finds_out_what_the_table_says_and_nothing_else() {
    let stage = Stage::set();
    server::tells_the_truth(&stage);
    let watchers = Watchers::gather(&stage);
    let mut wrong = String::new();
    for lie in &LIES {
        let tale = (lie.tell)(&stage);
        let looks: [(&str, Sees, Look<'_>); 5] = [
            ("client", lie.client, &|memory| watchers.client(&tale, memory)),
            ("verifier", lie.verifier, &|memory| watchers.verifier(&tale, memory)),
            ("anybody", lie.anybody, &|memory| watchers.anybody(&tale, memory)),
            ("monitor", lie.monitor, &|memory| watchers.monitor(&tale, memory)),
            ("witness", lie.witness, &|memory| watchers.witness(&tale, memory)),
        ];
        for (who, expected, look) in looks {
            if let Err(problem) = compare(expected, look) {
                writeln!(wrong, "{}: {who}: {problem}", lie.what).expect("a text");
            }
        }
    }
    assert!(wrong.is_empty(), "the table is not true:\n{wrong}");
}

fn cell(sees: Sees) -> String {
    match sees {
        Always(code) => format!("`{code}`"),
        Later(code) => format!("`{code}` †"),
        Once(code) => format!("`{code}` ‡"),
        Never => "–".to_owned(),
    }
}

fn table() -> String {
    let mut table =
        "| the operator … | client | verifier | anybody | monitor | witness |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for Lie { what, tell: _, client, verifier, anybody, monitor, witness } in &LIES {
        let cells = [client, verifier, anybody, monitor, witness].map(|sees| cell(*sees)).join(" | ");
        writeln!(table, "| {what} | {cells} |").expect("a text");
    }
    table
}

#[test]
fn the_documents_table_of_lies_is_this_one() {
    let path = workspace().join("docs/reference/lies.md");
    let document = std::fs::read_to_string(&path).expect("the document");
    assert!(document.contains(&table()), "docs/reference/lies.md must have this table:\n{}", table());
}
