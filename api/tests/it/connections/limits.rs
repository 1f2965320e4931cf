//! Misbehaving clients: the limits hold, and other clients are served.

use crate::helpers::{PATIENCE, TestApp, eventually, roomy, spawn_with};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// All time limits on clients in these tests.
const LIMIT: Duration = Duration::from_secs(3);
/// Allowance for a busy machine.
const SLACK: Duration = Duration::from_secs(10);
const TRICKLE: Duration = Duration::from_millis(40);

const GOOD: &str = "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";
const HALF: &str = "GET /livez HTTP/1.1\r\nhost: a\r\n";

async fn spawn(flags: &[&str]) -> TestApp {
    let limits = ["--request-head-timeout", "3s", "--request-body-timeout", "3s", "--write-timeout", "3s"];
    spawn_with(&roomy(), &[&limits[..], flags].concat()).await
}

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Kinds of misbehaving clients.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bad {
    Silent,
    HalfHead,
    TricklingHead,
    EndlessHeaders,
    Garbage,
    HalfHeadLater,
    TricklingHeadLater,
    HalfHeadBehind,
    TricklingBody,
    EndlessUnwantedBody,
    TricklingUnwantedBody,
}

const ALL: &[Bad] = &[
    Bad::Silent,
    Bad::HalfHead,
    Bad::TricklingHead,
    Bad::EndlessHeaders,
    Bad::Garbage,
    Bad::HalfHeadLater,
    Bad::TricklingHeadLater,
    Bad::HalfHeadBehind,
    Bad::TricklingBody,
    Bad::EndlessUnwantedBody,
    Bad::TricklingUnwantedBody,
];

impl Bad {
    /// What is sent first, what is then repeated, and how often.
    fn script(self) -> (String, String) {
        let chunked = "POST /nope HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        let text = match self {
            Self::Silent => String::new(),
            Self::HalfHead | Self::TricklingHead | Self::EndlessHeaders => HALF.to_owned(),
            Self::Garbage => "\u{1}\u{2} what\r\n\r\n".to_owned(),
            Self::HalfHeadLater | Self::TricklingHeadLater => GOOD.to_owned(),
            Self::HalfHeadBehind => format!("{GOOD}{HALF}"),
            Self::TricklingBody => {
                "POST /api/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{"
                    .to_owned()
            }
            Self::EndlessUnwantedBody | Self::TricklingUnwantedBody => chunked.to_owned(),
        };
        let again = match self {
            Self::Silent | Self::HalfHead | Self::Garbage | Self::HalfHeadLater | Self::HalfHeadBehind => {
                String::new()
            }
            Self::TricklingHead | Self::TricklingHeadLater => "x: y\r\n".to_owned(),
            // Exceeds any limit within seconds without starving the test itself.
            Self::EndlessHeaders => format!("x: {}\r\n", "y".repeat(4096)),
            Self::TricklingBody => " ".to_owned(),
            Self::EndlessUnwantedBody => format!("1000\r\n{}\r\n", "x".repeat(4096)),
            Self::TricklingUnwantedBody => "1\r\nx\r\n".to_owned(),
        };
        (text, again)
    }

    /// Misbehaves until the server closes the connection; returns the response and the time it took.
    async fn misbehave(self, stream: TcpStream) -> (String, Duration) {
        let started = Instant::now();
        let (mut reading, mut writing) = stream.into_split();
        let (_, again) = self.script();
        let send = async {
            if matches!(self, Self::HalfHeadLater | Self::TricklingHeadLater) {
                // The response to the valid request is being sent by then, or the head is pipelined: both must end.
                sleep(TRICKLE).await;
                let _ = writing.write_all(HALF.as_bytes()).await;
            }
            while writing.write_all(again.as_bytes()).await.is_ok() {
                sleep(TRICKLE).await;
            }
        };
        let receive = async {
            let mut response = Vec::new();
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = reading.read(&mut part).await {
                response.extend_from_slice(&part[..count]);
            }
            String::from_utf8(response).unwrap()
        };
        tokio::pin!(receive);
        let response = tokio::select! {
            response = &mut receive => response,
            () = send => receive.await,
        };
        (response, started.elapsed())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closes_bad_clients_in_time_while_others_are_served() {
    const EACH: usize = 30;
    let app = spawn(&["--keep-alive", "4s"]).await;
    let mut bad = Vec::new();
    for _ in 0..EACH {
        for kind in ALL {
            let mut stream = connect(&app).await;
            // Sent right away: a busy machine may start the task only when the head would be late.
            stream.write_all(kind.script().0.as_bytes()).await.unwrap();
            bad.push((*kind, tokio::spawn(timeout(PATIENCE, kind.misbehave(stream)))));
        }
    }
    for _ in 0..50 {
        let sent = Instant::now();
        assert_eq!(app.get("/api/users").await.status(), 200);
        assert!(sent.elapsed() < SLACK, "{:?}", sent.elapsed());
    }
    for (kind, task) in bad {
        let (response, took) = task.await.unwrap().unwrap_or_else(|_| panic!("{kind:?} was never closed"));
        assert!(took < LIMIT + SLACK, "{kind:?} took {took:?}");
        let start = response.lines().next().unwrap_or_default();
        let expect_status = |status: &str| {
            assert!(start.starts_with(&format!("HTTP/1.1 {status}")), "{kind:?}: {response}");
            assert!(response.contains("content-type: application/problem+json\r\n"), "{kind:?}: {response}");
            assert!(response.contains("x-request-id: ") && response.ends_with('}'), "{kind:?}: {response}");
        };
        match kind {
            Bad::Silent => assert_eq!(response, "", "no request was sent"),
            Bad::HalfHead | Bad::TricklingHead | Bad::TricklingBody => expect_status("408"),
            Bad::Garbage => expect_status("400"),
            // The close may overtake the response while the client is still sending.
            Bad::EndlessHeaders if response.is_empty() => {}
            Bad::EndlessHeaders => expect_status("4"),
            Bad::HalfHeadLater | Bad::TricklingHeadLater | Bad::HalfHeadBehind => {
                assert!(start.contains(" 200 "), "{kind:?}: {response}");
            }
            Bad::EndlessUnwantedBody | Bad::TricklingUnwantedBody => expect_status("404"),
        }
    }
    let metrics = app.metrics().await;
    // Endless headers get 431, or 408 if the machine is too busy to read enough in time.
    let refused = |status| metrics.requests("OTHER", "unmatched", status);
    assert!(refused(400) >= EACH as f64 && refused(408) >= 2.0 * EACH as f64);
    assert_eq!(refused(400) + refused(408) + refused(431), 4.0 * EACH as f64, "each is counted once");
    assert_eq!(metrics.requests("POST", "/api/users", 408), EACH as f64);
    let too_late = metrics.get("api_errors_total{error_type=\"request_timeout\"}");
    assert_eq!(too_late, Some(EACH as f64 + refused(408)));
    let in_progress = metrics.series("http_requests_in_progress").filter(|(_, value)| *value != 0.0);
    assert_eq!(
        in_progress.map(|(series, _)| series).collect::<Vec<_>>(),
        ["http_requests_in_progress{method=\"GET\",route=\"/metrics\"}"]
    );
}

#[tokio::test]
async fn garbage_anywhere_ends_the_connection() {
    let app = spawn(&[]).await;
    let mut stream = connect(&app).await;
    stream.write_all(GOOD.as_bytes()).await.unwrap();
    let mut part = [0; 4096];
    let count = timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap();
    assert!(part[..count].starts_with(b"HTTP/1.1 200"));
    stream.write_all(format!("what is this\r\n\r\n{GOOD}").as_bytes()).await.unwrap();
    let mut response = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut response)).await.expect("closed in time").unwrap();
    assert!(
        response.starts_with("HTTP/1.1 400 ") && response.contains("application/problem+json"),
        "{response}"
    );
    assert_eq!(response.matches("HTTP/1.1").count(), 1, "nothing after it is served: {response}");

    // Behind others in one piece: each of them gets its response first.
    let response = exchange(&app, &format!("{GOOD}{GOOD}what is this\r\n\r\n{GOOD}")).await;
    assert_eq!(statuses(&response), ["200", "200", "400"], "{response}");
    eventually("nothing in progress", || async {
        app.metrics().await.sum("http_requests_in_progress") == 1.0
    })
    .await;
}

