use super::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn parsed() -> Value {
    serde_json::from_str(text()).unwrap()
}

fn operations(api: &Value) -> BTreeMap<(String, String), Value> {
    const METHODS: &[&str] = &["get", "head", "post", "put", "patch", "delete", "options", "trace"];
    let paths = api["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .filter(|(method, _)| METHODS.contains(&method.as_str()))
                .map(|(method, operation)| ((path.clone(), method.to_uppercase()), operation.clone()))
        })
        .collect()
}

#[test]
fn describes_exactly_the_routes_and_methods() {
    let api = parsed();
    assert_eq!(api["openapi"], "3.1.0");
    let described: BTreeSet<(String, String)> = operations(&api).into_keys().collect();
    let served: BTreeSet<(String, String)> = routes::ALL
        .iter()
        .flat_map(|endpoint| {
            let methods = endpoint.methods.iter().chain(&["OPTIONS"]);
            methods.map(|method| (endpoint.path.to_owned(), (*method).to_owned()))
        })
        .collect();
    let missing: Vec<_> = served.difference(&described).collect();
    assert!(
        missing.is_empty(),
        "give these handlers a #[utoipa::path] and list them in Described: {missing:?}"
    );
    let extra: Vec<_> = described.difference(&served).collect();
    assert!(extra.is_empty(), "described, but not in the table of routes: {extra:?}");
}

#[test]
fn ids_are_unique_and_references_resolve() {
    let api = parsed();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&api) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{name:?} has no id")).to_owned();
        assert!(ids.insert(id.clone()), "duplicate id {id}");
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{name:?} has no summary"
        );
    }
    let mut rest = text();
    while let Some((_, tail)) = rest.split_once("\"$ref\":\"#") {
        let (pointer, tail) = tail.split_once('"').unwrap();
        assert!(api.pointer(pointer).is_some(), "{pointer} does not exist");
        rest = tail;
    }
}

#[test]
fn every_response_has_its_common_parts() {
    for ((path, method), operation) in operations(&parsed()) {
        let endpoint = routes::find(Some(&path)).unwrap();
        let responses = operation["responses"].as_object().unwrap();
        let limited = endpoint.limited && method != "OPTIONS";
        assert_eq!(responses.contains_key("429"), limited, "{method} {path}");
        for (status, response) in responses {
            let place = format!("{method} {path} {status}");
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{place}");
            assert!(response["headers"]["X-Request-Id"].is_object(), "{place}");
            assert_eq!(response["headers"]["RateLimit"].is_object(), limited, "{place}");
            let content: Vec<&str> = response["content"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(kind, _)| kind.as_str())
                .collect();
            let expected = status.starts_with(['4', '5']) && method != "HEAD";
            assert_eq!(content == ["application/problem+json"], expected, "{place}: {content:?}");
            assert!(method != "HEAD" || content.is_empty(), "{place}: {content:?}");
        }
    }
}

#[test]
fn no_parameter_may_be_null() {
    for (name, operation) in operations(&parsed()) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["schema"]["type"].is_string(), "{name:?}: {parameter}");
        }
    }
}
