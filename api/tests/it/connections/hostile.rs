//! Hostile clients of every kind do not exhaust the gateway's memory.

use crate::{connections::tls, helpers::PATIENCE, process::running::Running};
use futures_util::future::join_all;
use std::{fs, net::SocketAddr, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

/// In MiB.
const MOST: u64 = 256;
const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
const MANY: [&str; 4] = ["--max-connections", "3000", "--max-connections-per-address", "3000"];

/// The highest memory since the last call, in MiB.
fn peak(api: &Running) -> u64 {
    let process = format!("/proc/{}", api.pid());
    let status = fs::read_to_string(format!("{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    fs::write(format!("{process}/clear_refs"), "5").unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// As many connections, each of which sends these bytes as far as they are taken, and reads nothing.
async fn send(to: SocketAddr, connections: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let send = |_| async {
        let mut stream = timeout(PATIENCE, TcpStream::connect(to)).await.ok()?.ok()?;
        let _ = timeout(Duration::from_secs(3), stream.write_all(bytes)).await;
        Some(stream)
    };
    join_all((0..connections).map(send)).await.into_iter().flatten().collect()
}

fn inference(length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /inference HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_1() {
    api::file_limit::raise();
    let api = Running::start(&[&MANY[..], &["--models-dir", MODELS]].concat());
    let to = api.public_address();
    let headers = format!("GET / HTTP/1.1\r\nhost: a\r\n{}", "x-filler: 0123456789\r\n".repeat(5_000));
    let unread = "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(200);
    let nested = format!("{{\"x\":[{}]}}", vec!["[[0]]"; 500_000].join(","));
    let kinds = [
        ("2,000 idle connections", 2_000, Vec::new()),
        ("500 heads that do not end", 500, headers.into_bytes()),
        ("300 clients that read nothing", 300, unread.into_bytes()),
        ("100 bodies of 3 MiB that do not end", 100, inference(4 << 20, &vec![b' '; 3 << 20])),
        ("16 bodies of nested lists", 16, inference(nested.len(), nested.as_bytes())),
    ];
    let mut peaks = vec![("idle", peak(&api))];
    for (kind, connections, bytes) in kinds {
        let held = send(to, connections, &bytes).await;
        assert_eq!(api.admin_status("/livez").await, Some(200), "{kind}");
        peaks.push((kind, peak(&api)));
        drop(held);
    }
    assert_eq!(api.status("/api/users").await, Some(200));
    println!("{peaks:?}");
    for (kind, peak) in peaks {
        assert!(peak < MOST, "{kind}: {peak} MiB");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2() {
    const CONNECTIONS: usize = 40;
    const STREAMS: usize = 200;
    let dir = tempfile::tempdir().unwrap();
    tls::certify(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let api = Running::start(&[&MANY[..], &["--tls-cert", &cert, "--tls-key", &key]].concat());
    let to = api.public_address().to_string();
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = tls::connect(&to, dir.path(), &["h2"], "localhost").await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(0).initial_max_send_streams(STREAMS);
        let (mut client, connection) = builder.handshake::<_, actix_web::web::Bytes>(stream).await.unwrap();
        let driver = tokio::spawn(connection);
        let mut responses = Vec::new();
        for _ in 0..STREAMS {
            let request = http::Request::get("https://localhost/metrics").body(()).unwrap();
            if let Ok((response, _)) = client.send_request(request, true) {
                responses.push(response);
            }
        }
        // Its head has come, and nothing of its body is taken.
        for response in &mut responses {
            let _ = timeout(Duration::from_millis(50), response).await;
        }
        held.push((client, driver, responses));
    }
    assert_eq!(api.admin_status("/livez").await, Some(200));
    let peak = peak(&api);
    println!("{CONNECTIONS} connections with {STREAMS} responses that are not taken: {peak} MiB");
    assert!(peak < MOST, "{peak} MiB");
    for (_, driver, _) in held {
        driver.abort();
    }
}
