//! Alertmanager's inhibit rules: while an alert is active, others are not sent.
//!
//! Source: <https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings>.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::routing::error::RoutingError;
use crate::routing::matcher::{Matcher, all_match, conditions};
use clients::prometheus::Labels;

/// An inhibit rule in a file.
#[derive(Deserialize)]
pub(super) struct RuleFile {
    #[serde(default)]
    source_matchers: Vec<String>,
    #[serde(default)]
    source_match: BTreeMap<String, Option<String>>,
    #[serde(default)]
    source_match_re: BTreeMap<String, Option<String>>,
    #[serde(default)]
    target_matchers: Vec<String>,
    #[serde(default)]
    target_match: BTreeMap<String, Option<String>>,
    #[serde(default)]
    target_match_re: BTreeMap<String, Option<String>>,
    #[serde(default)]
    equal: Vec<String>,
}

/// An inhibit rule.
#[derive(Debug)]
pub(super) struct InhibitRule {
    source: Vec<Matcher>,
    target: Vec<Matcher>,
    equal: Vec<String>,
}

impl InhibitRule {
    pub(super) fn new(file: &RuleFile) -> Result<Self, RoutingError> {
        Ok(Self {
            source: conditions(&file.source_matchers, &file.source_match, &file.source_match_re)?,
            target: conditions(&file.target_matchers, &file.target_match, &file.target_match_re)?,
            equal: file.equal.clone(),
        })
    }

    /// The first of the active alerts that inhibits an alert by this rule. Of two alerts that both match both sides, none
    /// inhibits the other, so that no alert inhibits itself.
    pub(super) fn inhibitor<'a>(&self, alert: &Labels, active: &'a [Labels]) -> Option<&'a Labels> {
        if !all_match(&self.target, alert) {
            return None;
        }
        let both_sides = all_match(&self.source, alert);
        let value = |labels: &'a Labels, name: &str| labels.get(name).map_or("", String::as_str);
        active.iter().find(|source| {
            all_match(&self.source, source)
                && self
                    .equal
                    .iter()
                    .all(|name| value(source, name) == alert.get(name).map_or("", String::as_str))
                && !(both_sides && all_match(&self.target, source))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::routing::labels;
    use crate::routing::tree::Routing;

    const CONFIG: &str = r#"
route: {receiver: a}
receivers: [{name: a}]
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity=~"warning|info"]
    equal: [alertname, job]
  - source_match: {alertname: Down}
    target_match_re: {alertname: "Down|Slow.*"}
    equal: [job]
  - {source_matchers: [alertname="Down"], target_matchers: [silly!=""]}
"#;

    #[test]
    fn an_active_source_inhibits_targets_with_equal_labels() {
        let routing = Routing::parse(CONFIG).unwrap();
        for (alert, active, rule) in [
            ("A,severity=warning,job=api", "A,severity=critical,job=api", Some(0)),
            ("A,severity=warning,job=api", "A,severity=critical,job=db", None),
            ("A,severity=warning,job=api", "A,severity=critical", None),
            // A label that both lack is equal.
            ("A,severity=warning", "A,severity=critical", Some(0)),
            ("A,severity=critical", "A,severity=critical", None),
            ("A,severity=warning", "B,severity=critical", None),
            ("Slow,job=x", "Down,job=x", Some(1)),
            // Both match both sides of the second rule.
            ("Down,job=x", "Down,job=x,instance=other", None),
            ("Down,job=x,silly=1", "Down,job=x", Some(2)),
            ("Slow", "Fast", None),
        ] {
            let [alert, active] = [alert, active].map(|text| labels::parse(text).unwrap());
            let found = routing.inhibitor(&alert, std::slice::from_ref(&active));
            assert_eq!(found.map(|(rule, _)| rule), rule, "{alert:?} {active:?}");
        }
    }
}
