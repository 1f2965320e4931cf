//! Orders: the steps that their status allows, what is counted, and what is stored.

use crate::{
    backend::Backend,
    helpers::{Metrics, TestApp, eventually, header, problem},
};
use serde_json::{Value, json};

async fn place(app: &TestApp, amount: i64, currency: &str) -> Value {
    let body = json!({"amount": amount, "currency": currency});
    let response = app.send_json("POST", "/api/orders", body).await;
    assert_eq!(response.status(), 201);
    let location = header(&response, "location").to_owned();
    let order: Value = response.json().await.unwrap();
    assert_eq!(location, format!("/api/orders/{}", order["id"]));
    order
}

async fn go(app: &TestApp, order: &Value, status: &str) -> reqwest::Response {
    app.send("PATCH", &format!("/api/orders/{}?status={status}", order["id"])).await
}

async fn custom(app: &TestApp) -> Metrics {
    Metrics::parse(&app.admin("GET", "/metrics").send().await.unwrap().text().await.unwrap())
}

async fn an_order_is_paid_and_shipped_and_counted(backend: Backend) {
    let (app, database) = backend.spawn().await;
    let order = place(&app, 1999, "EUR").await;
    assert_eq!(
        (&order["amount"], &order["currency"], &order["status"]),
        (&json!(1999), &json!("EUR"), &json!("placed"))
    );
    let path = format!("/api/orders/{}", order["id"]);
    assert_eq!(app.get(&path).await.json::<Value>().await.unwrap(), order);
    let moved = app.send_json("PATCH", &path, json!({"status": "paid"})).await;
    assert_eq!(moved.status(), 200);
    assert_eq!(moved.json::<Value>().await.unwrap()["status"], "paid");
    assert_eq!(go(&app, &order, "paid").await.status(), 200, "it is paid already");
    let other = place(&app, 1, "CHF").await;
    let metrics = custom(&app).await;
    for (series, value) in [
        (r#"orders_total{status="placed"}"#, 2.0),
        (r#"orders_total{status="paid"}"#, 1.0),
        (r#"orders_total{status="shipped"}"#, 0.0),
        (r#"revenue_total{currency="EUR"}"#, 19.99),
        (r#"revenue_total{currency="CHF"}"#, 0.0),
        ("orders_in_progress", 2.0),
    ] {
        assert_eq!(metrics.get(series), Some(value), "{series}");
    }
    assert_eq!(go(&app, &order, "shipped").await.status(), 200);
    assert_eq!(go(&app, &other, "cancelled").await.status(), 200);
    assert_eq!(app.get(&path).await.json::<Value>().await.unwrap()["status"], "shipped");
    let metrics = custom(&app).await;
    assert_eq!(metrics.get("orders_in_progress"), Some(0.0));
    assert_eq!(metrics.get(r#"orders_total{status="cancelled"}"#), Some(1.0));

    // Another gateway on the same data counts what it finds there.
    place(&app, 500, "USD").await;
    let second = database.spawn(&[]).await;
    eventually("the order in progress is counted", || async {
        custom(&second).await.get("orders_in_progress") == Some(1.0)
    })
    .await;
    assert_eq!(second.get(&path).await.json::<Value>().await.unwrap()["status"], "shipped");
}

async fn a_step_that_the_status_does_not_allow_is_refused(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let order = place(&app, 100, "GBP").await;
    let refused = problem(go(&app, &order, "shipped").await, 409).await;
    assert_eq!(refused["detail"], "the order is placed; only an order that is paid can be shipped");
    assert_eq!(go(&app, &order, "cancelled").await.status(), 200);
    let refused = problem(go(&app, &order, "paid").await, 409).await;
    assert_eq!(refused["detail"], "the order is cancelled; only an order that is placed can be paid");
    let refused = problem(go(&app, &order, "placed").await, 409).await;
    assert_eq!(refused["detail"], "the order is cancelled and cannot be placed again");
    assert_eq!(custom(&app).await.get(r#"orders_total{status="paid"}"#), Some(0.0));
    for (method, path) in
        [("GET", "/api/orders/77"), ("PATCH", "/api/orders/77?status=paid"), ("GET", "/api/orders/x")]
    {
        problem(app.send(method, path).await, 404).await;
    }
}

async fn invalid_fields_are_named(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    for (body, pointers) in [
        (json!({}), vec!["#/amount", "#/currency"]),
        (json!({"amount": 0, "currency": "EUR"}), vec!["#/amount"]),
        (json!({"amount": 19.99, "currency": "EUR"}), vec!["#/amount"]),
        (json!({"amount": 100_000_001, "currency": "EUR"}), vec!["#/amount"]),
        (json!({"amount": null, "currency": "eur"}), vec!["#/amount", "#/currency"]),
        (json!({"amount": 1, "currency": "JPY"}), vec!["#/currency"]),
    ] {
        let refused = problem(app.send_json("POST", "/api/orders", body.clone()).await, 422).await;
        let found: Vec<&str> =
            refused["errors"].as_array().unwrap().iter().map(|it| it["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{body}");
    }
    let order = place(&app, 1, "EUR").await;
    let refused = problem(go(&app, &order, "sent").await, 422).await;
    assert_eq!(refused["errors"][0]["detail"], "must be one of placed, paid, shipped, cancelled");
    let query = app.send("POST", "/api/orders?amount=250&currency=USD").await;
    assert_eq!(query.json::<Value>().await.unwrap()["amount"], 250);
}

async fn an_order_sent_twice_with_a_key_is_placed_once(backend: Backend) {
    let (app, _database) = backend.spawn().await;
    let send = || {
        let request = app.request("POST", "/api/orders?amount=250&currency=USD");
        request.header("Idempotency-Key", "one").send()
    };
    let first: Value = send().await.unwrap().json().await.unwrap();
    let again = send().await.unwrap();
    assert_eq!(header(&again, "idempotency-replayed"), "true");
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(custom(&app).await.get(r#"orders_total{status="placed"}"#), Some(1.0));
}

on_both!(
    an_order_is_paid_and_shipped_and_counted,
    a_step_that_the_status_does_not_allow_is_refused,
    invalid_fields_are_named,
    an_order_sent_twice_with_a_key_is_placed_once,
);
