//! The durations of an expression in textual order, each with the jobs it applies to.

use std::collections::BTreeSet;
use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, Offset, VectorSelector};

use crate::error::Error;
use crate::parse::parse;
use crate::place::Place;
use crate::walk::children;

/// A duration in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Its kind.
    pub place: Place,
    /// Its value.
    pub from: Duration,
    /// The scrape jobs selected by its matchers; `None` if a selector names no job.
    pub jobs: Option<BTreeSet<String>>,
}

/// Every duration of an expression, in textual order.
///
/// # Errors
/// When the expression cannot be parsed.
pub fn durations(expr: &str) -> Result<Vec<Occurrence>, Error> {
    let mut found = Vec::new();
    collect(&parse(expr)?, &mut found);
    Ok(found)
}

fn collect(expr: &Expr, found: &mut Vec<Occurrence>) {
    for child in children(expr) {
        collect(child, found);
    }
    let jobs = jobs(expr);
    let mut add = |place, from: Duration| found.push(Occurrence { place, from, jobs: jobs.clone() });
    let by = |offset: &Offset| match offset {
        Offset::Pos(by) | Offset::Neg(by) => *by,
    };
    match expr {
        Expr::VectorSelector(it) => it.offset.iter().for_each(|offset| add(Place::Offset, by(offset))),
        Expr::MatrixSelector(it) => {
            add(Place::Range, it.range);
            it.vs.offset.iter().for_each(|offset| add(Place::Offset, by(offset)));
        }
        Expr::Subquery(it) => {
            add(Place::SubqueryRange, it.range);
            it.step.iter().for_each(|step| add(Place::SubqueryStep, *step));
            it.offset.iter().for_each(|offset| add(Place::Offset, by(offset)));
        }
        _ => {}
    }
}

fn jobs(expr: &Expr) -> Option<BTreeSet<String>> {
    match expr {
        Expr::VectorSelector(it) => named(it),
        Expr::MatrixSelector(it) => named(&it.vs),
        other => {
            let mut all = BTreeSet::new();
            for child in children(other) {
                all.extend(jobs(child)?);
            }
            Some(all)
        }
    }
}

/// The jobs of `job="a"` and `job=~"a|b"`.
fn named(selector: &VectorSelector) -> Option<BTreeSet<String>> {
    if !selector.matchers.or_matchers.is_empty() {
        return None;
    }
    selector.matchers.matchers.iter().filter(|it| it.name == "job").find_map(plain)
}

fn plain(matcher: &Matcher) -> Option<BTreeSet<String>> {
    let word = |name: &str| {
        !name.is_empty() && name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '/' | ' '))
    };
    match &matcher.op {
        MatchOp::Equal => Some(BTreeSet::from([matcher.value.clone()])),
        MatchOp::Re(_) => {
            let names: BTreeSet<String> = matcher.value.split('|').map(str::to_owned).collect();
            names.iter().all(|name| word(name)).then_some(names)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_jobs_of_each_duration() {
        for (expr, expected) in [
            (r#"rate(x{job="a"}[5m])"#, &["range a"][..]),
            (r#"rate(x{job=~"a|b-c"}[5m] offset 1m)"#, &["range a,b-c", "offset a,b-c"]),
            (r#"rate(x{job=~"a.*"}[5m]) + y offset 2m"#, &["range ?", "offset ?"]),
            (r#"rate(x{job!="a"}[5m])"#, &["range ?"]),
            (
                r#"max_over_time((rate(x{job="a"}[5m]) / on () y{job="b"})[1h:1m] offset 2h)"#,
                &["range a", "subquery range a,b", "subquery step a,b", "offset a,b"],
            ),
            (r#"max_over_time((x{job="a"} / y)[1h:])"#, &["subquery range ?"]),
            (
                "max_over_time(vector(time())[1h:1h] offset 30d)",
                &["subquery range ", "subquery step ", "offset "],
            ),
            (
                r#"topk(scalar(count_over_time(x{job="p"}[1m])), rate(y{job="q"}[2m]))"#,
                &["range p", "range q"],
            ),
        ] {
            let jobs = |occurrence: &Occurrence| match &occurrence.jobs {
                None => "?".to_owned(),
                Some(jobs) => jobs.iter().cloned().collect::<Vec<_>>().join(","),
            };
            let found: Vec<_> =
                durations(expr).unwrap().iter().map(|it| format!("{} {}", it.place, jobs(it))).collect();
            assert_eq!(found, expected, "{expr}");
        }
    }
}
