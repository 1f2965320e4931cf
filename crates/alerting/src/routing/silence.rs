//! Silences that cover an alert before it fires.

use crate::routing::matcher::Matcher;
use clients::alertmanager::Silence;
use clients::prometheus::Labels;

/// Whether every condition of a silence is met by labels that are already known. One that also looks at others
/// may cover the alert or not; that shows when it fires.
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
    fn a_silence_refuses_only_when_all_its_labels_are_known_to_match() {
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
