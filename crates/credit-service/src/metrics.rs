//! What an operator watches, in the OpenMetrics text form, on a port of its own. No metric names a person.

use crate::failure::Failure;
use crate::ledger::{Health, Ledger};
use crate::stats::Stats;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Upper bounds of the latency buckets in seconds.
const LATENCY_BUCKETS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 10.0];
/// The prefix of every metric.
const PREFIX: &str = "creditbank";
/// The media type of what is served.
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type CallLabels = [(&'static str, &'static str); 2];
type MethodLabel = [(&'static str, &'static str); 1];
type ReasonLabel = [(&'static str, &'static str); 1];
type RequestLabels = [(&'static str, &'static str); 2];

fn latency() -> Histogram {
    Histogram::new(LATENCY_BUCKETS)
}

/// The counters of the edge, and through the ledger's own those of the writer.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    calls: Family<CallLabels, Counter>,
    latency: Family<MethodLabel, Histogram, fn() -> Histogram>,
    problems: Family<ReasonLabel, Counter>,
    requests: Family<RequestLabels, Counter>,
    ledger: Ledger,
}

impl Metrics {
    /// Metrics of a ledger.
    pub(crate) fn new(ledger: &Ledger) -> Self {
        let calls = Family::default();
        let latencies: Family<MethodLabel, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(latency);
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("calls", "Calls by method and code", calls.clone());
        registry.register(
            "call_seconds",
            "Time to the answer, of streams to its beginning",
            latencies.clone(),
        );
        let problems = Family::default();
        registry.register("problems", "Problems told to callers, by reason", problems.clone());
        let requests = Family::default();
        registry.register("log_requests", "Requests to the public log by kind and status", requests.clone());
        registry.register_collector(Box::new(Writer(ledger.clone())));
        let ledger = ledger.clone();
        Self { registry: Arc::new(registry), calls, latency: latencies, problems, requests, ledger }
    }

    /// Counts a call that has ended.
    pub(crate) fn called(&self, method: &'static str, code: &'static str) {
        self.calls.get_or_create(&[("method", method), ("code", code)]).inc();
    }

    /// Counts a problem that a caller is told.
    pub(crate) fn told(&self, reason: &'static str) {
        self.problems.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts a request to the public log.
    pub(crate) fn requested(&self, kind: &'static str, status: &'static str) {
        self.requests.get_or_create(&[("kind", kind), ("status", status)]).inc();
    }

    /// Observes how long an answer took.
    pub(crate) fn took(&self, method: &'static str, micros: u64) {
        self.latency
            .get_or_create(&[("method", method)])
            .observe(Duration::from_micros(micros).as_secs_f64());
    }

    /// All metrics as text.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)
            .map_err(|error| Failure::Fault(format!("write metrics: {error}")))?;
        Ok(out)
    }

    /// The pages `/metrics` and `/healthz`.
    pub(crate) fn router(self) -> Router {
        Router::new().route("/metrics", get(metrics)).route("/healthz", get(healthz)).with_state(self)
    }
}

async fn metrics(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(failure) => {
            tracing::error!(%failure, "metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// 200 while writes are taken, 503 with the code when they have stopped.
async fn healthz(State(metrics): State<Metrics>) -> Response {
    let health = *metrics.ledger.health().borrow();
    match health {
        Health::Serving => "serving\n".into_response(),
        Health::ReadOnly(code) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("read only: {code}\n")).into_response()
        }
    }
}

/// The writer's counters, read when they are asked for.
struct Writer(Ledger);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Collector for Writer {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        collect(&self.0.stats(), self.0.reader().now_us(), encoder)
    }
}

