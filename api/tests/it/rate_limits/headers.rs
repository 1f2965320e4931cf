use crate::helpers::{header, policy, problem, spawn_with};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn every_limited_response_has_the_state_of_the_limit() {
    let app = spawn_with(&policy("slow-refill", "1/h", 3), &[]).await;
    for left in ["2", "1", "0"] {
        let response = app.get("/").await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "ratelimit-policy"), "\"slow-refill\";q=3;w=10800");
        assert!(header(&response, "ratelimit").starts_with(&format!("\"slow-refill\";r={left};t=")));
        assert_eq!(header(&response, "x-ratelimit-limit"), "3");
        assert_eq!(header(&response, "x-ratelimit-remaining"), left);
        let reset: u64 = header(&response, "x-ratelimit-reset").parse().unwrap();
        assert!((1..=10_800).contains(&reset), "{reset}");
    }
    let refused = app.get("/api/users").await;
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert!((3500..=3600).contains(&wait), "{wait}");
    assert_eq!(header(&refused, "x-ratelimit-remaining"), "0");
    let body = problem(refused, 429).await;
    assert!(body["type"].as_str().unwrap().ends_with("quota-exceeded"), "{body}");
    assert_eq!(body["violated-policies"], json!(["slow-refill"]));

    for path in ["/health", "/livez", "/readyz", "/metrics"] {
        assert_eq!(app.get(path).await.status(), 200, "{path} is exempt");
    }
    assert_eq!(app.send("OPTIONS", "/api/users").await.status(), 204, "preflights are exempt");
    problem(app.get("/nope").await, 429).await;
}

#[tokio::test]
async fn a_client_that_waits_for_retry_after_is_admitted() {
    let app = spawn_with(&policy("p", "1/s", 1), &[]).await;
    let mut refused = app.get("/").await;
    assert_eq!(refused.status(), 200);
    // More than one only if this machine takes a second for a request.
    while refused.status() == 200 {
        refused = app.get("/").await;
    }
    assert_eq!(refused.status(), 429);
    let wait: u64 = header(&refused, "retry-after").parse().unwrap();
    assert_eq!(wait, 1, "rounded up, never 0");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(app.get("/").await.status(), 200);
}

#[tokio::test]
async fn policies_cover_only_their_routes_and_methods() {
    let writes = "routes = [\"/api/*\"]\nmethods = [\"POST\"]\n";
    let app =
        spawn_with(&format!("{}{writes}{}", policy("writes", "1/d", 1), policy("all", "1/d", 50)), &[]).await;
    let first = app.send("POST", "/api/users?name=A&email=a@example.com").await;
    assert_eq!(first.status(), 201);
    assert_eq!(header(&first, "ratelimit-policy"), "\"writes\";q=1;w=86400, \"all\";q=50;w=4320000");
    assert_eq!(header(&first, "x-ratelimit-limit"), "1", "the policy closest to its limit");
    let second = app.send("POST", "/api/users?name=B&email=b@example.com").await;
    assert_eq!(problem(second, 429).await["violated-policies"], json!(["writes"]));
    let read = app.get("/api/users").await;
    assert_eq!(read.status(), 200);
    assert_eq!(header(&read, "ratelimit-policy"), "\"all\";q=50;w=4320000");
}
