//! The admin listener: its routes, its token, its metrics, its drain.

use crate::helpers::{Metrics, header, problem, spawn_app, spawn_with};
use serde_json::{Value, json};

async fn admin_metrics(app: &crate::helpers::TestApp) -> (String, Metrics) {
    let response = app.admin("GET", "/metrics").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = response.text().await.unwrap();
    let metrics = Metrics::parse(&text);
    (text, metrics)
}

#[tokio::test]
async fn no_metric_is_on_both_listeners() {
    let app = spawn_app().await;
    app.put_fault("some", json!({"abort": 503, "route": "/slow", "ttl": "60s"})).await;
    let families = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_owned).collect()
    };
    let (custom, metrics) = admin_metrics(&app).await;
    let public = families(&app.get("/metrics").await.text().await.unwrap());
    let custom = families(&custom);
    assert!(!custom.is_empty() && !public.is_empty());
    assert!(custom.iter().all(|family| !public.contains(family)), "{custom:?} and {public:?}");
    assert_eq!(metrics.get(r#"faults_active{kind="abort"}"#), Some(1.0));
    assert_eq!(metrics.get(r#"faults_active{kind="memory"}"#), Some(0.0), "from the start");
}

#[tokio::test]
async fn routes_respond_and_refuse_like_public_ones() {
    let app = spawn_app().await;
    for (path, word) in [("/livez", "alive"), ("/readyz", "ready")] {
        let response = app.admin("GET", path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"status": word}));
    }
    for (path, allow) in [
        ("/metrics", "GET, HEAD, OPTIONS"),
        ("/faults", "GET, HEAD, OPTIONS"),
        ("/faults/x", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("/drain", "POST, DELETE, OPTIONS"),
    ] {
        let options = app.admin("OPTIONS", path).send().await.unwrap();
        assert_eq!((options.status().as_u16(), header(&options, "allow")), (204, allow));
        let wrong = app.admin("PATCH", path).send().await.unwrap();
        assert_eq!(header(&wrong, "allow"), allow);
        problem(wrong, 405).await;
    }
    for path in ["/livez", "/readyz", "/metrics", "/faults"] {
        let (get, head) =
            (app.admin("GET", path).send().await.unwrap(), app.admin("HEAD", path).send().await.unwrap());
        assert_eq!(
            (head.status(), header(&head, "content-type")),
            (get.status(), header(&get, "content-type"))
        );
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
    for path in ["/", "/api/users", "/slow", "/nope"] {
        let body = problem(app.admin("GET", path).send().await.unwrap(), 404).await;
        assert!(body["detail"].as_str().unwrap().contains("/drain"), "{path}: {body}");
    }
    problem(app.get("/faults").await, 404).await;
    problem(app.get("/drain").await, 404).await;
    let kept = app.admin("GET", "/nope").header("X-Request-Id", "mine-1").send().await.unwrap();
    assert_eq!(problem(kept, 404).await["request_id"], "mine-1");

    // None of these was a request to the API: only the two above are counted.
    let metrics = app.metrics().await;
    assert_eq!(metrics.sum("http_requests_total"), 2.0);
    assert_eq!(metrics.sum("api_errors_total"), 2.0);
}

#[tokio::test]
async fn a_configured_token_is_required_except_for_probes() {
    let app = spawn_with(&crate::helpers::roomy(), &["--admin-token", "s3cret-token"]).await;
    for (method, path) in
        [("GET", "/metrics"), ("GET", "/faults"), ("PUT", "/faults/x"), ("POST", "/drain"), ("GET", "/nope")]
    {
        let refused = app.admin(method, path).send().await.unwrap();
        assert_eq!(header(&refused, "www-authenticate"), "Bearer realm=\"admin\"");
        problem(refused, 401).await;
        problem(app.admin(method, path).bearer_auth("s3cret-tokem").send().await.unwrap(), 401).await;
    }
    assert_eq!(app.get("/readyz").await.status(), 200, "the refused POST started no drain");
    for path in ["/livez", "/readyz"] {
        assert_eq!(app.admin("GET", path).send().await.unwrap().status(), 200, "{path}");
    }
    let admitted = app.admin("GET", "/faults").bearer_auth("s3cret-token").send().await.unwrap();
    assert_eq!(admitted.status(), 200);
}

#[tokio::test]
async fn web_pages_cannot_change_anything() {
    let app = spawn_app().await;
    let page = |method, path| app.admin(method, path).header("Origin", "https://example.com");
    problem(page("POST", "/drain").send().await.unwrap(), 403).await;
    problem(page("PUT", "/faults/x").json(&json!({"abort": 503, "ttl": "1s"})).send().await.unwrap(), 403)
        .await;
    assert_eq!(app.get("/readyz").await.status(), 200);
    assert_eq!(page("GET", "/faults").send().await.unwrap().status(), 200, "reading is harmless");
}

#[tokio::test]
async fn without_a_token_only_names_of_this_machine_are_served() {
    let app = spawn_app().await;
    for path in ["/faults", "/metrics", "/livez"] {
        for host in ["evil.example:8001", "127.0.0.1.evil.example", ""] {
            let body = problem(app.admin("GET", path).header("Host", host).send().await.unwrap(), 403).await;
            assert!(body["detail"].as_str().unwrap().contains("ADMIN_TOKEN"), "{host}: {body}");
        }
        for host in ["127.0.0.1:8001", "localhost", "[::1]:8001"] {
            let served = app.admin("GET", path).header("Host", host).send().await.unwrap();
            assert_eq!(served.status(), 200, "{path} {host}");
        }
    }
    problem(app.admin("PUT", "/faults/x").header("Host", "evil.example").send().await.unwrap(), 403).await;

    // The token is not known to any page, so that names need no setting.
    let app = spawn_with(&crate::helpers::roomy(), &["--admin-token", "s3cret-token"]).await;
    let named = app.admin("GET", "/faults").header("Host", "api:8001").bearer_auth("s3cret-token");
    assert_eq!(named.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn drain_ends_readiness_on_both_listeners_and_serving_goes_on() {
    let app = spawn_app().await;
    let drained = app.admin("POST", "/drain").send().await.unwrap();
    assert_eq!(drained.status(), 200);
    assert_eq!(drained.json::<Value>().await.unwrap(), json!({"status": "draining"}));
    problem(app.get("/readyz").await, 503).await;
    problem(app.admin("GET", "/readyz").send().await.unwrap(), 503).await;
    assert_eq!(app.get("/livez").await.status(), 200);
    let served = app.get("/api/users").await;
    assert_eq!(served.status(), 200);
    assert_eq!(header(&served, "connection"), "close", "clients with kept-alive connections leave too");

    assert_eq!(app.admin("DELETE", "/drain").send().await.unwrap().status(), 204);
    assert_eq!(app.get("/readyz").await.status(), 200);
    assert_eq!(app.admin("GET", "/readyz").send().await.unwrap().status(), 200);
}
