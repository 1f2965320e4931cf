//! `http_requests_total` and `http_request_duration_seconds`: `actix-web-prom` counts, this module adds what it misses.
//!
//! The middleware counts every response. Its counters are private, so a second set of the same two families holds what
//! the middleware cannot do, and both are merged at exposition:
//!
//! * server errors that exist at zero before the first of them, because alerts watch them and a counter that starts at
//!   50 has no `increase`;
//! * requests whose client disconnected (499), for which there is no response;
//! * requests whose handler panicked (500), which have none either.
//!
//! Ordinary requests never touch the second set. The middleware labels durations by status too; the exposition sums
//! over it, because a histogram for each status multiplies the size of a scrape and the counter has the statuses.

use crate::routes;
use actix_web_prom::{
    ActixMetricsConfiguration, LabelsConfiguration, PrometheusMetrics, PrometheusMetricsBuilder,
};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry,
    proto::{Metric, MetricFamily, MetricType},
};
use std::time::Duration;

/// Name of the request counter.
pub(crate) const REQUESTS: &str = "http_requests_total";
const DURATION: &str = "http_request_duration_seconds";
// In the order in which actix-web-prom fills them.
const LABELS: &[&str] = &["route", "method", "status"];

/// Upper bounds in seconds.
const BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The two request families.
#[derive(Clone)]
pub(crate) struct HttpMetrics {
    middleware: PrometheusMetrics,
    complement: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
}

impl HttpMetrics {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let middleware = PrometheusMetricsBuilder::new("")
            .registry(Registry::new())
            .buckets(BUCKETS)
            .mask_unmatched_patterns(routes::UNMATCHED)
            .metrics_configuration(
                ActixMetricsConfiguration::default()
                    .http_requests_total_name(REQUESTS)
                    .http_requests_duration_seconds_name(DURATION)
                    .labels(
                        LabelsConfiguration::default().endpoint("route").method("method").status("status"),
                    ),
            )
            .build()?;
        let complement = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new(REQUESTS, "Completed HTTP requests by route, method and status."),
            LABELS,
        )?;
        let duration = HistogramVec::new(
            HistogramOpts::new(DURATION, "Duration of HTTP requests in seconds.").buckets(BUCKETS.to_vec()),
            LABELS,
        )?;
        complement.register(Box::new(requests.clone()))?;
        complement.register(Box::new(duration.clone()))?;
        let metrics = Self { middleware, complement, requests, duration };
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// The counting layer.
    pub(crate) fn layer(&self) -> PrometheusMetrics {
        self.middleware.clone()
    }

    /// Counts a request for which the layer saw no response.
    pub(crate) fn record_without_response(&self, route: &str, method: &str, status: &str, took: Duration) {
        self.requests.with_label_values(&[route, method, status]).inc();
        self.duration.with_label_values(&[route, method, status]).observe(took.as_secs_f64());
    }

    /// Both families, with the counts of layer and complement merged and the durations summed over statuses.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        let mut families = self.middleware.registry.gather();
        for extra in self.complement.gather() {
            match families.iter_mut().find(|family| family.name() == extra.name()) {
                Some(family) => merge(family, extra),
                None => families.push(extra),
            }
        }
        for family in families.iter_mut().filter(|family| family.name() == DURATION) {
            let by_status = family.take_metric();
            for mut metric in by_status {
                let labels = metric.take_label().into_iter().filter(|label| label.name() != "status");
                metric.set_label(labels.collect());
                add(family, metric);
            }
        }
        families
    }

    /// Only the server errors of known routes: alerts watch no other status.
    fn start_at_zero(&self) {
        for endpoint in routes::ALL {
            for method in endpoint.methods {
                let timeout = (endpoint.path == routes::INFERENCE.path && *method == "POST").then_some("504");
                for status in ["500", "503"].into_iter().chain(timeout) {
                    self.requests.with_label_values(&[endpoint.path, method, status]);
                }
            }
        }
    }
}

/// Adds the series of `extra` to `family`.
fn merge(family: &mut MetricFamily, mut extra: MetricFamily) {
    for metric in extra.take_metric() {
        add(family, metric);
    }
}

/// Adds a series to `family`: summed with the one of equal labels, else appended.
fn add(family: &mut MetricFamily, metric: Metric) {
    let counter = family.get_field_type() == MetricType::COUNTER;
    let same = family.mut_metric().iter_mut().find(|known| known.get_label() == metric.get_label());
    match same {
        Some(known) if counter => {
            let mut sum = known.get_counter().clone();
            sum.set_value(sum.get_value() + metric.get_counter().get_value());
            known.set_counter(sum);
        }
        Some(known) => add_histogram(known, &metric),
        None => family.mut_metric().push(metric),
    }
}

/// Sums two histograms with equal buckets.
fn add_histogram(into: &mut Metric, from: &Metric) {
    let (mut sum, other) = (into.get_histogram().clone(), from.get_histogram());
    let buckets = sum
        .get_bucket()
        .iter()
        .zip(other.get_bucket())
        .map(|(a, b)| {
            let mut bucket = a.clone();
            bucket.set_cumulative_count(a.cumulative_count() + b.cumulative_count());
            bucket
        })
        .collect();
    sum.set_bucket(buckets);
    sum.set_sample_count(sum.get_sample_count() + other.get_sample_count());
    sum.set_sample_sum(sum.get_sample_sum() + other.get_sample_sum());
    into.set_histogram(sum);
}
