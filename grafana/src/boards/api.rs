//! The gateway in detail.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-api",
        title: "API Monitoring Dashboard",
        description: "The gateway as clients experience it, by endpoint. Excludes probes and /metrics.",
        refresh: "5s",
        from: "now-30m",
        offered: "http_requests_total",
        rows: Vec::new(),
    }
    .row(
        "",
        8,
        vec![
            Panel::lines(
                "Request rate by method and route",
                "reqps",
                16,
                "Requests per second by active endpoint. Routes are templates; all unmatched paths share one line.",
            )
            .query(
                "{{method}} {{route}}",
                r#"sum by (method, route) (rate(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])) > 0"#,
            ),
            Panel::gauge(
                "Active requests",
                "short",
                8,
                "Requests in progress at the last scrape: up to 2 is normal, more than 5 means slow responses or \
                 a burst of requests. HighInFlight fires above 10.",
            )
            .query(
                "in progress",
                r#"sum(http_requests_in_progress{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"})"#,
            )
            .steps(&[(2.0, "yellow"), (5.01, "red")])
            .up_to(10.0),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::lines(
                "Latency percentiles",
                "s",
                12,
                "50th, 95th and 99th percentile of the response time. HighLatency fires when P95 is above 100 ms.",
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
            Panel::lines(
                "Error rate",
                "percentunit",
                12,
                "Share of requests with a 5xx response. Below 2 % is normal; HighErrorRate fires above 5 %. Empty without \
                 traffic.",
            )
            .query(
                "5xx",
                r#"sum(rate(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])) / (sum(rate(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])) > 0)"#,
            )
            .steps(&[(0.02, "yellow"), (0.05, "red")])
            .marked(),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::stacked(
                "Requests by status class",
                "reqps",
                12,
                "Responses per second by the first digit of their status. 429 is part of 4xx.",
            )
            .query(
                "{{class}}",
                r#"sum by (class) (label_replace(rate(http_requests_total{job=~"$job",instance=~"$instance"}[$__rate_interval]), "class", "${1}xx", "status", "(.).."))"#,
            )
            .color("2xx", "green")
            .color("3xx", "blue")
            .color("4xx", "yellow")
            .color("5xx", "red"),
            Panel::lines(
                "Errors by type",
                "ops",
                12,
                "Error responses per second by kind of error.",
            )
            .query(
                "{{error_type}}",
                r#"sum by (error_type) (rate(api_errors_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::pie(
                "Requests by endpoint",
                "short",
                12,
                "Requests in the selected time range by endpoint.",
            )
            .query(
                "{{route}}",
                r#"sum by (route) (increase(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__range])) > 0"#,
            ),
            Panel::bars(
                "Mean latency by endpoint",
                "s",
                12,
                "Current mean response time of active endpoints.",
            )
            .query(
                "{{route}}",
                r#"sum by (route) (rate(http_request_duration_seconds_sum{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])) / (sum by (route) (rate(http_request_duration_seconds_count{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[$__rate_interval])) > 0)"#,
            )
            .steps(&[(0.1, "yellow"), (0.5, "red")]),
        ],
    )
}
