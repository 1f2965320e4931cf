//! Faults: each has its kind, is counted, and neither hangs nor breaks the run.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use load::plan::Limits;
use load::schedule::pace::Pace;
use load::wire::error::Fault;

use crate::server::{Server, Then};
use crate::support::{ended, endless, get, open, run, seconds, start, wait_for};

fn limits(timeout_millis: u64) -> Limits {
    Limits { timeout: Duration::from_millis(timeout_millis), ..Limits::default() }
}

async fn faults_of(server: &Server, limits: Limits) -> BTreeMap<Fault, u64> {
    let record = run(&server.url("/"), &[get("/")], open(500.0, 30), limits).await;
    assert_eq!(record.ledger.scheduled, 30);
    record.faults
}

#[tokio::test]
async fn counts_refused_connections() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}/").parse().unwrap();
    let record = run(&url, &[get("/")], open(500.0, 30), Limits::default()).await;
    assert_eq!(record.faults, [(Fault::Refused, 30)].into());
    assert_eq!((record.sent, record.latencies.response.len()), (0, 0), "a refused connection has no latency");
}

#[tokio::test]
async fn counts_connections_closed_within_a_response() {
    for text in [
        &b"HTTP/1.1 200 OK\r\nContent-Le"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"",
    ] {
        let server = Server::start(move |stream, _| {
            let _ = stream.write_all(text);
            Then::Close
        });
        assert_eq!(
            faults_of(&server, limits(30_000)).await,
            [(Fault::Closed, 30)].into(),
            "{}",
            text.escape_ascii()
        );
    }
}

#[tokio::test]
async fn counts_reset_connections() {
    // Closing a socket with unread bytes in it sends a reset.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(30) {
            let stream = stream.unwrap();
            let _ = stream.peek(&mut [0; 1]); // until the request has arrived
        }
    });
    let record = run(&url, &[get("/")], open(500.0, 30), Limits::default()).await;
    assert_eq!(record.faults, [(Fault::Reset, 30)].into());
}

#[tokio::test]
async fn counts_malformed_and_too_large_responses() {
    let long: &'static [u8] =
        Box::leak([b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &[b'x'; 70_000]].concat().into());
    for (text, fault) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], Fault::Malformed),
        (b"\x16\x03\x01\x02\x00\x01\x00", Fault::Malformed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", Fault::Malformed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n", Fault::Malformed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", Fault::TooLarge),
        (long, Fault::TooLarge),
    ] {
        let server = Server::start(move |stream, _| {
            let _ = stream.write_all(text);
            let _ = stream.read(&mut [0; 1]); // until the peer closes the connection
            Then::Close
        });
        assert_eq!(
            faults_of(&server, limits(30_000)).await,
            [(fault, 30)].into(),
            "{}",
            text[..20.min(text.len())].escape_ascii()
        );
    }
}

#[tokio::test]
async fn records_a_timeout_at_its_limit() {
    let server = Server::silent();
    let record = run(&server.url("/"), &[get("/")], open(500.0, 30), limits(400)).await;
    assert_eq!(record.faults, [(Fault::Timeout, 30)].into());
    let response = &record.latencies.response;
    assert_eq!(response.len(), 30);
    assert!(
        response.equivalent(response.min(), 400_000_000) && response.equivalent(response.max(), 400_000_000)
    );
    assert!(seconds(&record.latencies.service, 1.0) <= 0.401);
}

#[tokio::test]
async fn timeout_ends_endless_responses() {
    let server = Server::start(|stream, request| {
        let head: &[u8] = match request.number % 3 {
            0 => b"HTTP/1.1 200 OK\r\n\r\n",
            1 => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            _ => b"HTTP/1.1 200 OK\r\nX-Head: ",
        };
        let mut went = stream.write_all(head);
        while went.is_ok() {
            std::thread::sleep(Duration::from_millis(20));
            went =
                stream.write_all(b"1\r\nx\r\n".get(..if request.number % 3 == 2 { 1 } else { 6 }).unwrap());
        }
        Then::Close
    });
    assert_eq!(faults_of(&server, limits(500)).await, [(Fault::Timeout, 30)].into());
}

#[tokio::test]
async fn requests_waiting_for_a_connection_time_out() {
    let server = Server::silent();
    let limits = Limits { connections: 1, ..limits(300) };
    let record = run(&server.url("/"), &[get("/")], open(2_000.0, 100), limits).await;
    let timeouts: u64 =
        record.faults.iter().filter(|(fault, _)| fault.is_timeout()).map(|(_, count)| count).sum();
    assert_eq!(timeouts, 100, "{:?}", record.faults);
    assert!(seconds(&record.latencies.response, 1.0) <= 0.301, "no request waits beyond the timeout");
}

#[tokio::test]
async fn sheds_arrivals_above_the_in_flight_limit() {
    let server = Server::silent();
    let limits = Limits { connections: 2, max_in_flight: 5, ..Limits::default() };
    let running = start(&server.url("/"), &[get("/")], endless(500.0), limits);
    wait_for("20 shed", || running.counts().shed >= 20);
    assert_eq!(running.counts().in_flight, 5);
    running.request_stop(Duration::ZERO);
    let record = ended(running).await;
    assert_eq!(record.ledger.unfinished, 5);
    assert_eq!(record.ledger.shed + 5, record.ledger.scheduled);
}

#[tokio::test]
async fn counts_every_reset_connection() {
    // Closing a socket with unread bytes sends a reset, so each connection fails after its request.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.peek(&mut [0; 1]); // until the request has arrived
        }
    });
    let record = run(&url, &[get("/")], open(1_000.0, 1_000), Limits::default()).await;
    assert_eq!(record.faults, [(Fault::Reset, 1_000)].into());
    assert_eq!((record.ledger.transport_errors, record.sent), (1_000, 1_000));
}

#[tokio::test]
async fn counts_two_hundred_refused_connections() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}/").parse().unwrap();
    let limits = Limits { connections: 200, ..Limits::default() };
    let pace = Pace::Closed { limit: Some(2_000), duration: None };
    let record = run(&url, &[get("/")], pace, limits).await;
    assert_eq!(record.faults, [(Fault::Refused, 2_000)].into());
    assert_eq!(record.connections, 0);
}

#[tokio::test]
async fn closed_loop_on_a_closed_port_can_be_stopped() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}/").parse().unwrap();
    let pace = Pace::Closed { limit: None, duration: None };
    let running = start(&url, &[get("/")], pace, Limits::default());
    wait_for("some refusals", || running.counts().transport_errors > 100);
    running.request_stop(Duration::from_secs(10));
    let record = ended(running).await;
    assert_eq!(record.ledger.transport_errors, record.ledger.scheduled);
}
