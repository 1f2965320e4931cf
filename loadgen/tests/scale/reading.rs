//! Rule files and configurations in every form that Prometheus loads, and rejected files.

use std::collections::BTreeMap;

use crate::fixture::{changes, scaled};

/// A minimal `prometheus.yml`, and rules.
fn with(rules: &str) -> BTreeMap<String, String> {
    let prometheus = "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n";
    [("prometheus.yml", prometheus), ("rules.yml", rules)]
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into()
}

/// The rendered rules and their changes.
fn rendered(rules: &str) -> (String, Vec<String>) {
    let rendered = scaled(&with(rules), 20.0, &[]).unwrap_or_else(|error| panic!("{rules}\n{error}"));
    let rest = changes(&rendered);
    (rendered.files["rules.yml"].clone(), rest.into_iter().filter(|it| it.contains("groups[")).collect())
}

fn refused(rules: &str) -> String {
    scaled(&with(rules), 20.0, &[]).unwrap_err().to_string()
}

#[test]
fn empty_keys_count_as_missing() {
    for nothing in ["", " ~", " null", " Null", " NULL"] {
        let rules = format!(
            "groups:\n  - name: g\n    interval:{nothing}\n    query_offset:{nothing}\n    limit:{nothing}\n    labels:{nothing}\n    rules:\n      - alert: A\n        \
             expr: up == 0\n        for:{nothing}\n        keep_firing_for:{nothing}\n        labels:{nothing}\n        annotations:{nothing}\n  - name: h\n    rules:{nothing}\n"
        );
        assert_eq!(rendered(&rules), (rules.clone(), vec![]));
        let empty = format!("groups:{nothing}\n");
        assert_eq!(rendered(&empty).0, empty);
    }
}

#[test]
fn writes_defaults_for_empty_keys() {
    let mut files = with("groups: []\n");
    for (before, after) in [
        ("global:\n", "global: {scrape_interval: 3s, evaluation_interval: 3s}\n"),
        ("global: ~ # why\n", "global: {scrape_interval: 3s, evaluation_interval: 3s} # why\n"),
        (
            "global:\n  scrape_interval:\n  evaluation_interval: null\n",
            "global:\n  scrape_interval: 3s\n  evaluation_interval: 3s\n",
        ),
        (
            "global: {scrape_interval: , evaluation_interval: ~}\n",
            "global: {scrape_interval: 3s , evaluation_interval: 3s}\n",
        ),
    ] {
        files.insert("prometheus.yml".into(), format!("{before}rule_files: [rules.yml]\n"));
        let rendered = scaled(&files, 20.0, &[]).unwrap();
        assert_eq!(rendered.files["prometheus.yml"], format!("{after}rule_files: [rules.yml]\n"));
    }
}

#[test]
fn ignores_an_empty_document_at_the_end() {
    let rules = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: rate(x[5m]) > 1\n    for: 5m\n---\n";
    let (text, changed) = rendered(rules);
    assert_eq!(text, rules.replace("[5m]", "[15s]").replace("for: 5m", "for: 15s"));
    assert_eq!(changed.len(), 2);
    assert!(refused(&format!("{rules}groups: []\n")).contains("rules.yml:7: not YAML: second document"));
}

#[test]
fn accepts_fields_of_newer_versions() {
    let rules = "groups:\n- name: g\n  interval: 40s\n  query_offset: 1m\n  limit: 10\n  labels: {team: a, window: 5m}\n  rules:\n  - record: größe:rate\n    \
                 expr: sum by (\"label.dots\") (rate({\"größe.gesamt\", job=\"a\"}[5m]))\n  - alert: Größe\n    expr: '{\"größe:rate\"} > 1'\n    \
                 labels: {größe: x, \"label.dots\": 5m}\n";
    let (text, changed) = rendered(rules);
    let expected = [("interval: 40s", "interval: 2s"), ("offset: 1m", "offset: 3s"), ("}[5m]", "}[15s]")];
    assert_eq!(text, expected.iter().fold(rules.to_owned(), |text, (from, to)| text.replace(from, to)));
    assert_eq!(changed.len(), 3, "{changed:?}");
}

#[test]
fn reads_manifests_of_the_operator() {
    let groups = "groups: [{name: g, rules: [{alert: A, expr: 'rate(x[5m]) > 1', for: 10m}]}]";
    for (rules, field) in [
        (
            format!(
                "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{name: x}}\nspec: {{{groups}}}\n"
            ),
            "spec",
        ),
        (
            format!(
                "kind: List\nitems:\n- {{kind: ConfigMap, data: {{for: 10m}}}}\n- {{kind: PrometheusRule, spec: {{{groups}}}}}\n"
            ),
            "items[1].spec",
        ),
        (format!("kind: PrometheusRuleList\nitems: [{{spec: {{{groups}}}}}]\n"), "items[0].spec"),
    ] {
        let (text, changed) = rendered(&rules);
        assert!(text.contains("'rate(x[15s]) > 1', for: 30s"), "{text}");
        let field = format!("{field}.groups[g].rules[A].for: 10m → 30s");
        assert!(changed.contains(&field), "{changed:?}");
    }
}

