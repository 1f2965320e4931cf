//! API keys and their plans, clients behind proxies, the token of /metrics.

use crate::helpers::{TestApp, header, policy, problem, roomy, spawn_with};
use api::access::hash;
use reqwest::Response;
use serde_json::json;
use std::path::PathBuf;

const CI: &str = "fd_0123456789abcdef0123456789abcdef";
const GOLD: &str = "fd_fedcba9876543210fedcba9876543210";
const FREE: &str = "fd_aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb";

fn keys_file(dir: &tempfile::TempDir) -> PathBuf {
    let file = dir.path().join("keys.toml");
    let entry = |name: &str, key: &str, plan: &str| {
        format!("[[keys]]\nname = \"{name}\"\nhash = \"{}\"\nplan = \"{plan}\"\n", hash(key))
    };
    let text = [entry("ci", CI, "default"), entry("shop", GOLD, "gold"), entry("ops", FREE, "unlimited")];
    std::fs::write(&file, text.concat()).unwrap();
    file
}

fn plans(default_burst: u64, gold_burst: u64) -> String {
    format!("{}{}plan = true\n", policy("default", "1/h", default_burst), policy("gold", "1/h", gold_burst))
}

async fn spawn(policies: &str, flags: &[&str]) -> TestApp {
    let dir = tempfile::tempdir().unwrap();
    let file = keys_file(&dir);
    spawn_with(policies, &[&["--api-keys-file", file.to_str().unwrap()], flags].concat()).await
}

async fn with(app: &TestApp, method: &str, path: &str, name: &str, value: &str) -> Response {
    app.request(method, path).header(name, value).send().await.unwrap()
}

#[tokio::test]
async fn counts_keys_by_name_and_plan_and_others_by_address() {
    let app = spawn(&plans(2, 5), &[]).await;
    let mut left = Vec::new();
    for (name, value) in [
        ("x-api-key", CI.to_owned()),
        ("authorization", format!("Bearer {CI}")), // the same balance, whichever header has the key
        ("authorization", format!("bearer {GOLD}")),
        ("x-api-key", FREE.to_owned()),
        ("authorization", "Basic dTpw".to_owned()), // not a key: counted by address
    ] {
        let response = with(&app, "GET", "/", name, &value).await;
        assert_eq!(response.status(), 200, "{name}: {value}");
        left.push(response.headers().get("ratelimit").map(|value| value.to_str().unwrap().to_owned()));
    }
    let left: Vec<_> =
        left.iter().map(|text| text.as_deref().map(|text| &text[..text.find(";t=").unwrap()])).collect();
    let expected = [
        Some("\"default\";r=1"),
        Some("\"default\";r=0"),
        Some("\"gold\";r=4"),
        None,
        Some("\"default\";r=1"),
    ];
    assert_eq!(left, expected);
    let refused = with(&app, "GET", "/", "x-api-key", CI).await;
    assert_eq!(problem(refused, 429).await["violated-policies"], json!(["default"]));
    for _ in 0..20 {
        assert_eq!(with(&app, "GET", "/", "x-api-key", FREE).await.status(), 200, "unlimited");
    }
}

#[tokio::test]
async fn an_unknown_key_is_401_and_charges_its_address() {
    let app = spawn(&plans(4, 5), &[]).await;
    for (left, (name, value)) in [
        ("x-api-key", "fd_guess"),
        ("x-api-key", ""),
        ("authorization", "Bearer fd_guess"),
        ("x-api-key", "ci"),
    ]
    .into_iter()
    .rev()
    .enumerate()
    .rev()
    {
        let response = with(&app, "GET", "/api/users", name, value).await;
        assert_eq!(header(&response, "www-authenticate"), "Bearer realm=\"api\", error=\"invalid_token\"");
        assert_eq!(header(&response, "x-ratelimit-remaining"), left.to_string());
        let body = problem(response, 401).await;
        assert!(!body.to_string().contains("fd_guess"), "{body}");
    }
    for guess in 0..10 {
        problem(with(&app, "GET", "/api/users", "x-api-key", &format!("fd_{guess}")).await, 429).await;
    }
    problem(app.get("/").await, 429).await;
    let metrics = app.metrics().await;
    assert_eq!(metrics.get("rate_limit_keys{store=\"local\"}"), Some(1.0), "one balance, of the address");
    assert_eq!(metrics.requests("GET", "/api/users", 401), 4.0);
    assert_eq!(metrics.get("api_errors_total{error_type=\"unauthorized\"}"), Some(4.0));
    assert_eq!(with(&app, "GET", "/", "x-api-key", CI).await.status(), 200, "a key has a balance of its own");
}

