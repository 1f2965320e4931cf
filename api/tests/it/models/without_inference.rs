//! A build without the cargo feature `inference`.

use crate::helpers::{problem, spawn_app};

#[tokio::test]
async fn the_model_endpoints_respond_501() {
    let app = spawn_app().await;
    for (method, path) in [
        ("GET", "/models"),
        ("GET", "/models/iris"),
        ("PUT", "/models/iris"),
        ("DELETE", "/models/iris"),
        ("POST", "/inference"),
    ] {
        problem(app.send(method, path).await, 501).await;
    }
    let metrics = app.metrics().await;
    assert_eq!(metrics.get("models_loaded"), Some(0.0));
}
