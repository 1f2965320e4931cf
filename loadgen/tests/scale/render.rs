//! Rendering without I/O.

use proptest::prelude::*;

use crate::fixture::{PROMETHEUS, RULES, changes, files, scaled};

#[test]
fn factor_one_changes_no_byte() {
    let rendered = scaled(&files(), 1.0, &[]).unwrap();
    assert_eq!(rendered.files, files());
    assert!(rendered.changes.is_empty() && rendered.warnings.is_empty());
}

#[test]
fn factor_twenty_divides_down_to_the_floors_with_a_note() {
    let rendered = scaled(&files(), 20.0, &[]).unwrap();
    let expected = [
        "global.scrape_interval: 15s → 1s (raised to the minimum; the divided value would be 750ms)",
        "global.scrape_timeout: 10s → 1s (raised to the minimum; the divided value would be 500ms)",
        "global.evaluation_interval: 15s → 1s (raised to the minimum; the divided value would be 750ms)",
        "scrape_configs[api].scrape_interval: 10s → 1s (raised to the minimum; the divided value would be 500ms)",
        "scrape_configs[slow].scrape_interval: 2m → 6s",
        "scrape_configs[slow].scrape_timeout: 30s → 1s500ms",
        // A range spans at least four scrapes of the slowest job: 24 s.
        "groups[api].interval: 10s → 1s (raised to the minimum; the divided value would be 500ms)",
        "groups[api].rules[job:errors:ratio5m].expr: range: 5m → 24s (raised to the minimum; the divided value would be 15s)",
        "groups[api].rules[job:errors:ratio5m].expr: range: 5m → 24s (raised to the minimum; the divided value would be 15s)",
        "groups[api].rules[HighErrorRate].for: 2m → 6s",
        "groups[api].rules[HighErrorRate].keep_firing_for: 90s → 4s500ms",
        "groups[api].rules[HighErrorRate].expr: range: 5m → 24s (raised to the minimum; the divided value would be 15s)",
        "groups[api].rules[Quiet].expr: range: 1m → 24s (raised to the minimum; the divided value would be 3s)",
        "groups[api].rules[Quiet].expr: subquery range: 30m → 1m30s",
        "groups[api].rules[Quiet].expr: subquery step: 1m → 3s",
        "groups[api].rules[Quiet].expr: offset: 5m → 15s",
        "groups[api].rules[Aged].expr: range: 10m → 30s",
        "global.resolve_timeout: 5m → 15s",
        "route.group_wait: 30s → 1s500ms",
        "route.group_interval: 5m → 15s",
        "route.repeat_interval: 4h → 12m",
        "route.routes[critical].group_wait: 10s → 1s (raised to the minimum; the divided value would be 500ms)",
        "route.routes[critical].group_interval: 1m → 3s",
        "route.routes[critical].routes[deep].repeat_interval: 1d → 1h12m",
    ];
    let mut found = changes(&rendered);
    let mut expected = expected.map(str::to_owned).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let warned: Vec<_> = rendered.warnings.iter().map(|it| it.field.as_str()).collect();
    let of = |rule: &str| format!("groups[api].rules[{rule}].expr");
    assert_eq!(
        warned,
        ["job:errors:ratio5m", "HighErrorRate", "Quiet", "Aged"].map(of),
        "{:?}",
        rendered.warnings
    );
    assert!(
        rendered.warnings[0].reason.contains("the slowest job, `slow` (every 6s)"),
        "{:?}",
        rendered.warnings
    );
    assert!(rendered.warnings[3].reason.contains("uses the current time"), "{:?}", rendered.warnings);
    assert_eq!(rendered.companions, ["secrets/pw", "templates/*.tmpl"].map(str::to_owned));
}

#[test]
fn range_floor_depends_on_the_selected_job() {
    let mut files = files();
    let rules = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'rate(x{job=\"api\"}[5m]) > 1'}\n  \
        - {alert: B, expr: 'rate(x{job=~\"api|slow\"}[5m]) > 1'}\n  - {alert: C, expr: 'rate(x{job=\"gone\"}[5m]) > 1'}\n  \
        - {alert: D, expr: 'max_over_time(x{job=\"api\"}[1m:20s]) > 1'}\n  - {alert: E, expr: 'rate(x[30m]) > 1'}\n";
    files.insert("alert_rules/api.yml".into(), rules.into());
    let rendered = scaled(&files, 20.0, &[]).unwrap();
    let list = changes(&rendered);
    for change in [
        "groups[g].rules[A].expr: range: 5m → 15s",
        "groups[g].rules[B].expr: range: 5m → 24s (raised to the minimum; the divided value would be 15s)",
        "groups[g].rules[C].expr: range: 5m → 24s (raised to the minimum; the divided value would be 15s)",
        "groups[g].rules[D].expr: subquery range: 1m → 4s (raised to the minimum; the divided value would be 3s)",
        "groups[g].rules[E].expr: range: 30m → 1m30s",
    ] {
        assert!(list.contains(&change.to_owned()), "{change}: {list:?}");
    }
    // Warns only when the job is unknown and it makes a difference.
    let warned: Vec<_> = rendered.warnings.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(warned, ["groups[g].rules[C].expr"], "{:?}", rendered.warnings);
}

