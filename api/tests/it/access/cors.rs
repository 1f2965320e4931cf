//! CORS: off by default; with origins named, everything they may read says so.

use crate::helpers::{TestApp, header, policy, problem, roomy, spawn_with};
use reqwest::Response;

const PAGE: &str = "https://app.example.com";

async fn from(app: &TestApp, origin: &str, method: &str, path: &str) -> Response {
    app.request(method, path).header("origin", origin).send().await.unwrap()
}

async fn preflight(app: &TestApp, origin: &str, path: &str) -> Response {
    let request = app.request("OPTIONS", path).header("origin", origin);
    request
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "x-api-key")
        .send()
        .await
        .unwrap()
}

fn get<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn off_by_default() {
    let app = spawn_with(&roomy(), &[]).await;
    for answer in [from(&app, PAGE, "GET", "/").await, preflight(&app, PAGE, "/api/users/1").await] {
        assert!(get(&answer, "access-control-allow-origin").is_none());
        assert!(get(&answer, "vary").is_none());
    }
}

#[tokio::test]
async fn preflights_say_what_the_route_takes_and_are_not_limited() {
    let app =
        spawn_with(&policy("p", "1/h", 1), &["--cors-origins", &format!("http://other.test, {PAGE}")]).await;
    for _ in 0..5 {
        let answer = preflight(&app, PAGE, "/api/users/1").await;
        assert_eq!(answer.status(), 204);
        assert_eq!(header(&answer, "access-control-allow-origin"), PAGE);
        assert_eq!(header(&answer, "access-control-allow-methods"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
        let headers = header(&answer, "access-control-allow-headers");
        assert!(headers.contains("X-API-Key") && headers.contains("Content-Type"), "{headers}");
        assert_eq!(header(&answer, "access-control-max-age"), "600");
        assert_eq!(header(&answer, "vary"), "Origin");
    }
    let stranger = preflight(&app, "https://evil.example", "/api/users/1").await;
    assert!(get(&stranger, "access-control-allow-origin").is_none());
    assert!(get(&stranger, "access-control-allow-methods").is_none());
    assert_eq!(header(&stranger, "vary"), "Origin");
    assert_eq!(app.metrics().await.requests("OPTIONS", "/api/users/{id}", 204), 6.0, "counted once each");
}

#[tokio::test]
async fn every_answer_can_be_read_by_the_page_that_asked() {
    let app = spawn_with(&policy("p", "1/h", 3), &["--cors-origins", PAGE]).await;
    for (path, status) in [("/api/users", 200), ("/nope", 404), ("/error", 500), ("/", 429)] {
        let answer = from(&app, PAGE, "GET", path).await;
        assert_eq!(header(&answer, "access-control-allow-origin"), PAGE, "{path}");
        assert_eq!(header(&answer, "vary"), "Origin");
        let readable = header(&answer, "access-control-expose-headers");
        for name in ["RateLimit,", "RateLimit-Policy", "Retry-After", "ETag", "X-Request-Id"] {
            assert!(readable.contains(name), "{readable}");
        }
        assert!(get(&answer, "access-control-allow-credentials").is_none());
        if status >= 400 {
            problem(answer, status).await;
        } else {
            assert_eq!(answer.status().as_u16(), status);
        }
    }
    for origin in ["https://evil.example", "null", "https://app.example.com.evil"] {
        let answer = from(&app, origin, "GET", "/health").await;
        assert_eq!(answer.status(), 200, "CORS is the browser's to enforce");
        assert!(get(&answer, "access-control-allow-origin").is_none(), "{origin}");
        assert_eq!(header(&answer, "vary"), "Origin", "a cache must keep them apart");
    }
    assert_eq!(header(&app.get("/health").await, "vary"), "Origin");
}

#[tokio::test]
async fn a_star_lets_every_page_read() {
    let app = spawn_with(&roomy(), &["--cors-origins", "*"]).await;
    let answer = from(&app, "https://anybody.example", "GET", "/api/users/99").await;
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert!(get(&answer, "vary").is_none());
    problem(answer, 404).await;
    assert_eq!(header(&preflight(&app, "null", "/").await, "access-control-allow-origin"), "*");
}
