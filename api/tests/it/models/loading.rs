//! `/models`: loads files of a folder, valid or not.

use crate::{
    helpers::{Metrics, TestApp, eventually, header, problem},
    models::folder::{Folder, IRIS, spawn_on},
};
use serde_json::{Value, json};
use std::fs::{self, File};

fn failures(metrics: &Metrics, name: &str) -> Option<f64> {
    metrics.get(&format!("model_load_failures_total{{model=\"{name}\"}}"))
}

async fn loaded(app: &TestApp) -> Vec<String> {
    let body: Value = app.get("/models").await.json().await.unwrap();
    let names = body["models"].as_array().unwrap().iter().map(|model| &model["name"]);
    let names: Vec<String> = names.map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(body["count"], names.len());
    names
}

/// The two shipped models still serve.
async fn both_serve(app: &TestApp) {
    for (name, row, class) in [("iris", json!(IRIS), "setosa"), ("digits", json!(vec![0; 64]), "")] {
        let body = json!({"model_name": name, "input_data": [row]});
        let response = app.send_json("POST", "/inference", body).await;
        assert_eq!(response.status(), 200, "{name}");
        let response: Value = response.json().await.unwrap();
        let found = response["predicted_classes"][0].as_str().unwrap();
        assert!(class.is_empty() || found == class, "{response}");
    }
}

#[tokio::test]
async fn the_models_of_the_folder_are_loaded_at_start_and_described() {
    let app = spawn_on(&Folder::shipped(), &[]).await;
    let response = app.get("/models").await;
    assert_eq!(header(&response, "content-type"), "application/json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        body["models"][1],
        json!({
            "name": "iris",
            "size_bytes": Folder::shipped_file("iris").len(),
            "inputs": [{"name": "features", "shape": [null, 4]}],
            "outputs": [{"name": "probabilities", "shape": [null, 3]}],
            "features": 4,
            "predictions": 3,
            "rows": 1,
            "classes": ["setosa", "versicolor", "virginica"],
        })
    );
    assert_eq!(loaded(&app).await, ["digits", "iris"]);
    let iris: Value = app.get("/models/iris").await.json().await.unwrap();
    assert_eq!(iris, body["models"][1]);
    assert_eq!(app.send("HEAD", "/models").await.status(), 200);

    let metrics = app.metrics().await;
    assert_eq!(metrics.get("models_loaded"), Some(2.0));
    assert_eq!(metrics.get("inference_queue_depth"), Some(0.0));
    for name in ["iris", "digits"] {
        assert_eq!(failures(&metrics, name), Some(0.0), "{name}");
        let series = format!("inference_duration_seconds_count{{model=\"{name}\"}}");
        assert_eq!(metrics.get(&series), Some(0.0), "{name}");
    }
    assert_eq!(failures(&metrics, "other"), Some(0.0));
}

#[tokio::test]
async fn a_file_dropped_in_is_served_after_one_put() {
    let folder = Folder::shipped();
    let app = spawn_on(&folder, &[]).await;
    problem(app.send("PUT", "/models/sum").await, 404).await;
    folder.put("sum", &Folder::fixture("sum3"));
    assert_eq!(failures(&app.metrics().await, "sum"), Some(0.0), "present from the first scrape");

    let response = app.send("PUT", "/models/sum").await;
    assert_eq!(response.status(), 201);
    assert_eq!(header(&response, "location"), "/models/sum");
    let body: Value = response.json().await.unwrap();
    assert_eq!((&body["features"], &body["predictions"]), (&json!(3), &json!(1)));
    assert!(body.get("classes").is_none(), "{body}");
    let input = json!({"model_name": "sum", "input_data": [[1, 2, 3], [0.5, 0.25, 0]]});
    let response: Value = app.send_json("POST", "/inference", input.clone()).await.json().await.unwrap();
    assert_eq!(response, json!({"model_name": "sum", "predictions": [[6.0], [0.75]]}));
    assert_eq!(app.metrics().await.get("models_loaded"), Some(3.0));

    assert_eq!(app.send("PUT", "/models/sum").await.status(), 200, "replaced");
    assert_eq!(app.send("DELETE", "/models/sum").await.status(), 204);
    problem(app.send("DELETE", "/models/sum").await, 404).await;
    problem(app.get("/models/sum").await, 404).await;
    problem(app.send_json("POST", "/inference", input).await, 404).await;
    assert_eq!(app.metrics().await.get("models_loaded"), Some(2.0));
    assert!(folder.path("sum").exists(), "unloading leaves the file");
    assert_eq!(app.send_json("PUT", "/models/sum", json!({})).await.status(), 201);
}

