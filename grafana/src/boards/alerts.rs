//! Alerts, where they went, and when each was last proven.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-alerts",
        title: "Alerts and drills",
        description: "What is pending and firing, what was sent and received, and what drills have proven.",
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
                "Yellow: the condition holds and `for` is running. Red: firing. The Watchdog, which always fires, is left out.",
            )
            .ask(
                "{{alertname}} {{severity}}",
                r#"max by (alertname, severity) (ALERTS{alertstate="pending",severity!="none"}) unless on (alertname, severity) ALERTS{alertstate="firing"} or 2 * max by (alertname, severity) (ALERTS{alertstate="firing",severity!="none"})"#,
            )
            .word("1", "pending", "yellow")
            .word("2", "firing", "red"),
            Panel::table("Firing since", "dateTimeFromNow", 8, "Alerts that hold at this moment, and when each began to.")
                .ask(
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
            Panel::stat("Firing now", "short", 6, "Alerts firing, the Watchdog left out.")
                .ask("firing", r#"count(ALERTS{alertstate="firing",severity!="none"}) or vector(0)"#)
                .steps(&[(1.0, "red")]),
            Panel::stat("Heartbeat", "bool_on_off", 6, "On while the Watchdog fires: rules are evaluated and alerts can be sent.")
                .ask("Watchdog", r#"count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)"#)
                .steps(&[(1.0, "green")])
                .bad_below(),
            Panel::stat(
                "Rules failing",
                "short",
                6,
                "Evaluations of rules that failed in the time shown. RuleEvaluationFailing fires on any.",
            )
            .ask(
                "failures",
                r#"sum(increase(prometheus_rule_evaluation_failures_total{job=~"$job",instance=~"$instance"}[$__range]))"#,
            )
            .steps(&[(1.0, "red")]),
            Panel::stat("Silences", "short", 6, "Active silences: what they cover reaches nobody.").ask(
                "active",
                r#"sum(alertmanager_silences{job=~"$job",instance=~"$instance",state="active"})"#,
            ),
        ],
    )
    .row(
        "Notifications",
        8,
        vec![
            Panel::lines("Sent by channel", "ops", 8, "Notifications that Alertmanager sent in a second.").ask(
                "{{integration}}",
                r#"sum by (integration) (rate(alertmanager_notifications_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines("Failed by channel", "ops", 8, "Notifications that could not be sent. NotificationsFailing fires on any.").ask(
                "{{integration}}",
                r#"sum by (integration) (rate(alertmanager_notifications_failed_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::bars("Received by the inbox", "short", 8, "Notifications that arrived in the time shown, by channel and status.").ask(
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
                "Of the proofs on record, one a drill, the share that is younger than 30 days. AlertNotProven fires for the others. No metric \
                 has the alerts that no drill has ever proven: `loadgen coverage` lists them.",
            )
            .ask(
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
                "How many alerts have a proof on record, of whatever age: `loadgen coverage` says of how many.",
            )
            .ask(
                "alerts",
                r#"count(count by (alert) (drill_last_proven_timestamp_seconds{job=~"$job",instance=~"$instance"}))"#,
            ),
            Panel::bars(
                "Phases against their bounds",
                "percentunit",
                9,
                "How much of its bound each phase of a drill took when it last proved its alert. Above 100 % it would have been LATE.",
            )
            .ask(
                "{{drill}} {{phase}}",
                r#"max by (alert, drill, phase) (drill_phase_seconds{job=~"$job",instance=~"$instance"}) / max by (alert, drill, phase) (drill_bound_seconds{job=~"$job",instance=~"$instance"})"#,
            )
            .steps(&[(0.8, "yellow"), (1.0, "red")])
            .up_to(1.2),
            Panel::table("Last proven", "dateTimeFromNow", 8, "When each drill last proved its alert.")
                .ask(
                    "{{alert}} {{drill}}",
                    r#"1000 * max by (alert, drill) (drill_last_proven_timestamp_seconds{job=~"$job",instance=~"$instance"})"#,
                )
                .hide(&["Time"]),
        ],
    )
}
