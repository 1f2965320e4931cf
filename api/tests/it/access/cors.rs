//! CORS: off by default; with configured origins, every response is readable for them.

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
async fn is_off_by_default() {
    let app = spawn_with(&roomy(), &[]).await;
    for response in [from(&app, PAGE, "GET", "/").await, preflight(&app, PAGE, "/api/users/1").await] {
        assert!(get(&response, "access-control-allow-origin").is_none());
        assert!(get(&response, "vary").is_none());
    }
}

#[tokio::test]
async fn preflights_list_the_methods_and_are_not_limited() {
    let app =
        spawn_with(&policy("p", "1/h", 1), &["--cors-origins", &format!("http://other.test, {PAGE}")]).await;
    for _ in 0..5 {
        let response = preflight(&app, PAGE, "/api/users/1").await;
        assert_eq!(response.status(), 204);
        assert_eq!(header(&response, "access-control-allow-origin"), PAGE);
        assert_eq!(
            header(&response, "access-control-allow-methods"),
            "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
        );
        let headers = header(&response, "access-control-allow-headers");
        assert!(headers.contains("X-API-Key") && headers.contains("Content-Type"), "{headers}");
        assert_eq!(header(&response, "access-control-max-age"), "600");
        assert_eq!(header(&response, "vary"), "Origin");
    }
    let stranger = preflight(&app, "https://evil.example", "/api/users/1").await;
    assert!(get(&stranger, "access-control-allow-origin").is_none());
    assert!(get(&stranger, "access-control-allow-methods").is_none());
    assert_eq!(header(&stranger, "vary"), "Origin");
    assert_eq!(app.metrics().await.requests("OPTIONS", "/api/users/{id}", 204), 6.0, "counted once each");
}

#[tokio::test]
async fn every_response_is_readable_for_the_page() {
    let app = spawn_with(&policy("p", "1/h", 3), &["--cors-origins", PAGE]).await;
    for (path, status) in [("/api/users", 200), ("/nope", 404), ("/error", 500), ("/", 429)] {
        let response = from(&app, PAGE, "GET", path).await;
        assert_eq!(header(&response, "access-control-allow-origin"), PAGE, "{path}");
        assert_eq!(header(&response, "vary"), "Origin");
        let readable = header(&response, "access-control-expose-headers");
        for name in ["RateLimit,", "RateLimit-Policy", "Retry-After", "ETag", "X-Request-Id"] {
            assert!(readable.contains(name), "{readable}");
        }
        assert!(get(&response, "access-control-allow-credentials").is_none());
        if status >= 400 {
            problem(response, status).await;
        } else {
            assert_eq!(response.status().as_u16(), status);
        }
    }
    for origin in ["https://evil.example", "null", "https://app.example.com.evil"] {
        let response = from(&app, origin, "GET", "/health").await;
        assert_eq!(response.status(), 200, "the browser enforces CORS");
        assert!(get(&response, "access-control-allow-origin").is_none(), "{origin}");
        assert_eq!(header(&response, "vary"), "Origin", "caches must distinguish them");
    }
    assert_eq!(header(&app.get("/health").await, "vary"), "Origin");
}

#[tokio::test]
async fn a_star_allows_every_origin() {
    let app = spawn_with(&roomy(), &["--cors-origins", "*"]).await;
    let response = from(&app, "https://anybody.example", "GET", "/api/users/99").await;
    assert_eq!(header(&response, "access-control-allow-origin"), "*");
    assert!(get(&response, "vary").is_none());
    problem(response, 404).await;
    assert_eq!(header(&preflight(&app, "null", "/").await, "access-control-allow-origin"), "*");
}