#[test]
fn changes_durations_only() {
    let rendered = scaled(&files(), 20.0, &[]).unwrap();
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let same_but = |old: &str, new: &str, changed: &[(&str, &str)]| {
        let mut expected = lines(old);
        for (from, to) in changed {
            let at = expected.iter().position(|line| line.contains(from)).unwrap_or_else(|| panic!("{from}"));
            expected[at] = expected[at].replace(from, to);
        }
        assert_eq!(lines(new), expected);
    };
    same_but(
        RULES,
        &rendered.files["alert_rules/api.yml"],
        &[
            ("interval: 10s", "interval: 1s"),
            (
                r#""5.."}[5m])) / sum by (job) (rate(http[5m]))"#,
                r#""5.."}[24s])) / sum by (job) (rate(http[24s]))"#,
            ),
            (r#"le="0.5"}[5m])"#, r#"le="0.5"}[24s])"#),
            ("for: 2m", "for: 6s"),
            ("keep_firing_for: 90s", "keep_firing_for: 4s500ms"),
            (
                r#"[1m])) == 0 and sum(max_over_time(x{a="it''s"}[30m:1m] offset -5m)"#,
                r#"[24s])) == 0 and sum(max_over_time(x{a="it''s"}[1m30s:3s] offset -15s)"#,
            ),
            ("[ 10m ]", "[ 30s ]"),
        ],
    );
    same_but(
        PROMETHEUS,
        &rendered.files["prometheus.yml"],
        &[
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("scrape_timeout: 10s", "scrape_timeout: 1s"),
            ("evaluation_interval: \"15s\"", "evaluation_interval: \"1s\""),
            ("scrape_interval: 10s", "scrape_interval: 1s"),
            ("scrape_interval: 2m", "scrape_interval: 6s"),
            ("scrape_timeout: 30s", "scrape_timeout: 1s500ms"),
        ],
    );
}

#[test]
fn writes_divided_defaults() {
    let mut files = files();
    files.insert("prometheus.yml".into(), "rule_files: [alert_rules/*.yml]\n".into());
    files.insert("alertmanager.yml".into(), "route: {receiver: a}\nreceivers: [{name: a}]\n".into());
    let rendered = scaled(&files, 20.0, &[]).unwrap();
    assert_eq!(
        rendered.files["prometheus.yml"],
        "global: {scrape_interval: 3s, evaluation_interval: 3s}\nrule_files: [alert_rules/*.yml]\n"
    );
    assert_eq!(
        rendered.files["alertmanager.yml"],
        "global: {resolve_timeout: 15s}\n\
         route: {group_wait: 1s500ms, group_interval: 15s, repeat_interval: 12m, receiver: a}\nreceivers: [{name: a}]\n"
    );
    let list = changes(&rendered);
    assert!(list.contains(&"route.group_wait: 30s (default) → 1s500ms".to_owned()), "{list:?}");
    assert!(list.contains(&"global.scrape_interval: 1m (default) → 3s".to_owned()), "{list:?}");

    files.insert("prometheus.yml".into(), "global:\n  # every\n  scrape_timeout: 10s\n".into());
    files.insert("alertmanager.yml".into(), "receivers:\n- name: a\nroute:\n    receiver: a\n".into());
    let rendered = scaled(&files, 20.0, &[]).unwrap();
    assert_eq!(
        rendered.files["prometheus.yml"],
        "global:\n  # every\n  scrape_interval: 3s\n  evaluation_interval: 3s\n  scrape_timeout: 1s\n"
    );
    let expected = "route:\n    group_wait: 1s500ms\n    group_interval: 15s\n    repeat_interval: 12m\n    receiver: a\n";
    assert!(rendered.files["alertmanager.yml"].ends_with(expected), "{}", rendered.files["alertmanager.yml"]);

    files.insert("alertmanager.yml".into(), "global: {smtp_from: a}\nroute: {receiver: a}\n".into());
    let rendered = scaled(&files, 20.0, &[]).unwrap();
    let expected = "global: {resolve_timeout: 15s, smtp_from: a}\n";
    assert!(
        rendered.files["alertmanager.yml"].starts_with(expected),
        "{}",
        rendered.files["alertmanager.yml"]
    );
    files.insert("alertmanager.yml".into(), "global:\nroute: {receiver: a}\n".into());
    let warnings = scaled(&files, 20.0, &[]).unwrap().warnings;
    assert!(warnings.iter().any(|it| it.field == "global" && it.reason.contains("stays 5m")), "{warnings:?}");
}

#[test]
fn divides_or_reports_other_timings() {
    let mut files = files();
    let prometheus = "global: {scrape_interval: 15s, evaluation_interval: 15s}\n\
        remote_write: [{url: 'http://r:1/w', remote_timeout: 30s}]\n\
        alerting: {alertmanagers: [{timeout: 40s, dns_sd_configs: [{names: [am], refresh_interval: 1m}]}]}\n\
        scrape_configs:\n- job_name: a\n  http_sd_configs: [{url: 'http://sd:1/x', refresh_interval: 2m}]\n  file_sd_configs: [{files: [a.json]}]\n";
    let alertmanager = "global: {resolve_timeout: 5m}\nroute: {receiver: a, group_wait: 20s, group_interval: 20s, repeat_interval: 20s}\n\
        receivers:\n- name: a\n  webhook_configs: [{url: 'http://inbox:1/w', timeout: 30s}, {url: 'http://inbox:1/x', timeout: 0s}]\n  \
        pushover_configs: [{user_key: u, retry: 1m, expire: 1h}]\n";
    files.insert("prometheus.yml".into(), prometheus.into());
    files.insert("alertmanager.yml".into(), alertmanager.into());
    let rendered = scaled(&files, 20.0, &[]).unwrap();
    let list = changes(&rendered);
    for change in [
        "alerting.alertmanagers[0].timeout: 40s → 2s",
        "alerting.alertmanagers[0].dns_sd_configs[0].refresh_interval: 1m → 3s",
        "scrape_configs[a].http_sd_configs[0].refresh_interval: 2m → 6s",
        "receivers[a].webhook_configs[0].timeout: 30s → 1s500ms",
    ] {
        assert!(list.contains(&change.to_owned()), "{change}: {list:?}");
    }
    let warned: Vec<_> = rendered.warnings.iter().map(|it| it.field.as_str()).collect();
    for field in
        ["remote_write", "receivers[a].pushover_configs[0].retry", "receivers[a].pushover_configs[0].expire"]
    {
        assert!(warned.contains(&field), "{field}: {warned:?}");
    }
    assert!(rendered.files["alertmanager.yml"].contains("timeout: 0s}"), "no timeout stays no timeout");
    assert!(scaled(&files, 1.0, &[]).unwrap().warnings.is_empty());
}

#[test]
fn edits_anchors_at_their_definition() {
    let mut files = files();
    let rules = "groups:\n- name: a\n  rules:\n  - {alert: A, expr: 'up == 0', for: &hold 2m}\n  - {alert: B, expr: 'up == 0', for: *hold}\n";
    files.insert("alert_rules/api.yml".into(), rules.into());
    let rendered = scaled(&files, 20.0, &[]).unwrap();
    assert_eq!(rendered.files["alert_rules/api.yml"], rules.replace("2m", "6s"));
}

proptest! {
    /// Any quoting style is preserved, with the durations of the expression divided.
    #[test]
    fn preserves_any_quoting_style(label in "[ -~é{}'\"#:]{0,20}", minutes in 1u64..600, style in 0usize..4) {
        let expr = format!("rate(x{{a={}}}[{minutes}m]) > 5", serde_json::to_string(&label).unwrap());
        // PromQL supports JSON's escapes, so the label is written as JSON.
        prop_assume!(promql::durations(&expr).is_ok());
        let written = match style {
            0 => serde_json::to_string(&expr).unwrap(),
            1 => format!("'{}'", expr.replace('\'', "''")),
            2 => format!("|\n      {expr}"),
            _ => format!(">-\n      {expr}"),
        };
        let rules = format!("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: {written}\n    annotations: {{s: 'over {minutes}m'}}\n");
        let mut files = files();
        files.insert("prometheus.yml".into(), "global: {scrape_interval: 1s, evaluation_interval: 1s}\n".into());
        files.insert("alert_rules/api.yml".into(), rules.clone());
        let rendered = scaled(&files, 60.0, &[]).unwrap();
        let seconds = minutes.max(4);
        let new = common::duration::format(std::time::Duration::from_secs(seconds));
        // The label may contain the same text in brackets; the last one is the range.
        let old = format!("[{minutes}m]");
        let at = rules.rfind(&old).unwrap();
        let expected = format!("{}[{new}]{}", &rules[..at], &rules[at + old.len()..]);
        prop_assert_eq!(&rendered.files["alert_rules/api.yml"], &expected);
    }
}
