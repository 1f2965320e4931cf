//! `http_requests_total` and `http_request_duration_seconds`: `actix-web-prom` counts, this module adds what it misses.
//!
//! The middleware counts every response. Its counters are private, so a second set of the same two families holds what
//! the middleware cannot do, and both are merged at exposition:
//!
//! * series that exist at zero before their first request (a counter that starts at 50 has no `increase`);
//! * requests whose client disconnected (499), for which there is no response;
//! * requests whose handler panicked (500), which have none either.
//!
//! Ordinary requests never touch the second set.

use crate::routes;
use actix_web_prom::{
    ActixMetricsConfiguration, LabelsConfiguration, PrometheusMetrics, PrometheusMetricsBuilder,
};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, proto::MetricFamily};
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

    /// Both families, with the counts of layer and complement merged.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        let mut families = self.middleware.registry.gather();
        for extra in self.complement.gather() {
            match families.iter_mut().find(|family| family.name() == extra.name()) {
                Some(family) => merge(family, extra),
                None => families.push(extra),
            }
        }
        families
    }

    fn start_at_zero(&self) {
        let zero = |route: &str, method: &str, status: &str| {
            self.requests.with_label_values(&[route, method, status]);
        };
        for endpoint in routes::ALL {
            for method in endpoint.methods {
                let success = match *method {
                    "POST" if endpoint.path == routes::INGEST.path => "202",
                    "POST" if endpoint.path == routes::INFERENCE.path => {
                        zero(endpoint.path, method, "504");
                        "200"
                    }
                    "POST" => "201",
                    "DELETE" => "204",
                    _ => "200",
                };
                for status in [success, "500", "503"] {
                    zero(endpoint.path, method, status);
                }
                // Latency alerts exclude HEAD.
                if *method != "HEAD" {
                    self.duration.with_label_values(&[endpoint.path, method, success]);
                }
                if endpoint.limited {
                    zero(endpoint.path, method, "429");
                }
            }
        }
        zero(routes::UNMATCHED, "GET", "404");
        zero(routes::UNMATCHED, "GET", "429");
    }
}

/// Adds `extra` to `family`: series with equal labels are summed, others appended.
fn merge(family: &mut MetricFamily, mut extra: MetricFamily) {
    for metric in extra.take_metric() {
        let same = family.mut_metric().iter_mut().find(|known| known.get_label() == metric.get_label());
        match same {
            Some(known) if family_is_counter(&extra) => {
                let mut counter = known.get_counter().clone();
                counter.set_value(counter.get_value() + metric.get_counter().get_value());
                known.set_counter(counter);
            }
            Some(known) => add_histogram(known, &metric),
            None => family.mut_metric().push(metric),
        }
    }
}

fn family_is_counter(family: &MetricFamily) -> bool {
    family.get_field_type() == prometheus::proto::MetricType::COUNTER
}

/// Sums two histograms with equal buckets.
fn add_histogram(into: &mut prometheus::proto::Metric, from: &prometheus::proto::Metric) {
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
