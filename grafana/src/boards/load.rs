//! A run of the load generator while it runs.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-load",
        title: "Load generator",
        description: "A run of `loadgen run --prometheus-addr` while it runs: what was planned, what was sent, what came back, and \
                      whether the generator itself kept up.",
        refresh: "5s",
        from: "now-15m",
        offered: "loadgen_target_rate",
        rows: Vec::new(),
    }
    .row(
        "",
        8,
        vec![
            Panel::lines("Planned and achieved rate", "reqps", 12, "Requests a second that the schedule asks for and that were sent.")
                .ask("planned", r#"sum(loadgen_target_rate{job=~"$job",instance=~"$instance"})"#)
                .ask(
                    "achieved",
                    r#"sum(rate(loadgen_requests_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
                ),
            Panel::lines("In flight", "short", 6, "Requests sent and not yet answered.")
                .ask("{{instance}}", r#"loadgen_in_flight{job=~"$job",instance=~"$instance"}"#),
            Panel::stacked(
                "Outcomes",
                "reqps",
                6,
                "Requests a second by what became of them. Local errors and shed ones never reached the target.",
            )
            .ask(
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
                "From when a request was due to when its answer was complete: what a user would have felt.",
            )
            .ask(
                "P50",
                r#"histogram_quantile(0.50, sum by (le) (rate(loadgen_response_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .ask(
                "P95",
                r#"histogram_quantile(0.95, sum by (le) (rate(loadgen_response_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .ask(
                "P99",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_response_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            ),
            Panel::lines(
                "Its parts",
                "s",
                12,
                "99 % were shorter. Service time is the target's; pacer lag is the generator's own fault; connection wait is a limit on \
                 connections or back-pressure.",
            )
            .ask(
                "service time",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_service_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .ask(
                "pacer lag",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_pacer_lag_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .ask(
                "connection wait",
                r#"histogram_quantile(0.99, sum by (le) (rate(loadgen_connection_wait_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            ),
        ],
    )
    .row(
        "",
        7,
        vec![
            Panel::stacked("Answers by status", "reqps", 12, "Answers a second, by status.").ask(
                "{{status}}",
                r#"sum by (status) (rate(loadgen_responses_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines("Processor of the generator", "short", 12, "Cores it keeps busy. A generator short of processor is no judge of others.").ask(
                "{{instance}}",
                r#"rate(process_cpu_seconds_total{job=~"$job",instance=~"$instance"}[$__rate_interval]) and on (instance) loadgen_target_rate{job=~"$job",instance=~"$instance"}"#,
            ),
        ],
    )
}
