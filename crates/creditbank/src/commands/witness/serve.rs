//! Runs a witness until SIGTERM or SIGINT.

use super::super::Context;
use super::super::serve::{Signals, not_served, start_logging};
use super::book::{Book, Place};
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_service::witness::serve_witness;
use std::net::SocketAddr;

pub(super) async fn run(context: &mut Context, place: &Place, listen: Option<SocketAddr>) -> Ending {
    let book = Book::read(place)?;
    start_logging(context.output.format);
    let mut signals = Signals::new()?;
    let witness = super::open(context, place, &book)?;
    let (key, logs) = (witness.key().text(), book.logs.len());
    let listen = listen.unwrap_or(book.listen);
    let served = serve_witness(witness, listen, async move { signals.any().await }).await;
    let serving = served.map_err(|cause| {
        CommandError::new(Exit::Unreachable, Phrase::WitnessNotServed, &[&listen]).because(cause)
    })?;
    let url = format!("http://{}", serving.address);
    // Programs wait for this line, so it is the same in both languages.
    context.output.raw_line(&format!("listening on {url}"));
    context.output.line(Phrase::WitnessServes, &[&logs, &key]);
    context.output.json(&serde_json::json!({ "listening": url, "key": key, "logs": logs }));
    serving.stopped().await.map_err(not_served)?;
    Ok(Exit::Done)
}
