//! A running load generator.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-load",
        title: "Load generator",
        description: "A running `loadgen run --prometheus-addr`: planned and sent requests, responses, and \
                      whether the generator keeps up.",
        refresh: "5s",
        from: "now-15m",
        offered: "loadgen_target_rate",
        rows: Vec::new(),
    }
    .row(
        "",
        8,
        vec![
            Panel::lines("Planned and achieved rate", "reqps", 12, "Scheduled and sent requests per second.")
                .query("planned", r#"sum(loadgen_target_rate{job=~"$job",instance=~"$instance"})"#)
                .query(
                    "achieved",
                    r#"sum(rate(loadgen_requests_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
                ),
            Panel::lines("In flight", "short", 6, "Requests sent and waiting for a response.")
                .query("{{instance}}", r#"loadgen_in_flight{job=~"$job",instance=~"$instance"}"#),
            Panel::stacked(
                "Outcomes",
                "reqps",
                6,
                "Requests per second by outcome. Local errors and shed requests never reached the target.",
            )
            .query(
                "{{outcome}}",
                r#"sum by (outcome) (rate(loadgen_requests_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::lines(
                "Response time",
                "s",
                12,
                "Time from the scheduled start of a request to its complete response, as a user would experience it.",
            )
            .query(
                "P50",
                r#"histogram_quantile(0.50, sum by (le) (rate(loadgen_response_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .query(
                "P95",
                r#"histogram_quantile(0.95, sum by (le) (rate(loadgen_response_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .query(
                "P99",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_response_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            ),
            Panel::lines(
                "Parts of the response time",
                "s",
                12,
                "99th percentiles. Service time is spent in the target; pacer lag in the generator; connection wait means a limit on \
                 connections or back-pressure.",
            )
            .query(
                "service time",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_service_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .query(
                "pacer lag",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_pacer_lag_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .query(
                "connection wait",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_connection_wait_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            ),
        ],
    )
    .row(
        "",
        7,
        vec![
            Panel::stacked("Responses by status", "reqps", 12, "Responses per second by status.").query(
                "{{status}}",
                r#"sum by (status) (rate(loadgen_responses_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines("CPU of the generator", "short", 12, "CPU cores used by the generator. Measurements of a saturated generator are not reliable.").query(
                "{{instance}}",
                r#"rate(process_cpu_seconds_total{job=~"$job",instance=~"$instance"}[$__rate_interval]) and on (instance) loadgen_target_rate{job=~"$job",instance=~"$instance"}"#,
            ),
        ],
    )
}
