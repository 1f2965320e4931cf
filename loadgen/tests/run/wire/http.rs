//! HTTP/1 responses in every shape.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use load::plan::Limits;
use load::schedule::pace::Pace;
use load::spec::method::Method;
use load::spec::request::RequestSpec;

use crate::server::{Server, Then};
use crate::support::{get, open, run, seconds};

#[tokio::test]
async fn measures_latency_and_keeps_connections() {
    let server = Server::start(|stream, _| {
        std::thread::sleep(Duration::from_millis(5));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        Then::KeepOpen
    });
    let record = run(&server.url("/"), &[get("/")], open(200.0, 200), Limits::default()).await;
    assert_eq!((record.ledger.scheduled, record.ledger.expected, record.sent), (200, 200, 200));
    assert_eq!(server.requests(), 200);
    assert!(record.connections <= 64 && record.connections == server.connections() as u64);
    assert_eq!(record.span, Duration::from_secs(1));
    assert!(seconds(&record.latencies.service, 0.0) >= 0.005);
    assert!(record.latencies.response.min() >= record.latencies.service.min());
    assert_eq!(record.latencies.pacer_lag.len(), 200);
}

#[tokio::test]
async fn sends_exact_shares_of_a_mix() {
    let server = Server::gateway();
    let error = RequestSpec { weight: 8, expect: "500".parse().unwrap(), ..get("/api/error") };
    let mix = [RequestSpec { weight: 92, ..get("/api/users") }, error];
    let limits = Limits { threads: std::num::NonZero::new(2), ..Limits::default() };
    let record = run(&server.url("/"), &mix, open(1_000.0, 300), limits).await;
    assert_eq!(record.workers, 2);
    assert_eq!(record.statuses, [(200, 276), (500, 24)].into());
    assert_eq!((record.ledger.expected, record.ledger.unexpected), (300, 0));
}

#[tokio::test]
async fn counts_unexpected_statuses() {
    let server = Server::gateway();
    let users = RequestSpec { expect: "200,429".parse().unwrap(), ..get("/api/users") };
    let mix = [users, get("/api/error")];
    let record = run(&server.url("/"), &mix, open(500.0, 100), Limits::default()).await;
    assert_eq!((record.ledger.expected, record.ledger.unexpected), (50, 50));
    assert_eq!(record.latencies.response.len(), 100, "an unexpected response has a latency");
}

#[tokio::test]
async fn reads_responses_split_anywhere() {
    const RESPONSE: &[u8] =
        b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: t\r\n\r\n";
    let server = Server::start(|stream, request| {
        let (first, second) = RESPONSE.split_at(request.number % RESPONSE.len());
        let _ = stream.write_all(first);
        std::thread::sleep(Duration::from_millis(1)); // so that both parts usually arrive separately
        let _ = stream.write_all(second);
        Then::KeepOpen
    });
    let count = RESPONSE.len() as u64;
    let limits = Limits { connections: 4, ..Limits::default() };
    let record = run(&server.url("/"), &[get("/")], open(1_000.0, count), limits).await;
    assert_eq!(record.ledger.expected, count, "{:?}", record.faults);
    assert!(record.connections <= 4, "every connection was kept: {}", record.connections);
}

#[tokio::test]
async fn does_not_wait_for_the_body_of_a_response_without_one() {
    let server = Server::start(|stream, request| {
        let text: &[u8] = match request.head.split(' ').next() {
            Some("HEAD") => b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
            Some("DELETE") => b"HTTP/1.1 204 Gone\r\n\r\n",
            _ => b"HTTP/1.1 304 Same\r\nContent-Length: 1000\r\n\r\n",
        };
        let _ = stream.write_all(text);
        Then::KeepOpen
    });
    let mix = [Method::Head, Method::Delete, Method::Get].map(|method| RequestSpec::new(method, "/"));
    let limits = Limits { connections: 1, ..Limits::default() };
    let record = run(&server.url("/"), &mix, open(500.0, 60), limits).await;
    assert_eq!(record.statuses, [(200, 20), (204, 20), (304, 20)].into());
    assert_eq!(record.connections, 1);
}

#[tokio::test]
async fn reads_a_body_that_ends_with_the_connection() {
    let server = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nas long as it takes");
        Then::Close
    });
    let record = run(&server.url("/"), &[get("/")], open(500.0, 50), Limits::default()).await;
    assert_eq!(record.ledger.expected, 50, "{:?}", record.faults);
    assert_eq!(record.connections, 50);
}

#[tokio::test]
async fn retries_on_a_connection_closed_by_the_server() {
    // The response announces keep-alive, but the connection is closed.
    let server = Server::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::Close
    });
    let limits = Limits { connections: 2, ..Limits::default() };
    let record = run(&server.url("/"), &[get("/")], open(500.0, 100), limits).await;
    assert_eq!(record.ledger.expected, 100, "{:?}", record.faults);
    assert_eq!(record.sent, 100);
}

#[tokio::test]
async fn opens_a_connection_per_request_without_keep_alive() {
    let server = Server::gateway();
    let limits = Limits { keep_alive: false, ..Limits::default() };
    // This server ignores `Connection: close`, so the generator closes the connection.
    let record = run(&server.url("/"), &[get("/")], open(500.0, 50), limits).await;
    assert_eq!((record.ledger.expected, record.connections, server.connections()), (50, 50, 50));
}

#[tokio::test]
async fn sends_large_bodies_completely() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let server = Server::start(move |stream, request| {
        kept.lock().unwrap().push((request.head.clone(), request.body.clone()));
        let _ = stream.write_all(b"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let mut post = RequestSpec::new(Method::Post, "/readings?device=7");
    post.body = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let record = run(&server.url("/"), &[post.clone()], open(50.0, 3), Limits::default()).await;
    assert_eq!(record.ledger.expected, 3, "{:?}", record.faults);
    let seen = seen.lock().unwrap();
    assert!(
        seen.iter().all(|(head, body)| head.starts_with("POST /readings?device=7 ") && *body == post.body)
    );
}

#[tokio::test]
async fn closed_loop_sends_its_count_on_its_connections() {
    let server = Server::gateway();
    let limits = Limits { connections: 3, ..Limits::default() };
    let pace = Pace::Closed { limit: Some(100), duration: None };
    let record = run(&server.url("/"), &[get("/")], pace, limits).await;
    assert_eq!((record.ledger.scheduled, record.ledger.expected), (100, 100));
    assert!(record.connections <= 3);
    assert!(record.latencies.pacer_lag.is_empty(), "nothing is due in a closed loop");
}
