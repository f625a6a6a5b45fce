//! What the ledger takes in: a semester in batches, records of many issuers on streams, records one a call.

use super::super::rate;
use super::Sizes;
use super::figures::Figures;
use super::send;
use super::signed::{Issuer, on_all_cores};
use super::stats::percentile;
use super::wire::{Line, Shot, fire};
use super::world::World;
use crate::ending::CommandError;
use credit_service::clock::instant;
use credit_types::AccountRef;
use prost::bytes::Bytes;
use std::sync::Arc;

/// Where a record goes.
pub(super) const SUBMIT_RECORD: &str = "/creditbank.v1.RecordService/SubmitRecord";
/// Batches of a semester.
const BATCHES: u64 = 4;
/// Issuers of the records that are sent one a call.
const UNARY_ISSUERS: u64 = 16;
/// Streams of the scattered records at once.
const SCATTERED_STREAMS: usize = 32;

/// Ten records a learner, one issuer a batch; over one stream and over four.
pub(super) async fn semester(
    figures: &mut Figures,
    world: &mut World,
    sizes: &Sizes,
) -> Result<(), CommandError> {
    for streams in [1usize, 4] {
        let began = instant();
        let batches = world.semester(sizes.semester, BATCHES)?;
        let signing = began.elapsed();
        let (sent, time) = send::batches(&world.server.url, streams, batches).await?;
        figures.put(&format!("semester_{streams}"), rate(sent.records, time));
        figures.put(&format!("semester_{streams}_p50"), percentile(&sent.chunk_micros, 500));
        figures.put(&format!("semester_{streams}_p99"), percentile(&sent.chunk_micros, 990));
        if streams > 1 {
            figures.put("semester_live", rate(sent.records, time.saturating_add(signing)));
        }
    }
    Ok(())
}

/// One record each for different learners, of every issuer, each signed by itself. A stream has one signer, so that there
/// are as many streams as issuers, some at once.
pub(super) async fn scattered(
    figures: &mut Figures,
    world: &mut World,
    sizes: &Sizes,
) -> Result<(), CommandError> {
    let numbers = world.numbers(sizes.scattered);
    let issuers = u64::try_from(world.issuers.len()).unwrap_or(u64::MAX).max(1);
    let share = sizes.scattered.div_ceil(issuers).max(1);
    let here = &*world;
    let began = instant();
    let starts: Vec<u64> = numbers.clone().step_by(usize::try_from(share).unwrap_or(1)).collect();
    let work = on_all_cores(&starts, |start| {
        let issuer = here.issuer(start.saturating_sub(numbers.start).checked_div(share).unwrap_or(0))?;
        let end = start.saturating_add(share).min(numbers.end);
        let one = |number| here.desk.single(number, issuer, here.account(number));
        let messages = (*start..end).map(one).collect::<Result<Vec<Bytes>, CommandError>>()?;
        Ok((here.token(issuer)?, messages))
    })?;
    let signing = began.elapsed();
    let (sent, time) = send::scattered(&world.server.url, SCATTERED_STREAMS, work).await?;
    figures.put("scattered", rate(sent, time));
    figures.put("scattered_live", rate(sent, time.saturating_add(signing)));
    Ok(())
}

/// Signed records, each to be sent by a call of its own, of issuers and accounts that a rule names.
pub(super) fn singles<'w>(
    world: &'w World,
    numbers: std::ops::Range<u64>,
    who: impl Fn(u64) -> Result<(&'w Issuer, AccountRef), CommandError> + Sync,
) -> Result<Vec<Shot>, CommandError> {
    let numbers: Vec<u64> = numbers.collect();
    // An institution's client makes a token for some minutes, not for a call.
    let tokens = world.tokens()?;
    on_all_cores(&numbers, |number| {
        let (issuer, account) = who(*number)?;
        let token = tokens.get(&issuer.id).cloned();
        Ok(Shot { path: SUBMIT_RECORD, token, message: world.desk.single(*number, issuer, account)? })
    })
}

/// The next records, of a few issuers, one a call.
pub(super) fn alone(world: &mut World, count: u64) -> Result<Vec<Shot>, CommandError> {
    let numbers = world.numbers(count);
    let here = &*world;
    singles(here, numbers, |number| Ok((here.issuer(number % UNARY_ISSUERS)?, here.account(number))))
}

/// One record a call, at each concurrency.
pub(super) async fn unary(
    figures: &mut Figures,
    world: &mut World,
    sizes: &Sizes,
) -> Result<(), CommandError> {
    for (in_flight, calls) in sizes.unary {
        let began = instant();
        let shots = Arc::new(alone(world, calls)?);
        let signing = began.elapsed();
        let lines = Line::several(&world.server.url, in_flight).await?;
        let flown = fire(&lines, in_flight, &shots).await?;
        figures.put(&format!("unary_{in_flight}"), flown.rate());
        figures.put(&format!("unary_{in_flight}_p50"), flown.percentile(500));
        figures.put(&format!("unary_{in_flight}_p99"), flown.percentile(990));
        if in_flight == 256 {
            figures.put("unary_live", rate(calls, flown.time.saturating_add(signing)));
        }
    }
    Ok(())
}
