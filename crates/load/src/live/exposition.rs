//! The running figures in Prometheus's text format, and the small server that shows them (`--prometheus-addr`).

use crate::error::LoadError;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::ContentType;
use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use prometheus::TextEncoder;
use prometheus::proto::{Bucket, Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use crate::engine::Running;
use crate::schedule::pace::Pace;
use crate::verdict::threshold::Measured;
use crate::wire::error::Fault;
use common::listen;

/// Upper bounds of the latencies' buckets, in seconds.
const BOUNDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Every figure as it is now.
///
/// # Errors
/// When the encoder refuses, which it has no cause to.
pub fn text(running: &Running) -> Result<String, prometheus::Error> {
    TextEncoder::new().encode_to_string(&families(running))
}

fn families(running: &Running) -> Vec<MetricFamily> {
    let counts = running.counts();
    let mut families = vec![
        counter(
            "loadgen_scheduled_total",
            "Arrivals whose due time has come.",
            vec![(vec![], counts.scheduled)],
        ),
        counter(
            "loadgen_requests_total",
            "Arrivals of which it is known what became of them, by outcome.",
            [
                ("expected", counts.expected),
                ("unexpected", counts.unexpected),
                ("transport_error", counts.transport_errors),
                ("local_error", counts.local_errors),
                ("shed", counts.shed),
            ]
            .map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count))
            .into(),
        ),
        counter(
            "loadgen_responses_total",
            "Answers by status.",
            running
                .statuses()
                .into_iter()
                .map(|(status, count)| (vec![("status", status.to_string())], count))
                .collect(),
        ),
        counter("loadgen_errors_total", "Requests without an answer, by kind.", {
            // Every kind from the start: a counter that starts late has no increase.
            let faults = running.faults();
            let count = |fault: Fault| faults.get(&fault).copied().unwrap_or(0);
            Fault::ALL.map(|fault| (vec![("kind", fault.name().to_owned())], count(fault))).into()
        }),
        gauge("loadgen_in_flight", "Requests scheduled and not yet answered.", counts.in_flight as f64),
        gauge(
            "loadgen_elapsed_seconds",
            "Time since the first arrival was due.",
            running.elapsed().as_secs_f64(),
        ),
    ];
    families.extend(processor_time());
    if let Pace::Open { schedule, .. } = &running.plan().pace {
        let rate = schedule.rate_at(running.elapsed().as_secs_f64());
        families.push(gauge(
            "loadgen_target_rate",
            "Requests per second that the schedule asks for now.",
            rate,
        ));
    }
    running.measured(|Measured { latencies, .. }| {
        for (name, help, latency) in [
            (
                "loadgen_response_seconds",
                "From when a request was due to the end of its answer: what a user would have felt.",
                &latencies.response,
            ),
            (
                "loadgen_service_seconds",
                "From a request's first byte to the end of its answer: what the server took.",
                &latencies.service,
            ),
            ("loadgen_pacer_lag_seconds", "How late the generator itself was.", &latencies.pacer_lag),
            ("loadgen_connection_wait_seconds", "Waiting for a connection.", &latencies.connection_wait),
        ] {
            families.push(histogram(name, help, latency));
        }
    });
    families.retain(|family| !family.get_metric().is_empty()); // the encoder takes a family without samples for a mistake
    families
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn counter(name: &str, help: &str, samples: Vec<(Vec<(&str, String)>, u64)>) -> MetricFamily {
    let metrics = samples.into_iter().map(|(labels, count)| {
        let pairs = labels.into_iter().map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value);
            pair
        });
        let mut metric = Metric::from_label(pairs.collect());
        let mut counter = Counter::default();
        counter.set_value(count as f64);
        metric.set_counter(counter);
        metric
    });
    family(name, help, MetricType::COUNTER, metrics.collect())
}

/// What the whole process has used, under the name that every process exports it by.
fn processor_time() -> Option<MetricFamily> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let spent = usage.user_time() + usage.system_time();
    let mut metric = Metric::default();
    let mut counter = Counter::default();
    counter.set_value(spent.num_microseconds() as f64 / 1e6);
    metric.set_counter(counter);
    let help = "Processor time of the generator, user and system, in seconds.";
    Some(family("process_cpu_seconds_total", help, MetricType::COUNTER, vec![metric]))
}

fn gauge(name: &str, help: &str, value: f64) -> MetricFamily {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    family(name, help, MetricType::GAUGE, vec![Metric::from_gauge(gauge)])
}

fn histogram(name: &str, help: &str, nanos: &Histogram<u64>) -> MetricFamily {
    let mut shown = prometheus::proto::Histogram::default();
    let mut buckets = Vec::with_capacity(BOUNDS.len());
    let (mut below, mut before) = (0, 0);
    for bound in BOUNDS {
        let nano = (bound * 1e9) as u64;
        below += nanos.count_between(before, nano);
        before = nanos.next_non_equivalent(nano);
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(below);
        buckets.push(bucket);
    }
    shown.set_bucket(buckets);
    shown.set_sample_count(nanos.len());
    shown.set_sample_sum(nanos.mean() * nanos.len() as f64 / 1e9);
    let mut metric = Metric::default();
    metric.set_histogram(shown);
    family(name, help, MetricType::HISTOGRAM, vec![metric])
}

/// Serves `/metrics` until dropped; what it shows is put in from outside, so that a scrape costs the run nothing but the
/// reading of its counts.
#[derive(Debug)]
pub struct Exposition {
    /// Where it listens.
    pub address: SocketAddr,
    shown: Arc<Mutex<String>>,
    handle: ServerHandle,
}

impl Exposition {
    /// Needs a running tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound: a sentence that names it and who has it.
    pub fn start(address: SocketAddr) -> Result<Self, LoadError> {
        let bad = |error: io::Error| LoadError::Listen(format!("--prometheus-addr {address}: {error}"));
        let listener = listen::bind(address, "--prometheus-addr")
            .map_err(|error| LoadError::Listen(error.to_string()))?;
        let address = listener.local_addr().map_err(bad)?;
        let shown = Arc::new(Mutex::new(String::new()));
        let data = Data::new(Arc::clone(&shown));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).route("/metrics", web::get().to(metrics))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .listen(listener)
        .map_err(bad)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, shown, handle })
    }

    /// What is shown from now on.
    pub fn show(&self, text: String) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Ends it, with what is being answered.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

async fn metrics(shown: Data<Arc<Mutex<String>>>) -> HttpResponse {
    let text = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let mut answer = HttpResponse::Ok();
    match kind.parse() {
        Ok(kind) => answer.insert_header(ContentType(kind)),
        Err(_) => answer.insert_header(ContentType::plaintext()), // it is a valid one
    };
    answer.body(text)
}
