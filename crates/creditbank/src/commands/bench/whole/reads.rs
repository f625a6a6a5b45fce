//! What the ledger gives out: balances, also while it takes in batches, receipts with their proofs, and a city's mixture.

use super::super::super::Context;
use super::super::unmeasured;
use super::Sizes;
use super::figures::Figures;
use super::send;
use super::signed::{Batch, below};
use super::wire::{Flown, Line, Shot, Token, fire};
use super::world::{STREAMS, World};
use super::writes::{self, SUBMIT_RECORD, singles};
use crate::ending::CommandError;
use credit_proto::v1;
use credit_service::clock::instant;
use prost::Message as _;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where balances are read.
pub(super) const GET_BALANCE: &str = "/creditbank.v1.AccountService/GetBalance";
/// Where receipts are read.
pub(super) const GET_RECEIPT: &str = "/creditbank.v1.LogService/GetReceipt";
/// Records at once that become entries of their own.
const ALONE_IN_FLIGHT: usize = 64;
/// Calls of the mixture at once.
const CITY_IN_FLIGHT: usize = 64;
/// One call of so many in the mixture is a write.
const CITY_WRITES: u64 = 10;
/// Batches that each load under reads is made of.
const LOAD_BATCHES: u64 = 8;

/// Reads of balances of accounts in any order.
pub(super) fn balances(world: &World, token: &Token, from: u64, count: u64) -> Vec<Shot> {
    let accounts = u64::try_from(world.accounts.len()).unwrap_or(u64::MAX);
    let shot = |number| {
        let place = below(world.desk.seed, "creditbank/bench/read", number, accounts);
        let account_ref = world.account(place).as_bytes().to_vec();
        let request = v1::GetBalanceRequest { account_ref, ..v1::GetBalanceRequest::default() };
        Shot { path: GET_BALANCE, token: Some(token.clone()), message: request.encode_to_vec().into() }
    };
    (from..from.saturating_add(count)).map(shot).collect()
}

/// Reads of receipts of entries in any order.
pub(super) fn receipts(world: &World, token: &Token, from: u64, count: u64) -> Vec<Shot> {
    receipts_of(world, &(0..world.desk.anchor.size), token, from, count)
}

/// Reads of receipts of some entries, in any order.
fn receipts_of(world: &World, entries: &Range<u64>, token: &Token, from: u64, count: u64) -> Vec<Shot> {
    let entry_count = entries.end.saturating_sub(entries.start);
    let shot = |number| {
        let place = below(world.desk.seed, "creditbank/bench/receipt", number, entry_count);
        let index = entries.start.saturating_add(place);
        let message = v1::GetReceiptRequest { index }.encode_to_vec().into();
        Shot { path: GET_RECEIPT, token: Some(token.clone()), message }
    };
    (from..from.saturating_add(count)).map(shot).collect()
}

fn put(figures: &mut Figures, what: &str, in_flight: usize, flown: &Flown) {
    figures.put(&format!("{what}_{in_flight}"), flown.rate());
    figures.put(&format!("{what}_{in_flight}_p50"), flown.percentile(500));
    figures.put(&format!("{what}_{in_flight}_p99"), flown.percentile(990));
}

/// Adds records that are entries of their own; gives their entries.
async fn alone(context: &mut Context, world: &mut World, count: u64) -> Result<Range<u64>, CommandError> {
    let before = world.look(context).await?.size;
    let shots = Arc::new(writes::alone(world, count)?);
    fire(&Line::several(&world.server.url, ALONE_IN_FLIGHT).await?, ALONE_IN_FLIGHT, &shots).await?;
    Ok(before..world.look(context).await?.size)
}

/// Balances and receipts at each concurrency, idle and under load.
pub(super) async fn round(
    figures: &mut Figures,
    context: &mut Context,
    world: &mut World,
    sizes: &Sizes,
    number: u64,
) -> Result<(), CommandError> {
    let alone = alone(context, world, sizes.alone).await?;
    let auditor = world.auditor(context)?;
    for (in_flight, calls) in sizes.reads {
        let lines = Line::several(&world.server.url, in_flight).await?;
        let from = number.saturating_mul(calls);
        let flown = fire(&lines, in_flight, &Arc::new(balances(world, &auditor, from, calls))).await?;
        put(figures, "balance", in_flight, &flown);
        let flown = fire(&lines, in_flight, &Arc::new(receipts(world, &auditor, from, calls))).await?;
        put(figures, "receipt", in_flight, &flown);
        let shots = receipts_of(world, &alone, &auditor, from, calls);
        figures.put(
            &format!("receipt_alone_{in_flight}"),
            fire(&lines, in_flight, &Arc::new(shots)).await?.rate(),
        );
        let load = world.semester(sizes.load, LOAD_BATCHES)?;
        let shots = Arc::new(balances(world, &auditor, from, calls));
        let flown = loaded(world, load, &lines, in_flight, &shots).await?;
        figures.put(&format!("loaded_{in_flight}"), flown.rate());
        figures.put(&format!("loaded_{in_flight}_p99"), flown.percentile(990));
    }
    Ok(())
}

