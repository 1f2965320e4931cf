use crate::{
    backend::Backend,
    helpers::{header, problem},
};
use serde_json::{Value, json};

async fn a_user_lives_and_dies(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let created =
        app.send_json("POST", "/api/users", json!({"name": "Ada", "email": "ada@example.com"})).await;
    assert_eq!(created.status(), 201);
    assert_eq!(header(&created, "location"), "/api/users/1");
    let tag = header(&created, "etag").to_owned();
    let user: Value = created.json().await.unwrap();
    assert_eq!(
        (&user["id"], &user["name"], &user["email"]),
        (&json!(1), &json!("Ada"), &json!("ada@example.com"))
    );

    let read = app.get("/api/users/1").await;
    assert_eq!((read.status().as_u16(), header(&read, "etag")), (200, tag.as_str()));
    assert_eq!(read.json::<Value>().await.unwrap(), user);

    let put = app.send("PUT", "/api/users/1?name=Ada%20Lovelace").await;
    assert_eq!(put.status(), 200);
    assert_ne!(header(&put, "etag"), tag);
    let changed: Value = put.json().await.unwrap();
    assert_eq!((&changed["name"], &changed["email"]), (&json!("Ada Lovelace"), &json!("ada@example.com")));

    let patched = app.send_json("PATCH", "/api/users/1", json!({"email": "al@example.com"})).await;
    let patched: Value = patched.json().await.unwrap();
    assert_eq!((&patched["name"], &patched["email"]), (&json!("Ada Lovelace"), &json!("al@example.com")));

    let deleted = app.send("DELETE", "/api/users/1").await;
    assert_eq!(deleted.status(), 204);
    assert!(deleted.bytes().await.unwrap().is_empty());
    for (method, path) in
        [("GET", "/api/users/1"), ("DELETE", "/api/users/1"), ("PUT", "/api/users/1?name=x")]
    {
        problem(app.send(method, path).await, 404).await;
    }
    let next: Value = app.send("POST", "/api/users?name=Bo&email=bo@example.com").await.json().await.unwrap();
    assert_eq!(next["id"], 2, "an id is never given twice");
    assert_eq!(app.metrics().await.get("users_registered_total"), Some(2.0));
}

async fn put_patch_and_post_take_a_body_or_the_query(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    for (number, method, path, body, name, email) in [
        (1, "POST", "/api/users?name=Ada&email=ada@example.com", None, "Ada", "ada@example.com"),
        (
            2,
            "POST",
            "/api/users",
            Some(json!({"name": "Bo", "email": "bo@example.com"})),
            "Bo",
            "bo@example.com",
        ),
        (1, "PUT", "/api/users/1?name=John%20Doe", None, "John Doe", "ada@example.com"),
        (1, "PATCH", "/api/users/1?email=john%2Bx@example.com", None, "John Doe", "john+x@example.com"),
        (1, "PUT", "/api/users/1", Some(json!({"email": "j@example.com"})), "John Doe", "j@example.com"),
        (1, "PATCH", "/api/users/1", Some(json!({"name": "Jo"})), "Jo", "j@example.com"),
        // A body is the whole truth where there is one.
        (1, "PUT", "/api/users/1?name=Query", Some(json!({"name": "Body"})), "Body", "j@example.com"),
    ] {
        let request = app.request(method, path);
        let request = if let Some(body) = &body { request.json(body) } else { request };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), if method == "POST" { 201 } else { 200 }, "{method} {path}");
        assert_eq!(header(&response, "content-type"), "application/json");
        assert!(header(&response, "etag").starts_with(&format!("\"{number}-")), "{method} {path}");
        let user: Value = response.json().await.unwrap();
        assert_eq!(
            (&user["id"], &user["name"], &user["email"]),
            (&json!(number), &json!(name), &json!(email)),
            "{method} {path}"
        );
        let kept: Value = app.get(&format!("/api/users/{number}")).await.json().await.unwrap();
        assert_eq!(kept, user);
    }
}

