//! Shapes of rules.

use crate::table::{Break, MISSPELT, NO_ALL_CLEAR, NOT_REACHED, NOWHERE, Shape, TWICE, gauge, weak};

pub fn rules() -> Vec<Shape> {
    vec![
        Shape {
            name: "gauge",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0}]}]",
            breaks: vec![NOT_REACHED, MISSPELT, NOWHERE, NO_ALL_CLEAR, TWICE],
            ..gauge()
        },
        Shape {
            name: "for",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0, for: 4s}]}]",
            ..gauge()
        },
        Shape {
            name: "keep-firing-for",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0, for: 2s, keep_firing_for: 5s}]}]",
            ..gauge()
        },
        Shape {
            name: "recorded-by-a-slower-group",
            rules: "\
groups:
  - {name: slow, interval: 10s, rules: [{record: r, expr: max by (job) (test_value)}]}
  - {name: g, rules: [{alert: A, expr: r > 0}]}
",
            ..gauge()
        },
        Shape {
            name: "alert-before-its-recording",
            rules: "\
groups:
  - name: g
    interval: 6s
    rules: [{alert: A, expr: r > 0}, {record: r, expr: max by (job) (test_value)}]
",
            ..gauge()
        },
        Shape {
            name: "alert-after-its-recording",
            rules: "\
groups:
  - name: g
    interval: 4s
    rules: [{record: r, expr: max by (job) (test_value)}, {alert: A, expr: r > 0}]
",
            ..gauge()
        },
        Shape {
            name: "chain-of-recordings",
            rules: "\
groups:
  - {name: one, interval: 5s, rules: [{record: p, expr: max by (job) (test_value)}]}
  - {name: two, interval: 4s, rules: [{record: r, expr: q + 0}, {record: q, expr: 'max_over_time(p[3s])'}]}
  - {name: g, rules: [{alert: A, expr: r > 0}]}
",
            ..gauge()
        },
        Shape {
            name: "several-rules-of-one-name",
            rules: "\
groups:
  - {name: one, interval: 8s, rules: [{record: r, expr: max by (job) (test_value), labels: {of: max}}]}
  - {name: two, rules: [{record: r, expr: min by (job) (test_value), labels: {of: min}}]}
  - {name: g, rules: [{alert: A, expr: sum by (job) (r) > 1}]}
",
            breaks: vec![weak("test_value=0", "the cause is too weak"), MISSPELT],
            ..gauge()
        },
        Shape {
            name: "reads-another-alert",
            rules: "\
groups:
  - {name: below, interval: 2s, rules: [{alert: B, expr: test_value > 0, for: 3s}]}
  - {name: g, rules: [{alert: A, expr: 'count(ALERTS{alertname=\"B\", alertstate=\"firing\"}) > 0'}]}
",
            also: &["B"],
            breaks: vec![weak("test_value=0", "the expression returned no series")],
            ..gauge()
        },
        Shape {
            name: "reads-itself",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'test_value > 10 or (test_value > 5 and ALERTS{alertname=\"A\"} == 1)'}]}]",
            cause: "test_value=11",
            breaks: vec![weak(
                "test_value=8",
                "the rule's value reached 8 of the 10 it needs: the cause is too weak",
            )],
            ..gauge()
        },
        Shape {
            name: "rate",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'rate(test_total[6s]) > 4'}]}]",
            cause: "rate=20",
            undo: "rate=0",
            breaks: vec![
                weak("rate=2", "the cause is too weak"),
                Break {
                    name: "a range as long as the scrape interval",
                    edits: &[("[6s]", "[1s]")],
                    cause: None,
                    verdict: "REFUSED",
                    says: "`rate(test_total[1s])` needs two samples",
                },
            ],
            ..gauge()
        },
        Shape {
            name: "value-in-an-annotation",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'rate(test_total[6s]) > 4', for: 2s, annotations: {now: '{{ $value }}'}}]}]",
            cause: "rate=20",
            undo: "rate=0",
            breaks: vec![Break {
                name: "the value in a label",
                edits: &[("annotations:", "labels:")],
                cause: None,
                verdict: "MISSED",
                says: "the label `now` changes from one evaluation to the next",
            }],
            ..gauge()
        },
        Shape {
            name: "limit",
            rules: "groups: [{name: g, limit: 1, rules: [{alert: A, expr: test_one > 0}]}]",
            series: &[("test_one{part=\"a\"}", 0.0), ("test_one{part=\"b\"}", 0.0)],
            cause: "test_one%7Bpart%3D%22a%22%7D=1",
            undo: "test_one%7Bpart%3D%22a%22%7D=0&test_one%7Bpart%3D%22b%22%7D=0",
            breaks: vec![
                Break {
                    name: "more alerts than the limit",
                    edits: &[],
                    cause: Some("test_one%7Bpart%3D%22a%22%7D=1&test_one%7Bpart%3D%22b%22%7D=1"),
                    verdict: "MISSED",
                    says: "the rule `A` fails: exceeded limit of 1 with 2 alerts",
                },
                Break {
                    name: "more alerts than the limit before the cause",
                    edits: &[("test_one > 0", "test_one >= 0")],
                    cause: None,
                    verdict: "REFUSED",
                    says: "exceeded limit of 1 with 2 alerts",
                },
            ],
            ..gauge()
        },
        Shape {
            name: "query-offset-of-all-groups",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0, for: 2s}]}]",
            global: ", rule_query_offset: 9s",
            since: (2, 53),
            ..gauge()
        },
        Shape {
            name: "query-offset-of-the-group",
            rules: "groups: [{name: g, query_offset: 15s, rules: [{alert: A, expr: 'max_over_time(test_value[20s]) > 0', for: 1s}]}]",
            since: (2, 53),
            breaks: vec![
                MISSPELT,
                Break {
                    name: "an offset longer than the drill waits",
                    edits: &[("15s", "60s")],
                    cause: None,
                    verdict: "INCONCLUSIVE",
                    says: "its group `g` may have a `query_offset`, which Prometheus does not report",
                },
            ],
            ..gauge()
        },
        Shape {
            name: "query-offset-of-a-recording",
            rules: "\
groups:
  - {name: slow, interval: 4s, query_offset: 8s, rules: [{record: r, expr: max by (job) (test_value)}]}
  - {name: g, rules: [{alert: A, expr: r > 0}]}
",
            global: ", rule_query_offset: 2s",
            since: (2, 53),
            ..gauge()
        },
        Shape {
            name: "average-over-time",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'avg_over_time(test_value[6s]) > 0.9'}]}]",
            breaks: vec![weak("test_value=0.5", "the cause is too weak"), MISSPELT],
            ..gauge()
        },
        Shape {
            name: "subquery",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'min_over_time(rate(test_total[4s])[5s:2s]) > 4'}]}]",
            cause: "rate=20",
            undo: "rate=0",
            breaks: vec![weak("rate=2", "the cause is too weak")],
            ..gauge()
        },
        Shape {
            name: "offset",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value offset 5s > 0}]}]",
            ..gauge()
        },
        Shape {
            name: "at-end",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'max_over_time(test_value[3s] @ end()) > 0'}]}]",
            ..gauge()
        },
        Shape {
            name: "changes",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'changes(test_value[5s]) > 0'}]}]",
            ..gauge()
        },
        Shape {
            name: "group-left",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value * on (job) group_left (version) test_info > 0}]}]",
            series: &[("test_value", 0.0), ("test_info{version=\"1\"}", 1.0)],
            labels: &[("version", "1")],
            ..gauge()
        },
        Shape {
            name: "absent",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'absent(test_value{job=\"test\"})', for: 2s}]}]",
            cause: "without=test_value",
            breaks: vec![weak("test_value=0", "the expression returned no series")],
            ..gauge()
        },
        Shape {
            name: "unless",
            rules: "groups: [{name: g, rules: [{alert: A, expr: test_value > 0 unless on (job) test_mute > 0}]}]",
            series: &[("test_value", 0.0), ("test_mute", 0.0)],
            breaks: vec![
                Break {
                    name: "held back by the other side",
                    edits: &[("test_mute > 0", "test_mute == 0")],
                    cause: None,
                    verdict: "MISSED",
                    says: "another condition of its expression was not met",
                },
                MISSPELT,
            ],
            ..gauge()
        },
        Shape {
            name: "two-instances",
            rules: "groups: [{name: g, rules: [{alert: A, expr: 'test_one > 0', labels: {part: '{{ $labels.part }}', severity: page}}]}]",
            series: &[("test_one{part=\"a\"}", 0.0), ("test_one{part=\"b\"}", 0.0)],
            cause: "test_one%7Bpart%3D%22a%22%7D=1&test_one%7Bpart%3D%22b%22%7D=1",
            undo: "test_one%7Bpart%3D%22a%22%7D=0&test_one%7Bpart%3D%22b%22%7D=0",
            breaks: vec![weak(
                "test_one%7Bpart%3D%22a%22%7D=0",
                "the cause did not affect the metrics of the rule as needed",
            )],
            ..gauge()
        },
    ]
}
