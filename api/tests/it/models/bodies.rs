//! Bodies of POST `/inference` that are far larger than what a model can use.

use crate::{
    helpers::problem,
    models::folder::{Folder, IRIS, spawn_on},
    process::running::Running,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::fs;

/// A request of about 4 MiB whose model is named last.
fn padded(model: &str, rows: &str, filler: &str) -> String {
    let count = (4 << 20) / (filler.len() + 1) - 100;
    let filler = vec![filler; count].join(",");
    format!("{{\"x\":[{filler}],\"input_data\":{rows},\"model_name\":\"{model}\"}}")
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_rows_of_its_model() {
    let app = spawn_on(&Folder::shipped(), &[]).await;
    let send = |body: String| {
        app.request("POST", "/inference").header("content-type", "application/json").body(body).send()
    };
    let iris = json!([IRIS]).to_string();
    let refused = problem(send(padded("iris", &iris, "[[0]]")).await.unwrap(), 413).await;
    assert!(refused["detail"].as_str().unwrap().contains("rows of 4 numbers"), "{refused}");
    // The largest request of each model, generously written, and some unknown fields.
    for (model, features) in [("iris", 4), ("digits", 64)] {
        let row = vec![" 15.062500000000001"; features].join(",\n");
        let rows = vec![format!("[\n{row}\n]"); 1024].join(",\n");
        let response =
            send(format!("{{\"model_name\":\"{model}\",\"note\":{{\"a\":[1]}},\"input_data\":[{rows}]}}"))
                .await
                .unwrap();
        assert_eq!(response.status(), 200, "{model}");
        let response: Value = response.json().await.unwrap();
        assert_eq!(response["predictions"].as_array().unwrap().len(), 1024);
    }
}

/// Bodies of nested lists, which take a hundred times their size as JSON values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_bodies_take_little_memory() {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    let api = Running::start(&["--models-dir", models]);
    let peak = || {
        let status = fs::read_to_string(format!("/proc/{}/status", api.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    };
    let before = peak();
    let rows = json!([IRIS]).to_string();
    let many = vec!["[[[0]]]"; (4 << 20) / 8 - 100].join(",");
    let in_rows = format!("{{\"input_data\":[{many}],\"model_name\":\"digits\"}}");
    for body in [padded("digits", &rows, "[[0]]"), padded("digits", &rows, "{\"\":{}}"), in_rows] {
        let responses = join_all((0..4).map(|_| {
            let request = api.client.post(format!("{}/inference", api.base));
            request.header("content-type", "application/json").body(body.clone()).send()
        }));
        for response in responses.await {
            assert!([413, 422].contains(&response.unwrap().status().as_u16()));
        }
    }
    let grown = peak() - before;
    assert!(grown < 128, "{grown} MiB for four requests of 4 MiB at once");
}
