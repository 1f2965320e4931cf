//! Rules of one name: which of them is meant by the labels that a drill or a unit test demands.

use clients::prometheus::Labels;

/// Whether a label that a rule sets may be the one demanded; `unsaid` is what holds where nothing is demanded. What a
/// template gives is known only when the alert fires, so that it may be anything.
#[must_use]
pub fn fits(demanded: Option<&String>, set: &str, unsaid: bool) -> bool {
    set.contains("{{") || demanded.map_or(unsaid, |demanded| demanded == set)
}

/// Which of `rules`, the labels that each sets, is meant by `demanded`: those that contradict nothing and set most of it,
/// and of those the one that sets nothing else. More than one: the labels do not say which.
#[must_use]
pub fn meant(demanded: &Labels, rules: &[&Labels]) -> Vec<usize> {
    let sets =
        |rule: &Labels| demanded.iter().filter(|(name, value)| rule.get(*name) == Some(*value)).count();
    let agrees = |rule: &Labels| rule.iter().all(|(name, value)| fits(demanded.get(name), value, true));
    let mut found: Vec<usize> = (0..rules.len()).filter(|at| agrees(rules[*at])).collect();
    let most = found.iter().map(|at| sets(rules[*at])).max();
    found.retain(|at| Some(sets(rules[*at])) == most);
    let demands_all =
        |at: &usize| rules[*at].iter().all(|(name, value)| fits(demanded.get(name), value, false));
    let exact: Vec<usize> = found.iter().copied().filter(demands_all).collect();
    if exact.len() == 1 { exact } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &str) -> Labels {
        let pairs = pairs.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn of_several_rules_the_labels_say_which() {
        let burn =
            ["s=critical long=1h short=5m", "s=critical long=6h short=30m", "s=warning long=3d short=6h"];
        let nested = ["", "s=critical", "s=critical team={{t}}"];
        for (rules, demanded, expected) in [
            (&burn, "long=1h", &[0][..]),
            (&burn, "s=critical long=6h job=api", &[1]),
            (&burn, "s=warning", &[2]),
            (&burn, "s=critical", &[0, 1]),
            (&burn, "", &[0, 1, 2]),
            (&burn, "s=critical long=3d", &[]),
            (&burn, "job=api", &[0, 1, 2]),
            // One that sets less than another is meant by demanding no more than it sets.
            (&nested, "", &[0]),
            (&nested, "job=api", &[0]),
            (&nested, "s=critical", &[1, 2]),
            (&nested, "s=none", &[0]),
        ] {
            let rules: Vec<Labels> = rules.iter().map(|it| labels(it)).collect();
            let rules: Vec<&Labels> = rules.iter().collect();
            assert_eq!(meant(&labels(demanded), &rules), expected, "{demanded}");
        }
    }
}
