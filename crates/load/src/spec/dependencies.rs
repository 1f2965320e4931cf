//! Dependencies between requests: which one captures the values that others need.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::request::RequestSpec;

/// Maps each captured value to the request that captures it, and fails when a value can never become available. The
/// values in `given` are available from the start.
pub fn resolve(
    requests: &[RequestSpec],
    given: &BTreeSet<String>,
) -> Result<BTreeMap<String, usize>, (usize, String)> {
    let needs: Vec<BTreeSet<String>> = requests.iter().map(RequestSpec::needs).collect();
    let mut dependencies: BTreeMap<String, usize> = BTreeMap::new();
    let available = |dependencies: &BTreeMap<String, usize>, name: &String| {
        dependencies.contains_key(name) || given.contains(name)
    };
    // A request is resolved once other requests capture everything it needs. Each round resolves at least one more, or
    // nothing is left to resolve.
    for _ in requests {
        for (index, request) in requests.iter().enumerate() {
            if needs[index].iter().all(|name| available(&dependencies, name)) {
                for capture in &request.capture {
                    dependencies.entry(capture.name.clone()).or_insert(index);
                }
            }
        }
    }
    let missing = needs
        .iter()
        .enumerate()
        .find_map(|(index, needs)| Some((index, needs.iter().find(|name| !available(&dependencies, name))?)));
    match missing {
        None => Ok(dependencies),
        Some((index, name)) => {
            let captured = requests.iter().any(|request| request.capture.iter().any(|own| own.name == *name));
            Err((
                index,
                if captured {
                    format!(
                        "`{{{{{name}}}}}` can never be captured: every request that captures it needs it first"
                    )
                } else {
                    format!(
                        "`{{{{{name}}}}}`: no request captures `{name}`; add `capture: {{{name}: /id}}` to one"
                    )
                },
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_values_that_no_other_request_captures() {
        let given = BTreeSet::from(["token".to_owned()]);
        let of = |yaml: &str| resolve(&serde_saphyr::from_str::<Vec<RequestSpec>>(yaml).unwrap(), &given);
        assert_eq!(of("[{get: '/{{token}}'}]"), Ok(BTreeMap::new()), "captured before the run");
        let chain =
            of("[{get: '/{{b}}'}, {get: '/{{a}}', capture: {b: /b}}, {get: /, capture: {a: /a}}]").unwrap();
        assert_eq!(chain, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
        for (yaml, index, words) in [
            ("[{get: /}, {get: '/{{id}}'}]", 1, "no request captures `id`"),
            ("[{get: '/{{id}}', capture: {id: /id}}]", 0, "can never be captured"),
            (
                "[{get: '/{{a}}', capture: {b: /b}}, {post: /, body: '{{b}}', capture: {a: X}}]",
                0,
                "can never be captured",
            ),
        ] {
            let (at, reason) = of(yaml).unwrap_err();
            assert!(at == index && reason.contains(words), "{yaml}: {at} {reason}");
        }
    }
}
