//! Thresholds of rules that compare their value with one number.

use clients::prometheus::RuleGroup;
use promql::{Threshold, threshold};

/// The thresholds of the rules with this name that compare their value with one number.
#[must_use]
pub fn thresholds(groups: &[RuleGroup], alert: &str) -> Vec<Threshold> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    let named = rules.filter(|rule| rule.alerting.is_some() && rule.name == alert);
    named
        .filter_map(|rule| threshold(&rule.query))
        .filter(|it| it.value > 0.0 && it.value.is_finite())
        .collect()
}
