//! Response times include the wait for a busy target.

use std::io::Write;
use std::time::Duration;

use load::plan::Limits;

use crate::server::{Server, Then};
use crate::support::{get, open, run, seconds};

#[tokio::test]
async fn freeze_delays_every_request_due_meanwhile() {
    // The 100th request, due after 1 s, is delayed by a second; the other 299 are not.
    let server = Server::start(|stream, request| {
        if request.number == 100 {
            std::thread::sleep(Duration::from_secs(1));
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let limits = Limits { connections: 1, ..Limits::default() };
    let record = run(&server.url("/"), &[get("/")], open(100.0, 300), limits).await;
    assert_eq!(record.ledger.expected, 300);

    // Arrival 100 + i waits 1 − i/100 s: the third largest of 300, p99, is 0.98 s, and p90 is 0.71 s. They are larger
    // only when the machine itself stalls.
    let response = &record.latencies.response;
    let [p90, p99] = [0.90, 0.99].map(|quantile| seconds(response, quantile));
    assert!((0.70..1.5).contains(&p90), "response p90 {p90}");
    assert!((0.97..1.7).contains(&p99), "response p99 {p99}");

    // Timed from sending, one request of 300 is slow.
    let service = &record.latencies.service;
    assert_eq!(service.count_between(900_000_000, u64::MAX), 1);
    assert!(seconds(service, 0.99) < 0.5, "service p99 {}", seconds(service, 0.99));
    // The rest is the wait for the only connection.
    assert!(seconds(&record.latencies.connection_wait, 0.99) > 0.9);
}

#[tokio::test]
async fn slow_target_does_not_slow_the_schedule() {
    let server = Server::start(|stream, _| {
        std::thread::sleep(Duration::from_millis(300));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    let record = run(&server.url("/"), &[get("/")], open(100.0, 100), Limits::default()).await;
    assert_eq!((record.ledger.scheduled, record.ledger.expected), (100, 100));
    assert!(record.connections > 20, "a closed loop of one would have sent three a second");
    assert!(seconds(&record.latencies.response, 0.0) >= 0.3);
}
