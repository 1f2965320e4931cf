//! Silences that match an alert before it fires.

use crate::routing::matcher::Matcher;
use clients::alertmanager::Silence;
use clients::prometheus::Labels;

/// Whether the known labels meet every condition of a silence. A silence with conditions on other labels may or may not match
/// the alert, which is only known when it fires.
#[must_use]
pub fn covers(silence: &Silence, known: &Labels) -> bool {
    !silence.matchers.is_empty()
        && silence.matchers.iter().all(|matcher| {
            known.contains_key(&matcher.name)
                && Matcher::new(&matcher.name, &matcher.value, matcher.is_regex, matcher.is_equal)
                    .is_ok_and(|matcher| matcher.matches(known))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clients::alertmanager;

    #[test]
    fn covers_only_if_known_labels_meet_all_conditions() {
        let known = Labels::from([("alertname".into(), "A".into()), ("severity".into(), "warning".into())]);
        let silence = |matchers: &[(&str, &str, bool, bool)]| Silence {
            id: "1f".into(),
            comment: "lunch".into(),
            matchers: matchers
                .iter()
                .map(|(name, value, is_regex, is_equal)| alertmanager::Matcher {
                    name: (*name).into(),
                    value: (*value).into(),
                    is_regex: *is_regex,
                    is_equal: *is_equal,
                })
                .collect(),
        };
        for (matchers, expected) in [
            (&[("alertname", "A", false, true)][..], true),
            (&[("alertname", "B|A", true, true)], true),
            (&[("alertname", "AB", true, true)], false),
            (&[("severity", "critical", false, false)], true),
            (&[("alertname", "A", false, true), ("job", "api", false, true)], false),
            (&[("alertname", "A", false, true), ("severity", "critical", false, true)], false),
            (&[], false),
        ] {
            assert_eq!(covers(&silence(matchers), &known), expected, "{matchers:?}");
        }
    }
}