#[tokio::test]
async fn an_unusable_file_is_422_and_counted_and_others_keep_serving() {
    let folder = Folder::shipped();
    let iris = Folder::shipped_file("iris");
    let app = spawn_on(&folder, &[]).await;
    folder.put("truncated", &iris[..iris.len() / 2]);
    folder
        .put("noise", &(0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>());
    folder.put("text", b"<html>404 not found</html>");
    folder.put("empty", b"");
    fs::create_dir(folder.path("folder")).unwrap();
    File::create(folder.path("huge")).unwrap().set_len(1 << 30).unwrap();
    for name in [
        "two-inputs",
        "whole-numbers",
        "any-width",
        "no-rows",
        "unknown-operator",
        "inner-mismatch",
        "endless",
    ] {
        folder.put(name, &Folder::fixture(name));
    }
    for (name, needle) in [
        ("truncated", "not a runnable ONNX model"),
        ("noise", "not a runnable ONNX model"),
        ("text", "not a runnable ONNX model"),
        ("empty", "not a runnable ONNX model"),
        ("folder", "not a regular file"),
        ("huge", "1073741824 bytes"),
        ("two-inputs", "one input"),
        ("whole-numbers", "32-bit"),
        ("any-width", "must be fixed"),
        ("no-rows", "dimension for rows"),
        ("unknown-operator", "Teleport"),
        ("inner-mismatch", "test run failed"),
        ("endless", "may never end"),
    ] {
        let body = problem(app.send("PUT", &format!("/models/{name}")).await, 422).await;
        assert!(body["detail"].as_str().unwrap().contains(needle), "{name}: {body}");
        let dir = folder.dir().to_str().unwrap();
        assert!(!body.to_string().contains(dir), "must not show paths: {body}");
        assert_eq!(failures(&app.metrics().await, name), Some(1.0), "{name}");
        both_serve(&app).await;
    }
    assert_eq!(loaded(&app).await, ["digits", "iris"]);

    // The cause of the alert ModelLoadFailures.
    for _ in 0..4 {
        problem(app.send("PUT", "/models/truncated").await, 422).await;
    }
    assert_eq!(failures(&app.metrics().await, "truncated"), Some(5.0));
    assert_eq!(failures(&app.metrics().await, "other"), Some(0.0));
}

#[tokio::test]
async fn a_loaded_model_survives_a_damaged_or_reshaped_file() {
    let folder = Folder::shipped();
    let app = spawn_on(&folder, &[]).await;
    for (bytes, needle) in [
        (b"broken on its way".to_vec(), "not a runnable ONNX model"),
        (
            Folder::fixture("sum3"),
            "another shape (features 3, predictions 1, batch size 1) than the loaded model of this name (features 4, predictions 3, batch size 1); unload",
        ),
    ] {
        folder.put("iris", &bytes);
        let body = problem(app.send("PUT", "/models/iris").await, 422).await;
        assert!(body["detail"].as_str().unwrap().contains(needle), "{body}");
        both_serve(&app).await;
    }
    assert_eq!(failures(&app.metrics().await, "iris"), Some(2.0));
    fs::remove_file(folder.path("iris")).unwrap();
    problem(app.send("PUT", "/models/iris").await, 404).await;
    both_serve(&app).await;
    // Intended: the model is unloaded first.
    folder.put("iris", &Folder::fixture("sum3"));
    assert_eq!(app.send("DELETE", "/models/iris").await.status(), 204);
    assert_eq!(app.send("PUT", "/models/iris").await.status(), 201);
}

#[tokio::test]
async fn a_bad_file_does_not_stop_the_start() {
    let folder = Folder::shipped();
    folder.put("bad", b"no model");
    folder.put("not a name", b"no model");
    let app = spawn_on(&folder, &[]).await;
    assert_eq!(loaded(&app).await, ["digits", "iris"]);
    assert_eq!(failures(&app.metrics().await, "bad"), Some(1.0));
    both_serve(&app).await;
}

#[tokio::test]
async fn no_name_leaves_the_folder_or_creates_a_series() {
    let folder = Folder::shipped();
    fs::create_dir(folder.dir().join("sub")).unwrap();
    fs::copy(folder.path("iris"), folder.dir().join("sub/inner.onnx")).unwrap();
    let app = spawn_on(&folder, &[]).await;
    let before = app.metrics().await.series("model_load_failures_total").count();
    for name in ["sub%2Finner", "..%2Firis", "iris.onnx", "a%00b", "nothing", "%C3%A4", &"x".repeat(500)] {
        for method in ["PUT", "GET", "DELETE"] {
            problem(app.send(method, &format!("/models/{name}")).await, 404).await;
        }
    }
    assert_eq!(app.metrics().await.series("model_load_failures_total").count(), before);
    assert_eq!(app.metrics().await.series("inference_duration_seconds_count").count(), 2);
}

#[tokio::test]
async fn a_put_accepts_no_file() {
    let app = spawn_on(&Folder::shipped(), &[]).await;
    let send = |body: Vec<u8>| app.request("PUT", "/models/iris").body(body).send();
    let body = problem(send(Folder::shipped_file("iris")).await.unwrap(), 400).await;
    assert!(body["detail"].as_str().unwrap().contains("models folder"), "{body}");
    problem(send(vec![0; 70_000]).await.unwrap(), 413).await;
    let response = app.send("POST", "/models/iris").await;
    assert_eq!(header(&response, "allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
    problem(response, 405).await;
}

#[tokio::test]
async fn loading_and_unloading_do_not_disturb_inference() {
    let folder = Folder::shipped();
    folder.put("bad", b"no model");
    let app = spawn_on(&folder, &[]).await;
    let client = |name: &'static str| {
        let (http, url) = (app.client.clone(), format!("{}/inference", app.base));
        tokio::spawn(async move {
            let row = if name == "iris" { json!(IRIS) } else { json!(vec![1; 64]) };
            let input = json!({"model_name": name, "input_data": vec![row; 8]});
            let mut statuses = Vec::new();
            for _ in 0..60 {
                let response = http.post(&url).json(&input).send().await.unwrap();
                statuses.push(response.status().as_u16());
                let response: Value = response.json().await.unwrap();
                if statuses.last() == Some(&200) {
                    assert_eq!(response["predictions"].as_array().unwrap().len(), 8);
                }
            }
            statuses
        })
    };
    let (steady, disturbed) = (client("digits"), client("iris"));
    for round in 0..15 {
        assert_eq!(app.send("DELETE", "/models/iris").await.status(), 204, "{round}");
        assert_eq!(app.send("PUT", "/models/bad").await.status(), 422, "{round}");
        assert_eq!(app.send("PUT", "/models/iris").await.status(), 201, "{round}");
        assert_eq!(app.send("PUT", "/models/digits").await.status(), 200, "{round}");
    }
    assert_eq!(steady.await.unwrap(), vec![200; 60]);
    let disturbed = disturbed.await.unwrap();
    assert!(disturbed.iter().all(|status| [200, 404].contains(status)), "{disturbed:?}");
    eventually("the queue is empty", || async {
        app.metrics().await.get("inference_queue_depth") == Some(0.0)
    })
    .await;
    both_serve(&app).await;
}