#[tokio::test]
async fn keys_are_required_as_configured_but_never_for_probes() {
    for (require, read, write) in [("none", 200, 201), ("writes", 200, 401), ("all", 401, 401)] {
        let app =
            spawn(&plans(1_000_000, 5).replace("1/h", "1000000/s"), &["--require-api-key", require]).await;
        let response = app.get("/api/users").await;
        assert_eq!(response.status(), read, "{require}");
        let response = app.send("POST", "/api/users?name=A&email=a@example.com").await;
        assert_eq!(response.status(), write, "{require}");
        if write == 401 {
            assert_eq!(header(&response, "www-authenticate"), "Bearer realm=\"api\"");
            let detail = problem(response, 401).await["detail"].to_string();
            assert!(detail.contains("X-API-Key"), "{detail}");
        }
        for path in ["/update?users=1", "/cpu?value=1"] {
            assert_eq!(
                app.get(path).await.status(),
                if write == 401 { 401 } else { 200 },
                "{require} {path}"
            );
        }
        for path in ["/health", "/livez", "/readyz", "/metrics"] {
            assert_eq!(app.get(path).await.status(), 200, "{require} {path}");
            assert_eq!(
                with(&app, "GET", path, "x-api-key", "unknown").await.status(),
                200,
                "{require} {path}"
            );
        }
        assert_eq!(app.send("OPTIONS", "/api/users").await.status(), 204, "{require}");
        for (method, path, status) in [
            ("GET", "/api/users", 200),
            ("POST", "/api/users?name=B&email=b@example.com", 201),
            ("PATCH", "/api/users/1?name=C", 200),
            ("DELETE", "/api/users/1", 204),
            ("GET", "/nope", 404),
        ] {
            assert_eq!(
                with(&app, method, path, "x-api-key", CI).await.status(),
                status,
                "{require} {method}"
            );
        }
        assert_eq!(app.send("DELETE", "/api/users/1").await.status(), if write == 401 { 401 } else { 404 });
    }
}

#[tokio::test]
async fn keys_are_ignored_without_a_key_file() {
    let app = spawn_with(&roomy(), &[]).await;
    assert_eq!(with(&app, "GET", "/", "x-api-key", "whatever").await.status(), 200);
    assert_eq!(with(&app, "GET", "/", "authorization", "Bearer whatever").await.status(), 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_address_counts() {
    let policies = policy("default", "1/h", 3);
    let trusting = spawn_with(&policies, &["--trusted-proxies", "127.0.0.0/8, 10.0.0.0/8"]).await;
    let strict = spawn_with(&policies, &[]).await;
    let remaining = async |app: &TestApp, forwarded: &[&str]| {
        let request = forwarded
            .iter()
            .fold(app.request("GET", "/"), |request, line| request.header("x-forwarded-for", *line));
        header(&request.send().await.unwrap(), "x-ratelimit-remaining").to_owned()
    };
    for (forwarded, left) in [
        (&["198.51.100.1"][..], "2"),
        (&["203.0.113.5, 198.51.100.1, 10.1.2.3"], "1"),
        (&["198.51.100.1:4711", "10.1.2.3"], "0"),
        (&["198.51.100.2"], "2"),
        (&["[2001:db8::1]:80"], "2"),
        (&["2001:db8::ffff"], "1"),        // the same /64
        (&["198.51.100.9, garbage"], "2"), // the proxy itself
        (&[], "1"),
    ] {
        assert_eq!(remaining(&trusting, forwarded).await, left, "{forwarded:?}");
    }
    for (claim, left) in [("198.51.100.1", "2"), ("198.51.100.2", "1"), ("198.51.100.3", "0")] {
        assert_eq!(remaining(&strict, &[claim]).await, left, "a claim by another client changes nothing");
    }
}

#[tokio::test]
async fn metrics_require_the_token() {
    let app = spawn_with(&roomy(), &["--metrics-token", "s3cret-of-the-scraper"]).await;
    for value in
        ["", "Bearer", "Bearer s3cret", "Basic s3cret-of-the-scraper", "Bearer S3cret-of-the-scraper"]
    {
        let response = with(&app, "GET", "/metrics", "authorization", value).await;
        assert_eq!(header(&response, "www-authenticate"), "Bearer realm=\"metrics\"");
        let body = problem(response, 401).await.to_string();
        assert!(!body.contains("s3cret"), "{body}");
    }
    let response = with(&app, "GET", "/metrics", "authorization", "Bearer s3cret-of-the-scraper").await;
    assert_eq!(response.status(), 200);
    assert!(response.text().await.unwrap().contains("app_build_info"));
    assert_eq!(app.get("/health").await.status(), 200, "other probes need no token");
}

#[tokio::test]
async fn only_keys_may_unload_models() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let (open, keyed) = (
        spawn_with(&roomy(), &["--models-dir", models]).await,
        spawn(&plans(100, 100), &["--models-dir", models]).await,
    );
    let refused = problem(open.send("DELETE", "/models/iris").await, 403).await;
    assert!(refused["detail"].as_str().unwrap().contains("UNLOAD_MODELS"), "{refused}");
    problem(keyed.send("DELETE", "/models/iris").await, 401).await;
    for app in [&open, &keyed] {
        assert_eq!(app.get("/models/iris").await.status(), 200, "it is still loaded");
        assert_eq!(app.send("PUT", "/models/iris").await.status(), 200, "loading needs no key");
    }
    assert_eq!(with(&keyed, "DELETE", "/models/iris", "x-api-key", CI).await.status(), 204);
    problem(keyed.get("/models/iris").await, 404).await;
}
