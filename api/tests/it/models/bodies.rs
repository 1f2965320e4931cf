//! Bodies of POST `/inference` that are far larger than what a model can use.

use crate::{
    helpers::{eventually, problem},
    models::folder::{Folder, IRIS, spawn_on},
    process::running::Running,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{fs, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

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

/// Each client has sent most of a large body and waits.
#[tokio::test]
async fn bodies_of_all_clients_together_have_a_limit() {
    let app = spawn_on(&Folder::shipped(), &["--body-memory", "8MB"]).await;
    let address = app.base.strip_prefix("http://").unwrap();
    let head = |length: usize| {
        format!(
            "POST /inference HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let (mut held, mut refused) = (Vec::new(), 0);
    for _ in 0..4 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head(4 << 20).as_bytes()).await.unwrap();
        // Those that are refused may close first.
        let _ = stream.write_all(&vec![b' '; 3 << 20]).await;
        held.push(stream);
    }
    for stream in &mut held {
        let mut part = [0; 64];
        if let Ok(Ok(count @ 1..)) = timeout(Duration::from_secs(3), stream.read(&mut part)).await {
            assert!(
                part[..count].starts_with(b"HTTP/1.1 503 "),
                "{}",
                String::from_utf8_lossy(&part[..count])
            );
            refused += 1;
        }
    }
    assert!((1..=2).contains(&refused), "8 MB hold two bodies of 3 MiB, and not four: {refused}");
    let small = json!({"model_name": "iris", "input_data": [IRIS]});
    assert_eq!(
        app.send_json("POST", "/inference", small.clone()).await.status(),
        200,
        "small ones are served"
    );
    drop(held);
    let rows = vec![" 15.062500000000001"; 64].join(",\n");
    let large = format!(
        "{{\"model_name\":\"digits\",\"input_data\":[{}]}}",
        vec![format!("[{rows}]"); 1024].join(",")
    );
    eventually("the memory is given back", || async {
        let request = app.request("POST", "/inference").header("content-type", "application/json");
        request.body(large.clone()).send().await.unwrap().status() == 200
    })
    .await;
}
