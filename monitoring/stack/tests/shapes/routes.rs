//! Shapes of routes.

use crate::table::{Break, NO_ALL_CLEAR, NOT_REACHED, Shape, gauge};

pub fn routes() -> Vec<Shape> {
    vec![
        Shape {
            name: "grouped-by-all",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0, labels: {severity: page}}]}]",
            alertmanager: "\
route: {receiver: hook, group_by: ['...'], group_wait: 2s, group_interval: 4s, repeat_interval: 1h}
receivers:
  - name: hook
    webhook_configs: [{url: INBOX/webhook, send_resolved: true}]
",
            breaks: vec![NOT_REACHED, NO_ALL_CLEAR],
            ..gauge()
        },
        Shape {
            name: "nested-continue",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0, labels: {severity: page, team: a}}]}]",
            alertmanager: "\
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 1s
  group_interval: 3s
  routes:
    - matchers: [severity=\"page\"]
      receiver: hook
      continue: true
      routes:
        - {matchers: [team=\"b\"], receiver: nobody}
        - {matchers: ['team=~\"a|c\"'], receiver: hook, group_wait: 2s}
    - {matchers: [severity=\"page\"], receiver: chat, group_interval: 4s}
receivers:
  - name: nobody
  - name: hook
    webhook_configs: [{url: INBOX/webhook, send_resolved: true}]
  - name: chat
    slack_configs: [{api_url: INBOX/slack, channel: '#a', send_resolved: true}]
",
            delivered: &["webhook", "slack"],
            breaks: vec![
                NOT_REACHED,
                Break {
                    name: "continue is missing",
                    edits: &[("continue: true", "continue: false")],
                    cause: None,
                    verdict: "REFUSED",
                    says: "its route sends to receiver `hook`, which has no slack_configs",
                },
            ],
            ..gauge()
        },
        Shape {
            name: "time-intervals",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0}]}]",
            alertmanager: "\
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 1s
  group_interval: 3s
  routes: [{receiver: hook, mute_time_intervals: [long-ago]}]
receivers:
  - name: hook
    webhook_configs: [{url: INBOX/webhook, send_resolved: true}]
time_intervals:
  - {name: long-ago, time_intervals: [{years: ['2001']}]}
",
            breaks: vec![
                NOT_REACHED,
                Break {
                    name: "muted now",
                    edits: &[("'2001'", "'2001:2199'")],
                    cause: None,
                    verdict: "REFUSED",
                    says: "muted",
                },
            ],
            ..gauge()
        },
        Shape {
            name: "two-alertmanagers",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0}]}]",
            alertmanagers: 2,
            breaks: vec![NOT_REACHED, NO_ALL_CLEAR],
            ..gauge()
        },
        Shape {
            name: "last-of-two-alertmanagers",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0}]}]",
            alertmanagers: 2,
            only_last: true,
            breaks: vec![NOT_REACHED],
            ..gauge()
        },
    ]
}
