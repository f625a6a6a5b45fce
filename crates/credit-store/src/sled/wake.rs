//! Wakes the writer when the engine has failed behind its back.
//!
//! The engine writes on threads of its own. One of the two places where it starts such a write records a failure but
//! does not wake those who wait for that write to become stable: its flush would wait for ever, and with it every
//! read that waits for the writer. Any further flush sees the recorded failure, returns at once, and wakes them all.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the engine is asked whether it has failed: what a failed write waits at most before it is known.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The thread that looks; it ends, and lets go of the engine, when this is dropped.
pub(super) struct Waker {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Waker {
    /// Starts looking after an engine.
    pub(super) fn start(db: ::sled::Db) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let look = move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if db.context.global_error().is_err() {
                    // It fails with what was recorded; whoever waits hears the same.
                    let _ = db.flush();
                }
            }
        };
        let thread = std::thread::Builder::new().name("store-waker".to_owned()).spawn(look)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell, and a panic in it has been printed.
            let _ = thread.join();
        }
    }
}
