//! Alerts, their notifications, and the last proof of each.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-alerts",
        title: "Alerts and drills",
        description: "Pending and firing alerts, sent and received notifications, and what drills have proven.",
        refresh: "10s",
        from: "now-1h",
        offered: r#"up{job=~"prometheus|alertmanager|inbox|loadgen"}"#,
        rows: Vec::new(),
    }
    .row(
        "Alerts",
        10,
        vec![
            Panel::states(
                "Alert states",
                16,
                "Yellow: the condition holds and `for` is running. Red: firing. Excludes the Watchdog, which always fires.",
            )
            .query(
                "{{alertname}} {{severity}}",
                r#"max by (alertname, severity) (ALERTS{alertstate="pending",severity!="none"}) unless on (alertname, severity) ALERTS{alertstate="firing"} or 2 * max by (alertname, severity) (ALERTS{alertstate="firing",severity!="none"})"#,
            )
            .word("1", "pending", "yellow")
            .word("2", "firing", "red"),
            Panel::table("Firing since", "dateTimeFromNow", 8, "Alerts firing now, with their start.")
                .query(
                    "{{alertname}}",
                    r#"1000 * max by (alertname, severity, service) (ALERTS_FOR_STATE{severity!="none"}) and on (alertname) ALERTS{alertstate="firing"}"#,
                )
                .hide(&["Time"]),
        ],
    )
    .row(
        "",
        5,
        vec![
            Panel::stat("Firing now", "short", 6, "Firing alerts except the Watchdog.")
                .query("firing", r#"count(ALERTS{alertstate="firing",severity!="none"}) or vector(0)"#)
                .steps(&[(1.0, "red")]),
            Panel::stat("Heartbeat", "bool_on_off", 6, "On while the Watchdog alert fires, which shows that Prometheus evaluates rules.")
                .query("Watchdog", r#"count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)"#)
                .steps(&[(1.0, "green")])
                .bad_below(),
            Panel::stat(
                "Rules failing",
                "short",
                6,
                "Failed rule evaluations in the selected time range. RuleEvaluationFailing fires on any failure.",
            )
            .query(
                "failures",
                r#"sum(increase(prometheus_rule_evaluation_failures_total{job=~"$job",instance=~"$instance"}[$__range]))"#,
            )
            .steps(&[(1.0, "red")]),
            Panel::stat("Silences", "short", 6, "Active silences. Matching alerts are not delivered.").query(
                "active",
                r#"sum(alertmanager_silences{job=~"$job",instance=~"$instance",state="active"})"#,
            ),
        ],
    )
    .row(
        "Notifications",
        8,
        vec![
            Panel::lines("Sent by channel", "ops", 8, "Notifications sent by Alertmanager per second.").query(
                "{{integration}}",
                r#"sum by (integration) (rate(alertmanager_notifications_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines("Failed by channel", "ops", 8, "Failed notifications per second. NotificationsFailing fires on any failure.").query(
                "{{integration}}",
                r#"sum by (integration) (rate(alertmanager_notifications_failed_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::bars("Received by the inbox", "short", 8, "Notifications received in the selected time range by channel and status.").query(
                "{{channel}} {{status}}",
                r#"sum by (channel, status) (increase(inbox_notifications_total{job=~"$job",instance=~"$instance"}[$__range])) > 0"#,
            ),
        ],
    )
    .row(
        "Drills",
        12,
        vec![
            Panel::stat(
                "Proofs within 30 days",
                "percentunit",
                4,
                "Share of recorded proofs, one per drill, that are less than 30 days old. AlertNotProven fires for the others. Alerts \
                 without a proof are not in the metrics; `loadgen coverage` lists them.",
            )
            .query(
                "proven",
                r#"(count(drill_last_proven_timestamp_seconds{job=~"$job",instance=~"$instance"} > time() - 30 * 86400) or vector(0)) / count(drill_last_proven_timestamp_seconds{job=~"$job",instance=~"$instance"})"#,
            )
            .steps(&[(1.0, "green")])
            .bad_below()
            .up_to(1.0),
            Panel::stat(
                "Alerts ever proven",
                "short",
                3,
                "Number of alerts with a recorded proof of any age. `loadgen coverage` reports the total.",
            )
            .query(
                "alerts",
                r#"count(count by (alert) (drill_last_proven_timestamp_seconds{job=~"$job",instance=~"$instance"}))"#,
            ),
            Panel::bars(
                "Phases against their bounds",
                "percentunit",
                9,
                "Duration of each phase relative to its bound in the last proof. Above 100 % the drill would have been LATE.",
            )
            .query(
                "{{drill}} {{phase}}",
                r#"max by (alert, drill, phase) (drill_phase_seconds{job=~"$job",instance=~"$instance"}) / max by (alert, drill, phase) (drill_bound_seconds{job=~"$job",instance=~"$instance"})"#,
            )
            .steps(&[(0.8, "yellow"), (1.0, "red")])
            .up_to(1.2),
            Panel::table("Last proven", "dateTimeFromNow", 8, "Time of each drill's last proof.")
                .query(
                    "{{alert}} {{drill}}",
                    r#"1000 * max by (alert, drill) (drill_last_proven_timestamp_seconds{job=~"$job",instance=~"$instance"})"#,
                )
                .hide(&["Time"]),
        ],
    )
}