/// Reads while batches are sent. What is left of the batches once the reads are through is not sent; and where the batches
/// were through first, only those reads count that began before.
async fn loaded(
    world: &World,
    load: Vec<Batch>,
    lines: &[Line],
    in_flight: usize,
    shots: &Arc<Vec<Shot>>,
) -> Result<Flown, CommandError> {
    let (url, stop) = (world.server.url.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let writing = tokio::spawn(async move {
        let lines = Line::several(&url, 1).await?;
        for (mut line, batch) in lines.into_iter().cycle().zip(&load) {
            if stopped.load(Ordering::Relaxed) {
                break;
            }
            send::batch(&mut line, batch).await?;
        }
        Ok::<_, CommandError>(instant())
    });
    let flown = fire(lines, in_flight, shots).await;
    stop.store(true, Ordering::Relaxed);
    let ended = writing.await.map_err(unmeasured)??;
    Ok(flown?.until(ended))
}

/// Nine reads of balances and one write, of issuers by Zipf's law.
pub(super) async fn city(
    figures: &mut Figures,
    context: &mut Context,
    world: &mut World,
    sizes: &Sizes,
    number: u64,
) -> Result<(), CommandError> {
    world.look(context).await?;
    let auditor = world.auditor(context)?;
    let weights = world.zipf_weights();
    let numbers = world.numbers(sizes.city / CITY_WRITES);
    let here = &*world;
    let who = |number| Ok((here.issuer(here.zipf(&weights, number))?, here.account(number)));
    let mut writes = singles(here, numbers, who)?.into_iter();
    let reads = balances(here, &auditor, number.saturating_mul(sizes.city), sizes.city);
    let mixed = (0u64..)
        .zip(reads)
        .map(|(place, read)| if place % CITY_WRITES == 0 { writes.next().unwrap_or(read) } else { read });
    let shots = Arc::new(mixed.collect::<Vec<Shot>>());
    let lines = Line::several(&world.server.url, CITY_IN_FLIGHT).await?;
    let flown = fire(&lines, CITY_IN_FLIGHT, &shots).await?;
    figures.put("city", flown.rate());
    let writes = |place: usize| shots.get(place).is_some_and(|shot| shot.path == SUBMIT_RECORD);
    figures.put("city_read_p50", flown.percentile_of(500, |place| !writes(place)));
    figures.put("city_read_p99", flown.percentile_of(990, |place| !writes(place)));
    figures.put("city_write_p50", flown.percentile_of(500, writes));
    figures.put("city_write_p99", flown.percentile_of(990, writes));
    Ok(())
}

/// Fills the ledger: records of issuers by Zipf's law, for accounts in turn, in batches of one issuer each.
pub(super) async fn fill(
    world: &mut World,
    records: u64,
    window: u64,
    told: &(dyn Fn(u64) + Sync),
) -> Result<super::Filled, CommandError> {
    let weights = world.zipf_weights();
    let mut filled = super::Filled::default();
    while filled.records < records {
        let numbers = world.numbers(window.min(records.saturating_sub(filled.records)));
        let mut by_issuer = std::collections::BTreeMap::<u64, Vec<u64>>::new();
        for number in numbers {
            by_issuer.entry(world.zipf(&weights, number)).or_default().push(number);
        }
        let parts: Vec<(u64, Vec<u64>)> = by_issuer.into_iter().collect();
        let here = &*world;
        let batches = super::signed::on_all_cores(&parts, |(issuer, numbers)| {
            let issuer = here.issuer(*issuer)?;
            let records = numbers.iter().map(|number| (*number, here.account(*number)));
            here.desk.batch(issuer, here.token(issuer)?, records)
        })?;
        let (sent, time) = send::batches(&world.server.url, STREAMS, batches).await?;
        filled.records = filled.records.saturating_add(sent.records);
        filled.time = filled.time.saturating_add(time);
        told(filled.records);
    }
    Ok(filled)
}
