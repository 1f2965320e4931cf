//! Rules that share an alert name: which of them a drill or a unit test means by its labels.

use clients::prometheus::Labels;

/// Whether a label of a rule can have the demanded value; `undemanded` is the result where nothing is demanded. The value of
/// a template is known only when the alert fires, so it matches everything.
#[must_use]
pub fn fits(demanded: Option<&String>, set: &str, undemanded: bool) -> bool {
    set.contains("{{") || demanded.map_or(undemanded, |demanded| demanded == set)
}

/// Indices of the `rules` (the labels each of them sets) that `demanded` means: those that contradict nothing and set most
/// of the demanded labels, and among them the one that sets no others. Several indices: the labels are ambiguous.
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
    fn labels_select_one_of_several_rules() {
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
            // A rule that sets fewer labels than another is selected by demanding only the labels it sets.
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
