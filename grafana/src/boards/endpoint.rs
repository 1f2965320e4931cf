//! One endpoint, or some: rate, errors, duration and saturation.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-endpoint",
        title: "Endpoint",
        description: "Rate, errors, latency and saturation of the routes chosen above, and traffic by hour and country.",
        refresh: "10s",
        from: "now-30m",
        offered: "http_requests_total",
        rows: Vec::new(),
    }
    .row(
        "",
        8,
        vec![
            Panel::stacked("Rate", "reqps", 12, "Requests per second of the chosen routes, by method and status.")
            .query(
                "{{method}} {{status}}",
                r#"sum by (method, status) (rate(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route"}[$__rate_interval]))"#,
            ),
            Panel::lines("Errors", "percentunit", 12, "Share of 5xx and of 4xx responses of each chosen route.")
            .query(
                "5xx {{route}}",
                r#"sum by (route) (rate(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route",status=~"5.."}[$__rate_interval])) / (sum by (route) (rate(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route"}[$__rate_interval])) > 0)"#,
            )
            .query(
                "4xx {{route}}",
                r#"sum by (route) (rate(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route",status=~"4.."}[$__rate_interval])) / (sum by (route) (rate(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route"}[$__rate_interval])) > 0)"#,
            )
            .up_to(1.0),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::lines("Percentiles", "s", 12, "50th, 95th and 99th percentile of the response time of the chosen routes.")
            .query(
                "P50",
                r#"histogram_quantile(0.50, sum by (le) (rate(http_request_duration_seconds_bucket{job=~"$job",instance=~"$instance",route=~"$route"}[$__rate_interval])))"#,
            )
            .query(
                "P95",
                r#"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{job=~"$job",instance=~"$instance",route=~"$route"}[$__rate_interval])))"#,
            )
            .query(
                "P99",
                r#"histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{job=~"$job",instance=~"$instance",route=~"$route"}[$__rate_interval])))"#,
            ),
            Panel::lines("Saturation", "short", 6, "Requests of the chosen routes in progress at the last scrape.")
            .query(
                "{{method}} {{route}}",
                r#"sum by (method, route) (http_requests_in_progress{job=~"$job",instance=~"$instance",route=~"$route"})"#,
            ),
            Panel::lines(
                "Refused by a limit",
                "reqps",
                6,
                "Requests per second of the chosen routes that got 429, because the caller exceeded its quota.",
            )
            .query(
                "{{route}}",
                r#"sum by (route) (rate(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route",status="429"}[$__rate_interval]))"#,
            ),
        ],
    )
    .row(
        "Patterns",
        8,
        vec![
            Panel::lines(
                "Requests by hour",
                "short",
                12,
                "Requests to the chosen routes in the last hour, and in the same hour a week ago. Choose a range of days.",
            )
            .query(
                "last hour",
                r#"sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route"}[1h]))"#,
            )
            .query(
                "a week ago",
                r#"sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route=~"$route"}[1h] offset 1w))"#,
            ),
            Panel::bars(
                "Requests by country",
                "short",
                12,
                "Requests in the selected time range by the country that the proxy names. Empty without COUNTRY_HEADER.",
            )
            .query(
                "{{country}}",
                r#"sum by (country) (increase(requests_by_country_total{job=~"$job",instance=~"$instance"}[$__range]))"#,
            ),
        ],
    )
}
