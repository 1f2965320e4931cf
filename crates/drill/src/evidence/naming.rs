//! Finds the alert that a text notification is about. Texts (Slack, Discord, PagerDuty, email) have no field for it, only a
//! heading that starts with a name. The loaded rules give the possible names, and the labels that distinguish alerts that
//! share a name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use clients::inbox::{Notification, NotifiedAlert};
use clients::prometheus::{Labels, RuleGroup};

/// Names of the loaded alerting rules, with the labels each rule sets.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    names: BTreeSet<String>,
    rules: Vec<(String, Labels)>,
}

impl Naming {
    /// Collects the names of the loaded rules.
    #[must_use]
    pub fn of(groups: &[RuleGroup]) -> Self {
        let rules = groups.iter().flat_map(|group| &group.rules);
        let alerting = rules.filter_map(|rule| rule.alerting.as_ref().map(|alerting| (rule, alerting)));
        let rules: Vec<_> =
            alerting.map(|(rule, alerting)| (rule.name.clone(), alerting.labels.clone())).collect();
        Self { names: rules.iter().map(|(name, _)| name.clone()).collect(), rules }
    }

    /// Sets the alert name of each text notification to the rule name in its heading, if there is one.
    pub fn settle(&self, notifications: &mut [Notification]) {
        for alert in notifications.iter_mut().flat_map(|notification| &mut notification.alerts) {
            if let Some(name) = alert.heading.as_deref().and_then(|heading| self.name(heading)) {
                name.clone_into(&mut alert.alert);
            }
        }
    }

    /// The longest rule name at the place of the name in a heading.
    fn name(&self, heading: &str) -> Option<&str> {
        let heading = plain(heading);
        let named = self.names.iter().filter(|name| rest(&heading, name).is_some());
        named.max_by_key(|name| name.len()).map(String::as_str)
    }

    /// Whether a text that names the alert with these labels is about another rule of that name: it contains a label value of
    /// the other rule (such as its severity) and not the alert's own.
    #[must_use]
    pub fn is_of_another(&self, alert: &NotifiedAlert, own: &Labels) -> bool {
        let (Some(heading), Some(name)) = (&alert.heading, own.get("alertname")) else { return false };
        let heading = plain(heading);
        let Some(text) = rest(&heading, name).map(labels_in) else { return false };
        let namesakes = self.rules.iter().filter(|(other, _)| other == name);
        namesakes.flat_map(|(_, labels)| labels).any(|(label, value)| {
            let differs = own.get(label).is_some_and(|own| own != value && !holds(text, own));
            differs && holds(text, value)
        })
    }
}

/// Normalises white space to single spaces, as templates write it.
fn plain(text: &str) -> Cow<'_, str> {
    let tidy = !text.contains("  ") && text.chars().all(|it| it == ' ' || !it.is_whitespace());
    if tidy { text.into() } else { text.split_whitespace().collect::<Vec<_>>().join(" ").into() }
}

/// The text after `name` in a heading that starts with it or, when alerts are not grouped by name, has it first among the
/// labels in parentheses.
fn rest<'a>(heading: &'a str, name: &str) -> Option<&'a str> {
    let name = plain(name);
    // Slack requires these three characters to be escaped.
    let escaped = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let begins = |text: &'a str| {
        let rest = text.strip_prefix(&*name).or_else(|| text.strip_prefix(&escaped))?;
        let ends = |next: char| next.is_whitespace() || "(:|,*`~<>)…".contains(next);
        rest.chars().next().is_none_or(ends).then_some(rest)
    };
    if name.is_empty() {
        return None;
    }
    begins(heading).or_else(|| begins(heading.split_once(" (")?.1))
}

/// The part of the text after the name that holds labels: up to the end of the first parentheses, otherwise all of it.
fn labels_in(rest: &str) -> &str {
    let mut depth = 0_i32;
    for (at, character) in rest.char_indices() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => continue,
        };
        if depth <= 0 {
            return &rest[..at];
        }
    }
    rest
}

/// Whether a text contains a value as a whole word.
fn holds(text: &str, value: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    !value.is_empty()
        && text.match_indices(value).any(|(at, found)| {
            !text[..at].chars().next_back().is_some_and(inside)
                && !text[at + found.len()..].chars().next().is_some_and(inside)
        })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A `Naming` of rules given by name and labels.
    pub fn naming(rules: &[(&str, &[(&str, &str)])]) -> Naming {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let rules: Vec<_> = rules.iter().map(|(name, pairs)| ((*name).to_owned(), labels(pairs))).collect();
        Naming { names: rules.iter().map(|(name, _)| name.clone()).collect(), rules }
    }

    fn alert(heading: &str) -> NotifiedAlert {
        NotifiedAlert {
            alert: "?".into(),
            status: "firing".into(),
            heading: Some(heading.into()),
            fingerprint: None,
            starts_at: None,
            ends_at: None,
            labels: Labels::new(),
        }
    }

    #[test]
    fn finds_the_longest_name_in_the_heading() {
        let naming =
            naming(&[("Service", &[]), ("Service Is Down", &[]), ("A & B: 10 % (ten)", &[]), ("API", &[])]);
        for (heading, name) in [
            ("Service Is Down (critical)", Some("Service Is Down")),
            ("Service Is Down (critical): the service is gone", Some("Service Is Down")),
            ("Service  Is\tDown api (10.0.0.1 critical)", Some("Service Is Down")),
            ("Service Is Downtown (critical)", Some("Service")),
            ("Service is down (critical)", Some("Service")),
            ("Services (critical)", None),
            ("A & B: 10 % (ten) (warning)", Some("A & B: 10 % (ten)")),
            ("A &amp; B: 10 % (ten) (warning)", Some("A & B: 10 % (ten)")),
            // Alertmanager's own template, grouped by job only.
            ("api (Service Is Down critical)", Some("Service Is Down")),
            ("api (critical)", None),
            ("API-Gateway (critical)", None),
            ("API* and more", Some("API")),
        ] {
            assert_eq!(naming.name(heading), name, "{heading}");
        }
    }

    #[test]
    fn label_values_in_the_text_distinguish_alerts_of_one_name() {
        let naming = naming(&[
            ("Burn", &[("severity", "critical"), ("burn", "fast")]),
            ("Burn", &[("severity", "warning"), ("burn", "slow"), ("team", "{{ $labels.team }}")]),
            ("Other", &[("severity", "page")]),
        ]);
        let own = |severity: &str, burn: &str| -> Labels {
            [("alertname", "Burn"), ("severity", severity), ("burn", burn), ("team", "a")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        };
        let (fast, slow) = (own("critical", "fast"), own("warning", "slow"));
        for (heading, of_fast, of_slow) in [
            ("Burn (critical)", true, false),
            ("Burn (warning)", false, true),
            ("Burn (warning): past the critical line", false, true),
            ("Burn api (slow 10.0.0.1 warning)", false, true),
            ("Burn critical (api)", true, false),
            ("Burn", true, true),
            ("Burn (page)", true, true),
            ("Burn: warnings", true, true),
        ] {
            assert_eq!(!naming.is_of_another(&alert(heading), &fast), of_fast, "fast: {heading}");
            assert_eq!(!naming.is_of_another(&alert(heading), &slow), of_slow, "slow: {heading}");
        }
    }
}
