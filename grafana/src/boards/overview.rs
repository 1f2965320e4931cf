//! The gateway at a glance.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "rx580-api-overview",
        title: "API Overview",
        description: "The gateway at a glance: traffic, errors and latency. Alerts about the API link here.",
        refresh: "5s",
        from: "now-15m",
        offered: "http_requests_total",
        rows: Vec::new(),
    }
    .row(
        "",
        5,
        vec![
            Panel::stat("Request rate", "reqps", 6, "Requests per second. HighRequestRate fires above 100.")
                .query(
                    "requests",
                    r#"sum(rate(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval]))"#,
                )
                .steps(&[(100.0, "yellow")]),
            Panel::stat(
                "Error rate",
                "percentunit",
                6,
                "Share of requests with a 5xx response. HighErrorRate fires above 5 %, CriticalErrorRate above 10 %.",
            )
            .query(
                "5xx",
                r#"sum(rate(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])) / (sum(rate(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])) > 0)"#,
            )
            .steps(&[(0.02, "yellow"), (0.05, "red")]),
            Panel::stat(
                "P95 latency",
                "s",
                6,
                "95th percentile of the response time. HighLatency fires above 100 ms, VeryHighLatency above 500 ms.",
            )
            .query(
                "P95",
                r#"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])))"#,
            )
            .steps(&[(0.1, "yellow"), (0.5, "red")]),
            Panel::stat("Models loaded", "short", 6, "Loaded models on the selected instances.")
                .query("models", r#"sum(models_loaded{job=~"$job",instance=~"$instance"})"#),
        ],
    )
    .row(
        "",
        9,
        vec![
            Panel::stacked("Request rate by status class", "reqps", 12, "Responses per second by the first digit of their status.")
                .query(
                    "{{class}}",
                    r#"sum by (class) (label_replace(rate(http_requests_total{job=~"$job",instance=~"$instance"}[$__rate_interval]), "class", "${1}xx", "status", "(.).."))"#,
                )
                .color("2xx", "green")
                .color("3xx", "blue")
                .color("4xx", "yellow")
                .color("5xx", "red"),
            Panel::lines(
                "Response latency percentiles",
                "s",
                12,
                "50th, 95th and 99th percentile of the response time.",
            )
            .query(
                "P50",
                r#"histogram_quantile(0.50, sum by (le) (rate(http_request_duration_seconds_bucket{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])))"#,
            )
            .query(
                "P95",
                r#"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])))"#,
            )
            .query(
                "P99",
                r#"histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])))"#,
            ),
        ],
    )
}