async fn lists_page_by_cursor(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let empty: Value = app.get("/api/users").await.json().await.unwrap();
    assert_eq!(empty, json!({"users": [], "count": 0, "total": 0}));
    for i in 1..=7 {
        let status =
            app.send("POST", &format!("/api/users?name=User{i}&email=u{i}@example.com")).await.status();
        assert_eq!(status, 201);
    }
    let mut path = "/api/users?limit=3".to_owned();
    let mut pages: Vec<Vec<i64>> = Vec::new();
    loop {
        let response = app.get(&path).await;
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let page: Value = response.json().await.unwrap();
        let ids: Vec<i64> =
            page["users"].as_array().unwrap().iter().map(|u| u["id"].as_i64().unwrap()).collect();
        assert_eq!((&page["count"], &page["total"]), (&json!(ids.len()), &json!(7)));
        pages.push(ids);
        let Some(link) = link else { break };
        let (target, rel) = link.split_once("; ").unwrap();
        assert_eq!(rel, "rel=\"next\"");
        path = target.trim_matches(['<', '>']).to_owned();
    }
    assert_eq!(pages, [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
    for query in ["limit=0", "limit=1001", "limit=x", "after=-1"] {
        problem(app.get(&format!("/api/users?{query}")).await, 422).await;
    }
}

async fn emails_are_unique_whatever_their_case(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    app.send("POST", "/api/users?name=A&email=a@example.com").await;
    app.send("POST", "/api/users?name=B&email=b@example.com").await;
    problem(app.send("POST", "/api/users?name=C&email=A@Example.com").await, 409).await;
    problem(app.send("PUT", "/api/users/2?email=a@example.com").await, 409).await;
    assert_eq!(app.send("PUT", "/api/users/1?email=A@example.com").await.status(), 200, "one's own is free");
    assert_eq!(app.metrics().await.get("users_registered_total"), Some(2.0));
}

async fn validation_points_at_each_field(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    app.send("POST", "/api/users?name=A&email=a@example.com").await;
    for (method, path, body, pointers) in [
        ("POST", "/api/users", json!({}), &["#/name", "#/email"][..]),
        ("POST", "/api/users", json!({"name": "A"}), &["#/email"]),
        ("POST", "/api/users", json!({"name": " ", "email": "nope"}), &["#/name", "#/email"]),
        ("POST", "/api/users", json!({"name": 7, "email": null}), &["#/name", "#/email"]),
        ("POST", "/api/users", json!(["A"]), &["#"]),
        ("PATCH", "/api/users/1", json!({"email": "x@"}), &["#/email"]),
        ("PUT", "/api/users/1", json!({"name": "x".repeat(201)}), &["#/name"]),
    ] {
        let problem = problem(app.send_json(method, path, body.clone()).await, 422).await;
        let errors = problem["errors"].as_array().unwrap();
        let mut found: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        found.sort_by_key(|pointer| pointers.iter().position(|p| p == pointer));
        assert_eq!(found, pointers, "{method} {body}");
        assert!(errors.iter().all(|error| !error["detail"].as_str().unwrap().is_empty()));
    }
    let unchanged: Value = app.get("/api/users/1").await.json().await.unwrap();
    assert_eq!((&unchanged["name"], &unchanged["email"]), (&json!("A"), &json!("a@example.com")));
    let untouched = app.send("PUT", "/api/users/1").await;
    assert_eq!((untouched.status().as_u16(), header(&untouched, "etag")), (200, "\"1-1\""), "nothing given");
}

async fn conditions_are_honoured(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let created = app.send("POST", "/api/users?name=A&email=a@example.com").await;
    let tag = header(&created, "etag").to_owned();
    let cached = app.request("GET", "/api/users/1").header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!((cached.status().as_u16(), header(&cached, "etag")), (304, tag.as_str()));
    for (method, list, status) in [
        ("HEAD", tag.clone(), 304),
        ("GET", format!("\"0-0\", W/{tag}"), 304),
        ("GET", "*".to_owned(), 304),
        ("GET", "\"0-0\"".to_owned(), 200),
    ] {
        let response =
            app.request(method, "/api/users/1").header("If-None-Match", &list).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), header(&response, "etag")),
            (status, tag.as_str()),
            "{method} {list}"
        );
        assert_eq!(response.text().await.unwrap().is_empty(), status == 304, "{method} {list}");
    }
    let first = app.request("PUT", "/api/users/1?name=B").header("If-Match", &tag).send().await.unwrap();
    assert_eq!(first.status(), 200);
    for method in ["PUT", "PATCH", "DELETE"] {
        let stale = app.request(method, "/api/users/1?name=C").header("If-Match", &tag).send().await.unwrap();
        problem(stale, 412).await;
    }
    let fresh = app.request("GET", "/api/users/1").header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!(fresh.json::<Value>().await.unwrap()["name"], "B");
    let any = app.request("DELETE", "/api/users/1").header("If-Match", "*").send().await.unwrap();
    assert_eq!(any.status(), 204);
    let gone = app.request("DELETE", "/api/users/1").header("If-Match", "*").send().await.unwrap();
    problem(gone, 404).await;
}

on_both!(
    a_user_lives_and_dies,
    put_patch_and_post_take_a_body_or_the_query,
    lists_page_by_cursor,
    emails_are_unique_whatever_their_case,
    validation_points_at_each_field,
    conditions_are_honoured,
);
