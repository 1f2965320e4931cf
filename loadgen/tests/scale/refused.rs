//! Errors of rendering name the file, line, field and value.

use crate::fixture::{files, scaled};

#[test]
fn errors_name_file_line_field_and_value() {
    for (file, from, to, parts) in [
        (
            "prometheus.yml",
            "scrape_interval: 2m",
            "scrape_interval: 2x",
            &["prometheus.yml:18: ", "scrape_configs[slow].scrape_interval", "`2x`"][..],
        ),
        (
            "prometheus.yml",
            "scrape_timeout: 10s",
            "scrape_timeout: 10",
            &["prometheus.yml:4: ", "global.scrape_timeout", "`10`"],
        ),
        (
            "prometheus.yml",
            "scrape_configs:\n",
            "scrape_configs: none\nx:\n",
            &["prometheus.yml:11: ", "scrape_configs", "list"],
        ),
        (
            "alert_rules/api.yml",
            "for: 2m",
            "for: -2m",
            &["alert_rules/api.yml:11:", "groups[api].rules[HighErrorRate].for", "`-2m`"],
        ),
        (
            "alert_rules/api.yml",
            "rate(http[5m]))\n",
            "rate(http[5m)\n",
            &["alert_rules/api.yml:6:", "rules[job:errors:ratio5m].expr", "rate(http[5m)"],
        ),
        (
            "alert_rules/api.yml",
            "    for: 0s",
            "    expr: up\n    for: 0s",
            &["alert_rules/api.yml:18:", "`expr`"],
        ),
        (
            "alertmanager.yml",
            "group_wait: 10s",
            "group_wait: [10s]",
            &["alertmanager.yml:14: ", "route.routes[critical].group_wait", "duration"],
        ),
        ("alertmanager.yml", "route:", "route: [", &["alertmanager.yml:", "YAML"]),
    ] {
        let mut files = files();
        let text = files[file].clone();
        assert!(text.contains(from), "{from}");
        files.insert(file.into(), text.replacen(from, to, 1));
        let error = scaled(&files, 20.0, &[]).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{from} → {to}: {part}: {error}");
        }
    }
    let error = scaled(&Default::default(), 20.0, &[]).unwrap_err().to_string();
    assert!(error.contains("prometheus.yml") && error.contains("missing"), "{error}");
}
