//! Live metrics in the Prometheus text format, and the server that exposes them (`--prometheus-addr`).

use crate::error::LoadError;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use prometheus::proto::{Bucket, Metric, MetricFamily, MetricType};
use prometheus::{Counter, Gauge, IntCounterVec, Opts, Registry, TextEncoder};

use crate::engine::Running;
use crate::record::window::NAMES;
use crate::schedule::pace::Pace;
use crate::verdict::threshold::Measured;
use crate::wire::error::Fault;
use common::listen;

/// Upper bounds of the latency buckets, in seconds.
const BOUNDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// HELP texts of the latencies, in the order of [`NAMES`].
const HELP: [&str; 4] = [
    "Time from when a request was due to the end of its response, in seconds.",
    "Time from a request's first byte to the end of its response, in seconds.",
    "Delay between when a request was due and when the generator dispatched it, in seconds.",
    "Time a request waited for a connection, in seconds.",
];

/// The current metrics.
///
/// # Errors
/// When a metric cannot be registered or encoded.
pub fn text(running: &Running) -> Result<String, prometheus::Error> {
    let registry = Registry::new();
    register(&registry, running)?;
    let mut families = registry.gather();
    running.measured(|Measured { latencies, .. }| {
        let shown = NAMES.into_iter().zip(HELP).zip(latencies.each());
        families.extend(shown.map(|(((name, _), help), latency)| histogram(name, help, latency)));
    });
    TextEncoder::new().encode_to_string(&families)
}

fn register(registry: &Registry, running: &Running) -> Result<(), prometheus::Error> {
    let counter = |name, help, count| {
        let counter = Counter::new(name, help)?;
        counter.inc_by(count);
        registry.register(Box::new(counter))
    };
    let gauge = |name, help, value| {
        let gauge = Gauge::new(name, help)?;
        gauge.set(value);
        registry.register(Box::new(gauge))
    };
    let by = |name, help, label, samples: &mut dyn Iterator<Item = (String, u64)>| {
        let counters = IntCounterVec::new(Opts::new(name, help), &[label])?;
        samples.for_each(|(value, count)| counters.with_label_values(&[value]).inc_by(count));
        registry.register(Box::new(counters))
    };
    let (counts, faults, elapsed) = (running.counts(), running.faults(), running.elapsed().as_secs_f64());
    counter("loadgen_scheduled_total", "Scheduled requests.", counts.scheduled as f64)?;
    let outcomes = [
        ("expected", counts.expected),
        ("unexpected", counts.unexpected),
        ("transport_error", counts.transport_errors),
        ("local_error", counts.local_errors),
        ("shed", counts.shed),
    ];
    by(
        "loadgen_requests_total",
        "Completed requests by outcome.",
        "outcome",
        &mut outcomes.into_iter().map(|(outcome, count)| (outcome.to_owned(), count)),
    )?;
    let statuses = running.statuses();
    let statuses = &mut statuses.into_iter().map(|(status, count)| (status.to_string(), count));
    by("loadgen_responses_total", "Responses by status.", "status", statuses)?;
    // Every kind is exported from the start, so that increase() sees the first error.
    let count = |fault: Fault| (fault.name().to_owned(), faults.get(&fault).copied().unwrap_or(0));
    let kinds = &mut Fault::ALL.into_iter().map(count);
    by("loadgen_errors_total", "Requests without a response by kind.", "kind", kinds)?;
    gauge("loadgen_in_flight", "Requests in flight.", counts.in_flight as f64)?;
    gauge("loadgen_elapsed_seconds", "Time since the start of the run, in seconds.", elapsed)?;
    // The conventional process metric covers all threads.
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
        let spent = (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6;
        let help = "Total user and system CPU time spent in seconds.";
        counter("process_cpu_seconds_total", help, spent)?;
    }
    if let Pace::Open { schedule, .. } = &running.plan().pace {
        let help = "Current target rate of the schedule, in requests per second.";
        gauge("loadgen_target_rate", help, schedule.rate_at(elapsed))?;
    }
    Ok(())
}

/// Converts a finished histogram. The library's own histograms can only observe single values.
fn histogram(name: &str, help: &str, nanos: &Histogram<u64>) -> MetricFamily {
    let (mut below, mut before) = (0, 0);
    let buckets = BOUNDS.map(|bound| {
        let nano = (bound * 1e9) as u64;
        below += nanos.count_between(before, nano);
        before = nanos.next_non_equivalent(nano);
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(below);
        bucket
    });
    let mut shown = prometheus::proto::Histogram::default();
    shown.set_bucket(buckets.into());
    shown.set_sample_count(nanos.len());
    shown.set_sample_sum(nanos.mean() * nanos.len() as f64 / 1e9);
    let mut metric = Metric::default();
    metric.set_histogram(shown);
    let mut family = MetricFamily::default();
    family.set_name(format!("loadgen_{name}_seconds"));
    family.set_help(help.to_owned());
    family.set_field_type(MetricType::HISTOGRAM);
    family.set_metric(vec![metric]);
    family
}

/// Serves `/metrics` until dropped. The text is updated by the caller, so that a scrape does not slow down the run.
#[derive(Debug)]
pub struct Exposition {
    /// The listen address.
    pub address: SocketAddr,
    shown: Arc<Mutex<String>>,
    handle: ServerHandle,
}

impl Exposition {
    /// Starts the server. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
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

    /// Sets the exposed text.
    pub fn show(&self, text: String) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// Stops the server and closes its connections.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

async fn metrics(shown: Data<Arc<Mutex<String>>>) -> HttpResponse {
    let text = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}
