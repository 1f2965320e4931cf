//! Labels whose value changes from one evaluation to the next. Each value is a separate alert to Prometheus and
//! Alertmanager, so no alert stays pending, and a firing one resolves at the next evaluation although the condition holds.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::evidence::activation::Activation;
use crate::timing::clock;
use clients::prometheus::Labels;

/// A label whose value changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changing {
    /// Name of the label.
    pub label: String,
    /// Its values, in order of time.
    pub values: Vec<String>,
}

/// Number of consecutive alerts, each starting as the previous one ends, that show a changing label. For a label into
/// which the rule writes its value, two are enough.
const ROW: usize = 3;

/// Labels whose templates contain the rule's value.
#[must_use]
pub fn with_value(templates: &Labels) -> BTreeSet<String> {
    let writes = |template: &&String| template.contains("$value") || template.contains(".Value");
    templates.iter().filter(|(_, template)| writes(template)).map(|(name, _)| name.clone()).collect()
}

/// The label in which consecutive activations differ, if there is one.
#[must_use]
pub fn changing(
    activations: &[Activation],
    with_value: &BTreeSet<String>,
    evaluation: Duration,
) -> Option<Changing> {
    let names: BTreeSet<&String> = activations.iter().flat_map(|it| it.labels.keys()).collect();
    names.into_iter().find_map(|label| {
        let row = row(activations, label, evaluation);
        let enough = if with_value.contains(label) { 2 } else { ROW };
        (row.len() >= enough).then(|| Changing { label: label.clone(), values: row })
    })
}

/// The longest sequence of consecutive activations that differ only in this label.
fn row(activations: &[Activation], label: &str, evaluation: Duration) -> Vec<String> {
    let others = |it: &Activation| {
        let mut labels = it.labels.clone();
        labels.remove(label);
        labels
    };
    let value = |it: &Activation| it.labels.get(label).cloned().unwrap_or_default();
    let mut longest: Vec<String> = Vec::new();
    for (index, start) in activations.iter().enumerate() {
        let (mut row, mut last) = (vec![value(start)], start);
        for next in &activations[index + 1..] {
            let gap = clock::seconds(last.last, next.began);
            if gap > 1.5 * evaluation.as_secs_f64() {
                break; // activations are sorted by their start, so all others are further away
            }
            if gap > 0.0 && others(next) == others(start) && value(next) != value(last) {
                row.push(value(next));
                last = next;
            }
        }
        if row.len() > longest.len() {
            longest = row;
        }
        if longest.len() > ROW {
            break; // more activations add no information
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn one(began: i64, last: i64, pairs: &[(&str, &str)]) -> Activation {
        let labels = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Activation { labels, began: at(began), fired: None, last: at(last) }
    }

    fn found(activations: &[Activation], with_value: &[&str]) -> Option<(String, usize)> {
        let with_value = with_value.iter().map(|name| (*name).to_owned()).collect();
        changing(activations, &with_value, Duration::from_secs(10)).map(|it| (it.label, it.values.len()))
    }

    #[test]
    fn recognises_values_in_label_templates() {
        let templates = [
            ("severity", "page"),
            ("now", "{{ $value | humanize }}"),
            ("then", "{{ .Value }}"),
            ("job", "{{ $labels.job }}"),
        ];
        let templates = templates.map(|(name, template)| (name.to_owned(), template.to_owned())).into();
        assert_eq!(with_value(&templates).into_iter().collect::<Vec<_>>(), ["now", "then"]);
    }

    #[test]
    fn compares_many_activations_only_with_their_neighbours() {
        let many: Vec<_> = (0..20_000).map(|it| one(it * 10, it * 10, &[("a", "1"), ("b", "2")])).collect();
        assert_eq!(found(&many, &[]), None);
    }

    #[test]
    fn finds_consecutive_alerts_that_differ_in_one_label() {
        let values = |count: i64| -> Vec<_> {
            (0..count).map(|it| one(it * 10, it * 10, &[("job", "a"), ("now", &it.to_string())])).collect()
        };
        assert_eq!(found(&values(2), &["now"]), Some(("now".into(), 2)));
        assert_eq!(
            found(&values(2), &[]),
            None,
            "could be one instance after the other, as in a rolling restart"
        );
        assert_eq!(found(&values(3), &[]), Some(("now".into(), 3)));
        assert_eq!(found(&values(1), &["now"]), None);
    }

    #[test]
    fn overlapping_or_distant_alerts_are_not_consecutive() {
        let instance = |began, last, name| one(began, last, &[("instance", name)]);
        let beside = [instance(0, 50, "a"), instance(10, 60, "b"), instance(20, 70, "c")];
        assert_eq!(found(&beside, &["instance"]), None);
        let apart = [instance(0, 10, "a"), instance(60, 70, "b"), instance(120, 130, "c")];
        assert_eq!(found(&apart, &["instance"]), None);
        let flapping = [instance(0, 0, "a"), instance(20, 20, "a"), instance(40, 40, "a")];
        assert_eq!(found(&flapping, &["instance"]), None);
        let other = |began, one_label, two| one(began, began, &[("a", one_label), ("b", two)]);
        let two = [other(0, "1", "1"), other(10, "2", "2"), other(20, "3", "3")];
        assert_eq!(found(&two, &[]), None, "two labels change: ambiguous");
    }
}