/// Sends a text and reads until the server closes.
async fn exchange(app: &TestApp, text: &str) -> String {
    let mut stream = connect(app).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut response = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut response)).await.expect("closed in time").unwrap();
    response
}

fn statuses(response: &str) -> Vec<&str> {
    response.split("HTTP/1.1 ").skip(1).map(|part| &part[..3]).collect()
}

/// RFC 9112, 9.3.2: responses are sent in the order of the requests, so a write gets its response before what follows it is
/// refused.
#[tokio::test]
async fn a_byte_behind_a_body_costs_no_response() {
    let app = spawn(&[]).await;
    let body = "{\"name\":\"z\",\"email\":\"z@example.com\"}";
    let length = body.len();
    let text = format!(
        "POST /api/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body} "
    );
    let response = exchange(&app, &text).await;
    assert_eq!(statuses(&response), ["201", "400"], "{response}");
    assert_eq!(response.matches("application/problem+json").count(), 1, "{response}");
    let metrics = app.metrics().await;
    assert_eq!(metrics.requests("POST", "/api/users", 201), 1.0);
    assert_eq!(metrics.requests("OTHER", "unmatched", 400), 1.0);
}

#[tokio::test]
async fn closes_clients_that_read_nothing() {
    let app = spawn(&[]).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream =
        socket.connect(app.base.strip_prefix("http://").unwrap().parse().unwrap()).await.unwrap();
    // Responses pile up until nothing can be sent in either direction; then only the time limit can end it.
    let request = "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
    let ended = timeout(PATIENCE, async { while stream.write_all(request.as_bytes()).await.is_ok() {} });
    ended.await.expect("closed in time");
    eventually("nothing in progress", || async {
        let metrics = app.metrics().await;
        metrics.sum("http_requests_in_progress") == 1.0
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_is_kept_longer_than_a_head_may_take() {
    let app = spawn(&[]).await;
    let mut stream = connect(&app).await;
    let mut part = [0; 4096];
    for pause in [LIMIT + LIMIT / 2, Duration::ZERO] {
        stream.write_all(GOOD.as_bytes()).await.unwrap();
        let count = timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap();
        assert!(part[..count].starts_with(b"HTTP/1.1 200"));
        sleep(pause).await;
    }
}
