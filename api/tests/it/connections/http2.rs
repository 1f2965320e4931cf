//! HTTP/2: each stream is a request, counted once however it ends.

use crate::{
    connections::tls,
    helpers::{Metrics, PATIENCE, eventually},
};
use actix_web::web::Bytes;
use h2::{Reason, client::SendRequest};
use tokio::time::timeout;

pub type Client = SendRequest<Bytes>;

pub fn request(path: &str) -> http::Request<()> {
    http::Request::get(format!("https://localhost{path}")).body(()).unwrap()
}

pub async fn text(client: &Client, path: &str) -> String {
    let (response, _) = client.clone().send_request(request(path), true).unwrap();
    let response = timeout(PATIENCE, response).await.unwrap().unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.unwrap();
        let _ = body.flow_control().release_capacity(chunk.len());
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn streams_that_are_reset_and_connections_that_break_are_counted_once() {
    const IN_PROGRESS: &str = r#"http_requests_in_progress{method="GET",route="/slow"}"#;
    let https = tls::spawn().await;
    let connect = async || {
        let stream = https.connect(&["h2"], "localhost").await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        (client, tokio::spawn(connection))
    };
    let (watcher, _driver) = connect().await;
    let metrics = async || Metrics::parse(&text(&watcher, "/metrics").await);
    let waiting = |count: f64| {
        let metrics = &metrics;
        eventually(
            "all are in progress",
            move || async move { metrics().await.get(IN_PROGRESS) == Some(count) },
        )
    };

    // Ten streams of one connection, reset while in progress. Their handlers are not notified and end by themselves.
    let (mut client, driver) = connect().await;
    let send = |client: &mut Client, path| client.send_request(request(path), false).unwrap();
    let streams: Vec<_> = (0..10).map(|_| send(&mut client, "/slow?delay=2s")).collect();
    waiting(10.0).await;
    for (response, mut stream) in streams {
        drop(response);
        stream.send_reset(Reason::CANCEL);
    }
    assert!(text(&client, "/livez").await.contains("alive"), "a reset stream does not affect others");
    waiting(0.0).await;
    // The connection breaks with five more requests, which would take half a minute.
    let _more: Vec<_> = (0..5).map(|_| send(&mut client, "/slow?delay=30s")).collect();
    waiting(5.0).await;
    driver.abort();
    drop(client);
    eventually("nothing is in progress", || async { metrics().await.get(IN_PROGRESS) == Some(0.0) }).await;
    let metrics = metrics().await;
    let counted = [200, 499].map(|status| metrics.requests("GET", "/slow", status));
    assert_eq!(counted, [10.0, 5.0]);
}

#[tokio::test]
async fn closes_a_connection_with_too_many_open_streams() {
    const MAX: usize = 1_000;
    let https = tls::spawn().await;
    let connect = async || {
        let stream = https.connect(&["h2"], "localhost").await.unwrap();
        let mut builder = h2::client::Builder::new();
        let builder = builder.initial_max_send_streams(10 * MAX);
        let (client, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
        (client, tokio::spawn(connection))
    };
    let (watcher, _driver) = connect().await;
    let (mut client, _other_driver) = connect().await;
    let mut send = |path| client.send_request(request(path), true).unwrap().0;
    // As many as allowed, and as many again once they have ended: only concurrent streams count.
    for _ in 0..2 {
        let responses: Vec<_> = (0..MAX).map(|_| send("/livez")).collect();
        for response in responses {
            // Dropping the response unread ends its stream.
            assert_eq!(timeout(PATIENCE, response).await.unwrap().unwrap().status(), 200);
        }
    }
    // Some of those may not have ended yet; another connection has its own count.
    let (mut client, driver) = connect().await;
    let mut send = |path| client.send_request(request(path), true).unwrap().0;
    let waiting: Vec<_> = (0..MAX + 1).map(|_| send("/slow?delay=30s")).collect();
    for response in waiting {
        timeout(PATIENCE, response).await.expect("closed before the timeout").unwrap_err();
    }
    let _ = timeout(PATIENCE, driver).await.expect("the connection ends");
    let metrics = async || Metrics::parse(&text(&watcher, "/metrics").await);
    eventually("every started request is counted", || async {
        metrics().await.requests("GET", "/slow", 499) == MAX as f64
    })
    .await;
    let in_progress = r#"http_requests_in_progress{method="GET",route="/slow"}"#;
    assert_eq!(metrics().await.get(in_progress), Some(0.0));
}

#[tokio::test]
async fn unread_responses_count_as_open_streams() {
    let https = tls::spawn().await;
    let stream = https.connect(&["h2"], "localhost").await.unwrap();
    let mut builder = h2::client::Builder::new();
    // The client accepts 10 bytes of each response.
    let builder = builder.initial_max_send_streams(10_000).initial_window_size(10);
    let (mut client, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
    let driver = tokio::spawn(connection);
    let mut untaken = Vec::new();
    for _ in 0..20 {
        for _ in 0..100 {
            // Fails once the connection is closed.
            untaken.extend(client.send_request(request("/livez"), true).map(|(response, _)| response));
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let _ = timeout(PATIENCE, driver).await.expect("closed, although its requests are quick");
    drop(untaken);
}
