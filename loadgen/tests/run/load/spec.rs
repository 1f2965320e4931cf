//! Load in YAML files.

use load::spec::load::LoadSpec;
use load::spec::method::Method;

fn read(yaml: &str) -> Result<LoadSpec, String> {
    serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
}

#[test]
fn parses_every_field() {
    let load = read(
        "rate: 90/m
requests:
  - {weight: 92, get: /api/users}
  - {weight: 8, get: /api/error, expect: 500}
  - post: /api/users
    headers: {X-Key: abc}
    body: {name: Ada, tags: [a, b]}
    expect: [201, 409]
  - {put: /update, body: plain text}
  - {patch: /a}
  - {delete: /a/1?force=true}
  - {head: /}
  - {options: '/'}
",
    )
    .unwrap();
    assert_eq!(load.rate.per_second(), 1.5);
    let methods: Vec<_> = load.requests.iter().map(|request| request.method).collect();
    use Method::{Delete, Get, Head, Options, Patch, Post, Put};
    assert_eq!(methods, [Get, Get, Post, Put, Patch, Delete, Head, Options]);
    let weights: Vec<_> = load.requests.iter().map(|request| request.weight).collect();
    assert_eq!(weights, [92, 8, 1, 1, 1, 1, 1, 1]);
    let [users, error, post, put, _, delete, ..] = load.requests.as_slice() else { panic!("{load:?}") };
    assert!(users.expect.matches(200) && users.expect.matches(302) && !users.expect.matches(404));
    assert!(error.expect.matches(500) && !error.expect.matches(200));
    assert!(post.expect.matches(409) && !post.expect.matches(200));
    assert_eq!(post.body, br#"{"name":"Ada","tags":["a","b"]}"#);
    let header =
        |name: &str| post.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    assert_eq!((header("X-Key"), header("Content-Type")), (Some("abc"), Some("application/json")));
    assert_eq!((put.body.as_slice(), put.headers.len()), (&b"plain text"[..], 0));
    assert_eq!(delete.path, "/a/1?force=true");
    assert!((load.share(|request| request.expect.matches(500)) - 8.0 / 106.0).abs() < 1e-12);
}

#[test]
fn errors_name_the_mistake() {
    for (yaml, words) in [
        ("{requests: [{get: /}]}", "rate"),
        ("{rate: 40/d, requests: [{get: /}]}", "`40/d` is not a rate"),
        ("{rate: 1/s}", "requests"),
        ("{rate: 1/s, requests: []}", "at least one request"),
        ("{rate: 1/s, requests: [{weight: 2}]}", "one of get, post"),
        ("{rate: 1/s, requests: [{get: /, post: /}]}", "found `get` and `post`"),
        ("{rate: 1/s, requests: [{get: /, wieght: 2}]}", "wieght"),
        ("{rate: 1/s, requests: [{get: /, weight: 0}]}", "weight: must be at least 1, found 0"),
        ("{rate: 1/s, requests: [{get: api/users}]}", "`api/users` is not a path"),
        ("{rate: 1/s, requests: [{get: '/a b'}]}", "percent-encode"),
        ("{rate: 1/s, requests: [{get: /, expect: 99}]}", "`99` is not a status"),
        ("{rate: 1/s, requests: [{get: /, expect: []}]}", "expect: the list is empty"),
        ("{rate: 1/s, requests: [{get: /, expect: many}]}", "expect: `many` is not a status"),
        ("{rate: 1/s, requests: [{get: /, headers: {'a b': c}}]}", "`a b` is not a header name"),
        ("{rate: 1/s, requests: [{get: /, headers: {Content-Length: '5'}}]}", "remove it"),
        ("{rate: 1/s, requests: [{get: /, headers: {A: \"x\\r\\ny\"}}]}", "control character"),
        ("{rate: 1/s, requests: [{get: '/{{int 5}}'}]}", "get: `{{int 5}}`: expected a minimum"),
        ("{rate: 1/s, requests: [{get: /, headers: {A: '{{n'}}]}", "headers: `{{n` is not closed"),
        ("{rate: 1/s, requests: [{post: /, body: {a: '{{text x}}'}}]}", "body: `{{text x}}`"),
        ("{rate: 1/s, requests: [{get: /, capture: {take: /id}}]}", "capture: `take` is not a valid name"),
        ("{rate: 1/s, requests: [{get: /, capture: {user: 'a b'}}]}", "neither a JSON pointer such as /id"),
        ("{rate: 1/s, requests: [{get: /}], target: x}", "target"),
    ] {
        let error = read(yaml).unwrap_err();
        assert!(error.contains(words), "{yaml}: {error}");
    }
}
