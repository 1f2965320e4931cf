//! Rules about a query.

use promql_parser::label::MatchOp;
use promql_parser::parser::{VectorSelector, parse};

use super::selectors;
use crate::fill::Values;

/// Unusual values of the variables, to distinguish them from literals in the query.
fn marks() -> Values {
    Values {
        job: "the-job".to_owned(),
        instance: "the-instance".to_owned(),
        route: "the-route".to_owned(),
        rate_interval: "7919s".to_owned(),
        range: "104729s".to_owned(),
    }
}

/// Rule and message of each finding.
pub(super) fn check(query: &str) -> Vec<(&'static str, String)> {
    let marks = marks();
    let expr = match parse(&marks.fill(query)) {
        Ok(expr) => expr,
        Err(error) => return vec![("target-promql-rule", error)],
    };
    let mut faults = Vec::new();
    for found in selectors::all(&expr) {
        let name = found.selector.name.as_deref().unwrap_or("a selector without a name");
        for (rule, label, value) in
            [("target-job-rule", "job", &marks.job), ("target-instance-rule", "instance", &marks.instance)]
        {
            if !matches(found.selector, label, value) {
                faults.push((rule, format!("{name} has no {label}=~\"${label}\"")));
            }
        }
        let counted = matches!(found.function, Some("rate" | "irate" | "increase"));
        if name.ends_with("_total") && !(counted && found.range.is_some()) {
            faults.push((
                "target-counter-agg-rule",
                format!("{name} is a counter: use rate, irate or increase"),
            ));
        }
        let by_rate = matches!(found.function, Some("rate" | "irate"));
        if by_rate && found.range != Some(7919.0) {
            faults.push((
                "target-rate-interval-rule",
                format!("the rate of {name} must be over $__rate_interval"),
            ));
        }
    }
    faults.dedup();
    faults
}

fn matches(selector: &VectorSelector, label: &str, value: &str) -> bool {
    selector
        .matchers
        .matchers
        .iter()
        .any(|it| it.name == label && it.value == value && matches!(it.op, MatchOp::Re(_)))
}

#[cfg(test)]
mod tests {
    use super::check;

    fn rules(query: &str) -> Vec<&'static str> {
        check(query).into_iter().map(|(rule, _)| rule).collect()
    }

    #[test]
    fn finds_a_violation_of_each_rule() {
        let m = r#"job=~"$job",instance=~"$instance""#;
        for (query, broken) in [
            (format!("sum(rate(a_total{{{m}}}[$__rate_interval]))"), vec![]),
            (format!("increase(a_total{{{m}}}[30d])"), vec![]),
            (format!("a{{{m}}} / (b{{{m}}} > 0)"), vec![]),
            ("sum(a".to_owned(), vec!["target-promql-rule"]),
            (r#"a{instance=~"$instance"}"#.to_owned(), vec!["target-job-rule"]),
            (r#"a{job="$job",instance=~"$instance"}"#.to_owned(), vec!["target-job-rule"]),
            (r#"a{job=~"$job"}"#.to_owned(), vec!["target-instance-rule"]),
            (format!("a_total{{{m}}}"), vec!["target-counter-agg-rule"]),
            (format!("max_over_time(a_total{{{m}}}[5m])"), vec!["target-counter-agg-rule"]),
            (format!("rate(a_total{{{m}}}[5m])"), vec!["target-rate-interval-rule"]),
            (
                "topk(scalar(x), y)".to_owned(),
                vec!["target-job-rule", "target-instance-rule", "target-job-rule", "target-instance-rule"],
            ),
        ] {
            assert_eq!(rules(&query), broken, "{query}");
        }
    }
}