#[test]
fn rejects_files_that_are_not_rule_files() {
    for (rules, says) in [
        ("spec: {groups: []}\n", "rules.yml:1: groups: is missing: expected a rule file with `groups:`"),
        ("kind: PrometheusRule\n", "rules.yml:1: spec: is missing"),
        ("kind: PrometheusRule\nspec: {rules: []}\n", "rules.yml:2: spec.groups: is missing"),
        ("kind: List\n", "rules.yml:1: items: is missing"),
        ("kind: List\nitems: [{kind: PrometheusRule}]\n", "rules.yml:2: items[0].spec: is missing"),
        ("kind: ConfigMap\ndata: {}\n", "groups: is missing"),
        ("groups: {}\n", "groups: expected a list"),
        ("[]\n", "expected a map"),
    ] {
        let reason = refused(rules);
        assert!(reason.contains(says), "{rules}: {reason}");
    }
}

#[test]
fn reads_aliases_and_merges_and_rejects_shared_labels() {
    let rules = "groups:\n- name: g\n  rules:\n  - &base {alert: A, expr: up == 0, for: &hold 10m}\n  - {<<: *base, alert: B}\n  - {alert: B, expr: up == 0, for: *hold}\n";
    assert_eq!(rendered(rules).0, rules.replace("10m", "30s"));
    for rest in [
        "for: &hold 10m, labels: {held: *hold}",
        "labels: {held: &hold 10m}, for: *hold",
        "for: &hold 10m, annotations: {text: *hold}",
    ] {
        let reason =
            refused(&format!("groups: [{{name: g, rules: [{{alert: A, expr: up == 0, {rest}}}]}}]\n"));
        assert!(reason.contains("write the value in both places"), "{rest}: {reason}");
    }
}

#[test]
fn lists_durations_that_are_not_divided() {
    let mut files = with("groups: []\n");
    let prometheus = "global: {scrape_interval: 1m, evaluation_interval: 1m, external_labels: {window: 5m}}\n\
        storage: {tsdb: {out_of_order_time_window: 30m, retention: {time: 15d}}}\ntracing: {endpoint: 'a:1', timeout: 10s}\n\
        remote_write:\n- url: http://r:1/w\n  remote_timeout: 30s\n  queue_config: {batch_send_deadline: 5s, min_backoff: 30ms, max_backoff: 5s, sample_age_limit: 1h}\n  \
        metadata_config: {send_interval: 1m}\nremote_read: [{url: 'http://r:1/r', remote_timeout: 1m}]\n\
        scrape_configs:\n- {job_name: 5m, scrape_interval: 1s, params: {range: [5m]}, serverset_sd_configs: [{servers: [a], paths: [/b], timeout: 10s}], \
        relabel_configs: [{target_label: a, replacement: 5m}]}\n";
    files.insert("prometheus.yml".into(), prometheus.into());
    files.insert(
        "alertmanager.yml".into(),
        "tracing: {endpoint: 'a:1', timeout: 10s}\nroute: {receiver: a}\nreceivers: [{name: a, pushover_configs: [{ttl: 1h}]}]\n".into(),
    );
    let warnings = scaled(&files, 20.0, &[]).unwrap().warnings;
    let of = |file: &str| -> Vec<String> {
        let stays = warnings.iter().filter(|it| it.file == file && it.reason.contains("is not divided"));
        stays.map(|it| it.field.clone()).collect()
    };
    assert_eq!(
        of("prometheus.yml"),
        [
            "storage.tsdb.out_of_order_time_window",
            "storage.tsdb.retention.time",
            "tracing.timeout",
            "remote_write[0].remote_timeout",
            "remote_write[0].queue_config.batch_send_deadline",
            "remote_write[0].queue_config.min_backoff",
            "remote_write[0].queue_config.max_backoff",
            "remote_write[0].queue_config.sample_age_limit",
            "remote_write[0].metadata_config.send_interval",
            "remote_read[0].remote_timeout",
            "scrape_configs[5m].serverset_sd_configs[0].timeout",
        ]
    );
    assert_eq!(of("alertmanager.yml"), ["tracing.timeout", "receivers[a].pushover_configs[0].ttl"]);
    assert!(scaled(&files, 1.0, &[]).unwrap().warnings.is_empty());
}
