//! A small monitoring directory with error-prone content.

use std::collections::BTreeMap;

use alerting::scale::{Factor, Options, Rendered, Replacements, ScaleError, render};

pub const PROMETHEUS: &str = r#"# Scrape and evaluate; see the page.
global:
  scrape_interval: 15s     # S
  scrape_timeout: 10s
  evaluation_interval: "15s"
  external_labels: {cluster: yes, zone: '0x1F', build: 1.10}
rule_files: [alert_rules/*.yml]
alerting:
  alertmanagers:
    - static_configs: [{targets: ['alertmanager:9093']}]
scrape_configs:
  - job_name: api
    scrape_interval: 10s
    static_configs:
      - targets: ["api:8000"]
        labels: {service: gateway}
  - job_name: slow
    scrape_interval: 2m
    scrape_timeout: 30s
    basic_auth: {username: u, password_file: secrets/pw}
    static_configs: [{targets: [node:9100, "redis:9121"]}]
"#;

pub const RULES: &str = r#"groups:
- name: api
  interval: 10s
  rules:
  - record: job:errors:ratio5m
    expr: sum by (job) (rate(http{code=~"5.."}[5m])) / sum by (job) (rate(http[5m]))
  - alert: HighErrorRate
    expr: |
      job:errors:ratio5m > 0.05   # share, over [5m]
        and on (job) sum by (job) (rate(http{path!~".*5m.*", le="0.5"}[5m])) > 1
    for: 2m
    keep_firing_for: 90s
    labels: {severity: warning, on: yes}
    annotations:
      summary: "{{ $labels.job }}: {{ $value | humanizePercentage }} over 5m"
  - alert: Quiet
    expr: 'sum(increase(http[1m])) == 0 and sum(max_over_time(x{a="it''s"}[30m:1m] offset -5m)) > 5'
    for: 0s
  - alert: Aged
    expr: "time() - built_seconds{job=\"api\"} > 600 and rate(x[ 10m ]) > 0"
"#;

pub const ALERTMANAGER: &str = r#"global:
  resolve_timeout: 5m
  slack_api_url: 'http://inbox:8025/slack'
templates: ['templates/*.tmpl']
route:
  receiver: warning
  group_by: [alertname, job]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - matchers: [severity="critical"]
      receiver: critical
      group_wait: 10s
      group_interval: 1m
      routes: [{receiver: deep, repeat_interval: 1d}]
receivers:
  - name: warning
    slack_configs:
      - channel: '#alerts'
        send_resolved: yes
        title: '{{ template "slack.title" . }}'
  - name: critical
    webhook_configs: [{url: "http://inbox:8025/webhook", send_resolved: true}]
  - name: deep
"#;

/// The three files.
pub fn files() -> BTreeMap<String, String> {
    [("prometheus.yml", PROMETHEUS), ("alert_rules/api.yml", RULES), ("alertmanager.yml", ALERTMANAGER)]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into()
}

/// Renders files with `FROM=TO` addresses.
pub fn scaled(files: &BTreeMap<String, String>, by: f64, addresses: &[&str]) -> Result<Rendered, ScaleError> {
    let addresses = Replacements::new(addresses.iter().map(|text| text.parse().unwrap())).unwrap();
    render(files, &Options { factor: Factor::new(by).unwrap(), addresses })
}

/// The changes of a rendering as `field: from → to (note)`, with the file before the first of each.
pub fn changes(rendered: &Rendered) -> Vec<String> {
    let note = |note: &Option<String>| note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    rendered
        .changes
        .iter()
        .map(|it| format!("{}: {} → {}{}", it.field, it.from, it.to, note(&it.note)))
        .collect()
}