/// Writes counters as metrics; times are in whole microseconds, so that nothing is rounded.
fn collect(stats: &Stats, now_us: i64, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
    let Stats {
        groups,
        entries,
        replays,
        refusals,
        busy,
        queue_depth,
        last_group_entries,
        last_flush_us,
        size,
        checkpoint_at_us,
        disk_bytes,
        witness_calls,
        cosigned_size,
        cosigned_at_us,
    } = stats;
    let counters = [
        ("groups", "Groups made durable since start", groups),
        ("entries", "Entries made durable since start", entries),
        ("replays", "Commands answered from an earlier entry since start", replays),
        ("busy", "Commands that found the queue full since start", busy),
    ];
    for (name, help, value) in counters {
        let counter = ConstCounter::new(*value);
        let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
        counter.encode(metric)?;
    }
    let age = now_us.saturating_sub(*checkpoint_at_us).max(0);
    // Where nothing was ever cosigned, that is as long ago as the clock reaches.
    let cosigned_age = now_us.saturating_sub(*cosigned_at_us).max(0);
    let gauges = [
        ("queue_depth", "Commands that wait for the writer", signed(*queue_depth)),
        ("group_entries", "Entries of the last group", signed(*last_group_entries)),
        ("flush_microseconds", "Time of the last group from store to durable", signed(*last_flush_us)),
        ("log_size", "Entries under the signed head", signed(*size)),
        ("disk_bytes", "Bytes of the store on disk", signed(*disk_bytes)),
        ("checkpoint_age_microseconds", "Time since the last checkpoint was signed", age),
        (
            "cosigned_size",
            "Entries under the last head that enough witnesses cosigned",
            signed(*cosigned_size),
        ),
        ("cosigned_age_microseconds", "Time since a head was last cosigned by enough", cosigned_age),
    ];
    for (name, help, value) in gauges {
        let gauge = ConstGauge::new(value);
        let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
        gauge.encode(metric)?;
    }
    let zero = ConstCounter::new(0u64);
    let mut family = encoder.encode_descriptor(
        "refusals",
        "Refusals of the writer by reason since start",
        None,
        zero.metric_type(),
    )?;
    for (reason, count) in refusals {
        let labels = [("reason", *reason)];
        ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
    }
    let help = "Calls to witnesses by witness and what came of them since start";
    let mut family = encoder.encode_descriptor("witness_calls", help, None, zero.metric_type())?;
    for ((witness, outcome), count) in witness_calls {
        let labels = [("witness", witness.as_str()), ("outcome", *outcome)];
        ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug)]
    struct Fixed(Stats);

    impl Collector for Fixed {
        fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
            collect(&self.0, 5_000, encoder)
        }
    }

    #[test]
    fn every_counter_of_the_writer_is_shown() {
        let stats = Stats {
            groups: 11,
            entries: 12,
            replays: 13,
            refusals: BTreeMap::from([("RECORD_EXISTS", 14), ("ROLE_MISSING", 15)]),
            busy: 16,
            queue_depth: 17,
            last_group_entries: 18,
            last_flush_us: 19,
            size: 20,
            checkpoint_at_us: 4_000,
            disk_bytes: u64::MAX,
            witness_calls: BTreeMap::from([(("w1".to_owned(), "bad_cosignature"), 21)]),
            cosigned_size: 22,
            cosigned_at_us: 3_000,
        };
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(Fixed(stats)));
        let mut out = String::new();
        text::encode(&mut out, &registry).unwrap();
        for line in [
            "creditbank_groups_total 11",
            "creditbank_entries_total 12",
            "creditbank_replays_total 13",
            "creditbank_refusals_total{reason=\"RECORD_EXISTS\"} 14",
            "creditbank_refusals_total{reason=\"ROLE_MISSING\"} 15",
            "creditbank_busy_total 16",
            "creditbank_queue_depth 17",
            "creditbank_group_entries 18",
            "creditbank_flush_microseconds 19",
            "creditbank_log_size 20",
            "creditbank_checkpoint_age_microseconds 1000",
            "creditbank_disk_bytes 9223372036854775807",
            "creditbank_witness_calls_total{witness=\"w1\",outcome=\"bad_cosignature\"} 21",
            "creditbank_cosigned_size 22",
            "creditbank_cosigned_age_microseconds 2000",
        ] {
            assert!(out.lines().any(|found| found == line), "{line} in\n{out}");
        }
    }
}
