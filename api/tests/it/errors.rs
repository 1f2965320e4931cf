use crate::helpers::{header, problem, spawn_app};

#[tokio::test]
async fn every_layer_responds_with_a_problem() {
    let app = spawn_app().await;
    problem(app.get("/nope").await, 404).await;
    problem(app.get("/api/users/abc").await, 404).await;
    problem(app.get("/api/users/99999999999999999999").await, 404).await;
    problem(app.send("DELETE", "/health").await, 405).await;
    problem(app.send("BREW", "/nope").await, 404).await;

    let post = |kind: &str, body: String| {
        app.request("POST", "/api/users").header("content-type", kind).body(body).send()
    };
    problem(post("application/json", "{".into()).await.unwrap(), 400).await;
    problem(post("application/x-www-form-urlencoded", "name=A".into()).await.unwrap(), 415).await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    problem(post("application/json", large).await.unwrap(), 413).await;

    let metrics = app.metrics().await;
    for (kind, count) in [
        ("not_found", 4.0),
        ("method_not_allowed", 1.0),
        ("bad_request", 1.0),
        ("unsupported_media_type", 1.0),
    ] {
        assert_eq!(metrics.get(&format!("api_errors_total{{error_type=\"{kind}\"}}")), Some(count), "{kind}");
    }
}

#[tokio::test]
async fn nothing_internal_leaks() {
    let app = spawn_app().await;
    app.send("POST", "/api/users?name=A&email=a@example.com").await;
    let conflict =
        problem(app.send("POST", "/api/users?name=A&email=a@example.com").await, 409).await.to_string();
    let malformed =
        app.request("POST", "/api/users").header("content-type", "application/json").body("{\"a\":");
    let malformed = problem(malformed.send().await.unwrap(), 400).await.to_string();
    for text in [conflict, malformed] {
        for inner in ["UNIQUE", "sqlite", "SQL", "src/", "serde", "EOF"] {
            assert!(!text.contains(inner), "{inner} in {text}");
        }
    }
}

#[tokio::test]
async fn keeps_clean_request_ids() {
    let app = spawn_app().await;
    let fetch = |id: &str| app.request("GET", "/").header("X-Request-Id", id.to_owned()).send();
    assert_eq!(header(&fetch("trace-42.a_b").await.unwrap(), "x-request-id"), "trace-42.a_b");
    for bad in ["with space", "quote\"", &"x".repeat(65)] {
        let response = fetch(bad).await.unwrap();
        let id = header(&response, "x-request-id");
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}
