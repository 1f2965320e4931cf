//! The error budget of the objective: 99.5 % of requests without a server error, over 30 days.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-error-budget",
        title: "Error budget",
        description: "The objective is 99.5 % of requests without a server error over 30 days. The budget is the \
                      other 0.5 %; a burn rate of 1 uses it up in exactly 30 days.",
        refresh: "30s",
        from: "now-6h",
        offered: "http_requests_total",
        rows: Vec::new(),
    }
    .row(
        "",
        6,
        vec![
            Panel::gauge("Budget left", "percentunit", 8, "Remaining share of the budget of the last 30 days. Below 0 the objective is missed.")
                .query(
                    "left",
                    r#"1 - (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[30d])) / (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[30d])) > 0)) / 0.005"#,
                )
                .steps(&[(0.0, "yellow"), (0.25, "green")])
                .bad_below()
                .up_to(1.0),
            Panel::stat("Availability", "percentunit", 8, "Share of requests without a server error in the last 30 days.")
                .query(
                    "without 5xx",
                    r#"1 - sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[30d])) / (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[30d])) > 0)"#,
                )
                .steps(&[(0.995, "green")])
                .bad_below(),
            Panel::stat("Failed requests", "short", 8, "Requests with a server error in the last 30 days.")
                .query(
                    "5xx",
                    r#"sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[30d]))"#,
                ),
        ],
    )
    .row(
        "",
        9,
        vec![
            Panel::lines(
                "Burn rate",
                "none",
                16,
                "Ratio of the error rate to the rate that uses the budget in exactly 30 days, over four windows. The fast alert fires when 5 \
                 minutes and 1 hour are above 14.4, the slow one when 30 minutes and 6 hours are above 6.",
            )
            .query(
                "5 minutes",
                r#"sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[5m])) / (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[5m])) > 0) / 0.005"#,
            )
            .query(
                "30 minutes",
                r#"sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[30m])) / (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[30m])) > 0) / 0.005"#,
            )
            .query(
                "1 hour",
                r#"sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[1h])) / (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[1h])) > 0) / 0.005"#,
            )
            .query(
                "6 hours",
                r#"sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[6h])) / (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",route!~"/health|/livez|/readyz|/metrics"}[6h])) > 0) / 0.005"#,
            )
            .steps(&[(6.0, "yellow"), (14.4, "red")])
            .marked(),
            Panel::bars("Budget use by route", "percentunit", 8, "Share of the server errors in the selected time range by route.").query(
                "{{route}}",
                r#"sum by (route) (increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[$__range])) / on () group_left () (sum(increase(http_requests_total{job=~"$job",instance=~"$instance",status=~"5..",route!~"/health|/livez|/readyz|/metrics"}[$__range])) > 0)"#,
            )
            .up_to(1.0),
        ],
    )
}
