//! Two ledgers for many tests.

use crate::session::{Session, World};
use std::ops::Deref;
use std::sync::OnceLock;
use tokio::sync::{Mutex, MutexGuard};

static BUSY: OnceLock<World> = OnceLock::new();
static QUIET: OnceLock<World> = OnceLock::new();
static TURN: Mutex<()> = Mutex::const_new(());

/// A connection to a shared ledger; where the test fails, what the server wrote is shown.
pub(crate) struct Visit {
    session: Session<'static>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Deref for Visit {
    type Target = Session<'static>;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.session.world.bank.log();
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("--- the end of the shared server's log, newest first ---\n{}", last.join("\n"));
        }
    }
}

/// A connection to the ledger on which many tests write at once.
pub(crate) async fn busy() -> Visit {
    let world = BUSY.get_or_init(|| World::start(&[]));
    Visit { session: Session::new(world).await, _turn: None }
}

/// A connection to the ledger on which one test runs at a time.
pub(crate) async fn quiet() -> Visit {
    let turn = TURN.lock().await;
    let world = QUIET.get_or_init(|| World::start(&[]));
    Visit { session: Session::new(world).await, _turn: Some(turn) }
}
