//! The description is served, and HEAD and OPTIONS work on every route of the table.

use crate::helpers::{TestApp, header, problem, spawn_app};
use serde_json::Value;

#[tokio::test]
async fn the_description_and_its_browser_are_served() {
    let app = spawn_app().await;
    let response = app.get("/openapi.json").await;
    assert_eq!((response.status().as_u16(), header(&response, "content-type")), (200, "application/json"));
    let api: Value = response.json().await.unwrap();
    assert_eq!(
        (&api["openapi"], &api["info"]["version"]),
        (&"3.1.0".into(), &env!("CARGO_PKG_VERSION").into())
    );
    let create = &api["paths"]["/api/users"]["post"];
    assert_eq!(
        create["responses"]["201"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/User"
    );
    assert!(create["responses"]["201"]["headers"]["ETag"].is_object());

    let page = app.get("/docs").await;
    assert_eq!((page.status().as_u16(), header(&page, "content-type")), (200, "text/html; charset=utf-8"));
    assert!(header(&page, "content-security-policy").contains("default-src 'none'"));
    let page = page.text().await.unwrap();
    assert!(page.len() < 20_000, "{} bytes", page.len());
    // Works offline: it names no other host.
    assert!(!page.contains("://") && !page.contains("src=") && page.contains("fetch('openapi.json')"));
}

/// Every path in the index, with values for its template and its parameters.
async fn paths(app: &TestApp) -> Vec<(String, String, Vec<String>)> {
    let index: Value = app.get("/").await.json().await.unwrap();
    let mut paths = vec![("/".to_owned(), "/".to_owned(), vec!["GET".to_owned(), "HEAD".to_owned()])];
    for (template, methods) in index["links"].as_object().unwrap() {
        let query = if template.ends_with("slow") { "?delay=1ms" } else { "" };
        let path = format!("{}{query}", template.replace("{id}", "1").replace("{name}", "none"));
        let methods = methods.as_array().unwrap().iter().map(|method| method.as_str().unwrap().to_owned());
        paths.push((template.clone(), path, methods.collect()));
    }
    paths
}

#[tokio::test]
async fn every_get_has_a_head() {
    let app = spawn_app().await;
    assert_eq!(app.send("POST", "/api/users?name=Ada&email=ada@example.com").await.status(), 201);
    for (template, path, methods) in paths(&app).await {
        let reads = methods.contains(&"GET".to_owned());
        assert_eq!(reads, methods.contains(&"HEAD".to_owned()), "{template}");
        if !reads {
            problem(app.get(&path).await, 405).await;
            continue;
        }
        let (get, head) = (app.get(&path).await, app.send("HEAD", &path).await);
        assert_eq!(head.status(), get.status(), "{path}");
        for name in ["content-type", "etag", "cache-control"] {
            assert_eq!(head.headers().get(name), get.headers().get(name), "{path} {name}");
        }
        assert!(head.headers().contains_key("x-request-id"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn options_and_405_carry_allow_everywhere() {
    let app = spawn_app().await;
    for (template, path, methods) in paths(&app).await {
        let allow = format!("{}, OPTIONS", methods.join(", "));
        let options = app.send("OPTIONS", &path).await;
        assert_eq!(
            (options.status().as_u16(), header(&options, "allow")),
            (204, allow.as_str()),
            "{template}"
        );
        assert!(options.headers().get("x-ratelimit-limit").is_none(), "a preflight uses no quota");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            if !methods.contains(&method.to_owned()) {
                let wrong = app.send(method, &path).await;
                assert_eq!(header(&wrong, "allow"), allow, "{method} {template}");
                problem(wrong, 405).await;
            }
        }
    }
    problem(app.send("OPTIONS", "/nowhere").await, 404).await;
}
