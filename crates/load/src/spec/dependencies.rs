//! Which request captures what others need.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::request::RequestSpec;

/// For each captured value the request that captures it, such that nothing needs what could never be had; `given` are
/// there from the start.
pub fn suppliers(
    requests: &[RequestSpec],
    given: &BTreeSet<String>,
) -> Result<BTreeMap<String, usize>, (usize, String)> {
    let needs: Vec<BTreeSet<String>> = requests.iter().map(RequestSpec::needs).collect();
    let mut suppliers: BTreeMap<String, usize> = BTreeMap::new();
    let there = |suppliers: &BTreeMap<String, usize>, name: &String| {
        suppliers.contains_key(name) || given.contains(name)
    };
    // A request counts once all it needs is supplied by others before it; each round finds at least one or is the last.
    for _ in requests {
        for (index, request) in requests.iter().enumerate() {
            if needs[index].iter().all(|name| there(&suppliers, name)) {
                for capture in &request.capture {
                    suppliers.entry(capture.name.clone()).or_insert(index);
                }
            }
        }
    }
    let missing = needs
        .iter()
        .enumerate()
        .find_map(|(index, needs)| Some((index, needs.iter().find(|name| !there(&suppliers, name))?)));
    match missing {
        None => Ok(suppliers),
        Some((index, name)) => {
            let captured = requests.iter().any(|request| request.capture.iter().any(|own| own.name == *name));
            Err((
                index,
                if captured {
                    format!(
                        "`{{{{{name}}}}}` can never be had: every request that captures it needs it first"
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
    fn what_is_needed_must_be_captured_by_another() {
        let given = BTreeSet::from(["token".to_owned()]);
        let of = |yaml: &str| suppliers(&serde_saphyr::from_str::<Vec<RequestSpec>>(yaml).unwrap(), &given);
        assert_eq!(of("[{get: '/{{token}}'}]"), Ok(BTreeMap::new()), "captured before the run");
        let chain =
            of("[{get: '/{{b}}'}, {get: '/{{a}}', capture: {b: /b}}, {get: /, capture: {a: /a}}]").unwrap();
        assert_eq!(chain, [("a".to_owned(), 2), ("b".to_owned(), 1)].into());
        for (yaml, index, words) in [
            ("[{get: /}, {get: '/{{id}}'}]", 1, "no request captures `id`"),
            ("[{get: '/{{id}}', capture: {id: /id}}]", 0, "can never be had"),
            (
                "[{get: '/{{a}}', capture: {b: /b}}, {post: /, body: '{{b}}', capture: {a: X}}]",
                0,
                "can never be had",
            ),
        ] {
            let (at, reason) = of(yaml).unwrap_err();
            assert!(at == index && reason.contains(words), "{yaml}: {at} {reason}");
        }
    }
}
