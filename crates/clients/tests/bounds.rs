//! Responses of more than a gigabyte: every client stops reading and says so.

#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::future::Future;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use clients::alertmanager::Alertmanager;
use clients::gateway::Gateway;
use clients::inbox::Inbox;
use clients::prometheus::Prometheus;
use clients::{HttpConfig, SystemError};
use serde_json::json;
use url::Url;

/// More than any limit.
const ENDLESS: usize = 256 << 20;

/// Responds to one request with `head` and then a body that ends only when the client leaves. Returns its URL and the number
/// of bytes that it could send.
fn server(head: &'static str) -> (Url, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let sent = std::thread::spawn(move || {
        let mut client: TcpStream = listener.accept().unwrap().0;
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = client.read(&mut part).unwrap();
            request.extend_from_slice(&part[..read]);
        }
        client.write_all(head.as_bytes()).unwrap();
        let chunk = [b' '; 1 << 16];
        let mut sent = 0;
        while sent < ENDLESS && client.write_all(&chunk).is_ok() {
            sent += chunk.len();
        }
        sent
    });
    (url, sent)
}

async fn stops<T: std::fmt::Debug, F: Future<Output = Result<T, SystemError>>>(
    head: &'static str,
    call: impl FnOnce(Url, HttpConfig) -> F,
) {
    let (url, sent) = server(head);
    let error = call(url, HttpConfig::default()).await.unwrap_err().to_string();
    assert!(error.contains("response is larger than 32 MiB"), "{error}");
    // What was on the way when the client left is in the buffers of two sockets. The client closes its own in the background.
    let sent = tokio::task::spawn_blocking(|| sent.join().unwrap()).await.unwrap();
    assert!(sent < 96 << 20, "{sent} bytes");
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1610612736\r\n\r\n";
const BAD: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1610612736\r\n\r\n";

#[tokio::test]
async fn prometheus() {
    for head in [OK, BAD] {
        stops(head, async |url, config| Prometheus::new(&url, &config)?.rules().await).await;
    }
    stops(OK, async |url, config| Prometheus::new(&url, &config)?.query("up", None).await).await;
}

#[tokio::test]
async fn alertmanager() {
    stops(OK, async |url, config| Alertmanager::new(&url, &config)?.alerts().await).await;
    stops(OK, async |url, config| Alertmanager::new(&url, &config)?.delivered().await).await;
}

#[tokio::test]
async fn inbox() {
    stops(OK, async |url, config| Inbox::new(&url, &config)?.notifications(0).await).await;
    stops(BAD, async |url, config| Inbox::new(&url, &config)?.work("slack").await).await;
}

#[tokio::test]
async fn gateway() {
    stops(OK, async |url, config| Gateway::new(&url, &config)?.alive().await).await;
    stops(BAD, async |url, config| Gateway::new(&url, &config)?.put_fault("a", &json!({})).await).await;
}
