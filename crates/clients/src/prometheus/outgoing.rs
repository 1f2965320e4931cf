//! Label changes between Prometheus and Alertmanager: `external_labels` adds labels, and
//! `alerting.alert_relabel_configs` may drop some.
//!
//! Source: <https://prometheus.io/docs/prometheus/latest/configuration/configuration/>.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

use crate::error::Reason;
use crate::prometheus::types::Labels;
use common::source_error;

/// The changes Prometheus makes to the labels of a sent alert.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    external: Labels,
    /// Relabelling in configuration order: matching names are dropped (`true`), or all others are.
    relabelled: Vec<(Regex, bool)>,
    rewritten: bool,
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    global: Global,
    #[serde(default)]
    alerting: Alerting,
}

#[derive(Deserialize, Default)]
struct Global {
    #[serde(default)]
    external_labels: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
struct Alerting {
    #[serde(default)]
    alert_relabel_configs: Vec<Relabel>,
    #[serde(default)]
    alertmanagers: Vec<Alertmanagers>,
}

#[derive(Deserialize, Default)]
struct Alertmanagers {
    #[serde(default)]
    alert_relabel_configs: Vec<Relabel>,
}

#[derive(Deserialize)]
struct Relabel {
    #[serde(default)]
    action: String,
    #[serde(default)]
    regex: String,
}

impl Outgoing {
    /// Parses the configuration as returned by Prometheus. Only relabelling that drops labels by name is supported, not
    /// rules that rewrite values or drop alerts.
    ///
    /// # Errors
    /// When the configuration is not understood.
    pub fn parse(yaml: &str) -> Result<Self, Reason> {
        let bad = Reason::Configuration;
        let file: ConfigFile =
            serde_saphyr::from_str(yaml).map_err(|error| bad(source_error::plain(&error, true)))?;
        let mut relabelled = Vec::new();
        let own = |one: &Alertmanagers| !one.alert_relabel_configs.is_empty();
        let mut rewritten = file.alerting.alertmanagers.iter().any(own);
        for Relabel { action, regex } in file.alerting.alert_relabel_configs {
            let drops = match action.to_ascii_lowercase().as_str() {
                "labeldrop" => true,
                "labelkeep" => false,
                "keep" | "drop" | "keepequal" | "dropequal" => continue, // the alert is sent unchanged or dropped
                _ => {
                    rewritten = true;
                    continue;
                }
            };
            let pattern = Regex::new(&format!("^(?s:{regex})$"));
            relabelled
                .push((pattern.map_err(|_| bad(format!("`{regex}` is not a regular expression")))?, drops));
        }
        Ok(Self { external: file.global.external_labels, relabelled, rewritten })
    }

    /// The labels of an alert as sent. Its own labels override external ones.
    #[must_use]
    pub fn of(&self, labels: &Labels) -> Labels {
        let mut sent = self.external.clone();
        sent.extend(labels.clone());
        for (pattern, drops) in &self.relabelled {
            sent.retain(|name, _| pattern.is_match(name) != *drops);
        }
        sent
    }

    /// Whether relabelling may change labels in an unsupported way.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        self.rewritten
    }

    /// Whether this label is an external label.
    #[must_use]
    pub fn adds(&self, name: &str, value: &str) -> bool {
        self.external.get(name).is_some_and(|external| external == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn adds_external_labels_unless_the_alert_has_them() {
        let yaml = "global:\n  scrape_interval: 1s\n  external_labels:\n    env: prod\n    team: db\n\
                    alerting:\n  alertmanagers: []\nscrape_configs: []\n";
        let outgoing = Outgoing::parse(yaml).unwrap();
        let sent = outgoing.of(&labels(&[("alertname", "Down"), ("team", "web")]));
        assert_eq!(sent, labels(&[("alertname", "Down"), ("env", "prod"), ("team", "web")]));
        assert!(outgoing.adds("env", "prod") && !outgoing.adds("env", "test") && !outgoing.adds("x", ""));
        let none = Outgoing::parse("scrape_configs: []\n").unwrap();
        assert_eq!(none.of(&labels(&[("a", "b")])), labels(&[("a", "b")]));
    }

    #[test]
    fn drops_labels_by_relabelling() {
        let with = |rule: &str| {
            let yaml = format!(
                "global: {{external_labels: {{env: prod, replica: a}}}}\nalerting:\n  alert_relabel_configs:\n  {rule}\n"
            );
            Outgoing::parse(&yaml).unwrap().of(&labels(&[("alertname", "Down"), ("replicas", "2")]))
        };
        assert_eq!(
            with("- {separator: ;, regex: replica, replacement: $1, action: labeldrop}"),
            labels(&[("alertname", "Down"), ("env", "prod"), ("replicas", "2")])
        );
        assert_eq!(
            with("- {regex: alertname|env, action: labelkeep}"),
            labels(&[("alertname", "Down"), ("env", "prod")])
        );
        assert_eq!(with("- {source_labels: [env], regex: x, action: keep}").len(), 4);
        for (yaml, rewrites) in [
            ("{alert_relabel_configs: [{regex: x, action: labeldrop}, {action: keep}]}", false),
            ("{alert_relabel_configs: [{target_label: env, replacement: test}]}", true),
            ("{alertmanagers: [{static_configs: []}]}", false),
            ("{alertmanagers: [{alert_relabel_configs: [{regex: x, action: labeldrop}]}]}", true),
        ] {
            let outgoing = Outgoing::parse(&format!("alerting: {yaml}\n")).unwrap();
            assert_eq!(outgoing.rewrites(), rewrites, "{yaml}");
        }
        assert!(
            Outgoing::parse("alerting: {alert_relabel_configs: [{regex: '(', action: labeldrop}]}").is_err()
        );
    }
}
