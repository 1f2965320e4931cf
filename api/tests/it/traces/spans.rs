//! Traces: the caller's trace is continued, and a configured collector gets a span per request.

use crate::{
    helpers::{PATIENCE, eventually, header, problem, spawn_app},
    process::running::Running,
};
use nix::sys::signal::Signal;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, any_value},
    trace::v1::{ResourceSpans, Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    time::Instant,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

pub type Any = any_value::Value;
/// The batches that a collector received, each with its request line.
pub type Batches = Receiver<(String, ExportTraceServiceRequest)>;

/// An OTLP/HTTP collector, and the batches it receives.
pub fn collector() -> (String, Batches) {
    let (listener, batches) = collector_of(Ok);
    (format!("http://{listener}"), batches)
}

/// Same over another kind of connection; returns its address.
pub fn collector_of<S: Read + Write>(
    speak: impl Fn(TcpStream) -> std::io::Result<S> + Clone + Send + 'static,
) -> (SocketAddr, Batches) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, batches) = channel();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let (sender, speak) = (sender.clone(), speak.clone());
            std::thread::spawn(move || {
                let Ok(mut stream) = speak(socket) else { return };
                while let Some(batch) = receive(&mut stream) {
                    let _ = sender.send(batch);
                }
            });
        }
    });
    (address, batches)
}

/// Receives one request and responds; `None` at the end of the connection.
fn receive(stream: &mut (impl Read + Write)) -> Option<(String, ExportTraceServiceRequest)> {
    let mut reader = BufReader::new(&mut *stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_lowercase());
    }
    assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    stream.flush().unwrap();
    Some((head[0].clone(), ExportTraceServiceRequest::decode(&body[..]).unwrap()))
}

/// Stops the gateway, which sends its queue, and returns every span.
pub async fn spans(mut api: Running, batches: &Batches) -> Vec<Span> {
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(0));
    let mut spans = Vec::new();
    for (line, batch) in batches.try_iter() {
        assert_eq!(line, "post /v1/traces http/1.1");
        for ResourceSpans { resource, scope_spans, .. } in batch.resource_spans {
            let resource = resource.unwrap().attributes;
            let name = resource.iter().find(|attribute| attribute.key == "service.name").unwrap();
            assert_eq!(name.value, Some(AnyValue { value: Some(Any::StringValue("shop".into())) }));
            spans.extend(scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    spans
}

pub fn attribute(span: &Span, key: &str) -> Option<Any> {
    span.attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value
}

pub fn text(text: &str) -> Option<Any> {
    Some(Any::StringValue(text.into()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn spans_continue_the_callers_trace_and_reach_the_collector() {
    let (address, batches) = collector();
    let api =
        Running::start(&["--drain-delay", "0s", "--otlp-endpoint", &address, "--otel-service-name", "shop"]);
    let fetch = async |method: &str, path: &str, parent: Option<&str>| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = api.client.request(method, format!("{}{path}", api.base));
        if let Some(parent) = parent {
            request = request.header("traceparent", parent);
        }
        request.send().await.unwrap()
    };
    let sampled = format!("00-{TRACE}-{SPAN}-01");
    let missing = fetch("GET", "/api/users/7?token=hush", Some(&sampled)).await;
    let response = header(&missing, "traceresponse").to_owned();
    let missing_id = header(&missing, "x-request-id").to_owned();
    let failed = fetch("GET", "/error", None).await;
    let failed_trace = header(&failed, "traceresponse")[3..35].to_owned();
    fetch("BREW", "/nowhere", None).await;
    // The caller does not record this trace, so it is not exported.
    let unsampled = format!("00-{}-{SPAN}-00", "a".repeat(32));
    let skipped = fetch("GET", "/error", Some(&unsampled)).await;
    assert!(header(&skipped, "traceresponse").ends_with("-00"));

    let spans = spans(api, &batches).await;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["GET /api/users/{id}", "GET /error", "HTTP"]);

    let [user, error, other] = &spans[..] else { unreachable!("three names were equal") };
    assert_eq!((hex(&user.trace_id).as_str(), hex(&user.parent_span_id).as_str()), (TRACE, SPAN));
    assert_eq!(response, format!("00-{TRACE}-{}-01", hex(&user.span_id)), "the caller gets the span");
    assert_eq!(user.kind, SpanKind::Server as i32);
    assert_eq!(attribute(user, "http.request.method"), text("GET"));
    assert_eq!(attribute(user, "http.route"), text("/api/users/{id}"));
    assert_eq!(attribute(user, "http.response.status_code"), Some(Any::IntValue(404)));
    assert_eq!(
        attribute(user, "url.path"),
        text("/api/users/7"),
        "without the query, which may hold secrets"
    );
    assert_eq!(attribute(user, "client.address"), text("127.0.0.1"));
    assert_eq!(attribute(user, "request_id"), text(&missing_id));
    assert_eq!(user.status.clone().unwrap_or_default().code, StatusCode::Unset as i32, "a client error");
    assert!(user.start_time_unix_nano > 0 && user.end_time_unix_nano >= user.start_time_unix_nano);

    assert_eq!(hex(&error.trace_id), failed_trace);
    assert!(error.parent_span_id.iter().all(|byte| *byte == 0), "a new trace");
    assert_eq!(attribute(error, "error.type"), text("500"));
    assert_eq!(error.status.clone().unwrap().code, StatusCode::Error as i32);

    assert_eq!(attribute(other, "http.request.method"), text("_OTHER"));
    assert_eq!(attribute(other, "http.route"), None);
}

#[tokio::test]
async fn an_unreachable_collector_is_logged_once() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let mut api = Running::start(&["--drain-delay", "0s", "--otlp-endpoint", &address]);
    for _ in 0..50 {
        assert_eq!(api.status("/livez").await, Some(200));
    }
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(0));
    let warnings = api.lines.iter().filter(|line| line["message"].to_string().contains("span export failed"));
    assert_eq!(warnings.count(), 1);
}

#[tokio::test]
async fn an_unresponsive_collector_blocks_nothing() {
    // The kernel accepts connections, and nothing reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let mut api = Running::start(&["--drain-delay", "0s", "--otlp-endpoint", &address]);
    for _ in 0..50 {
        assert_eq!(api.status("/livez").await, Some(200));
    }
    let stopping = Instant::now();
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(0));
    assert!(stopping.elapsed() < PATIENCE / 2, "{:?}", stopping.elapsed());
}

#[tokio::test]
async fn every_error_names_its_trace_in_header_and_body() {
    let app = spawn_app().await;
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let continued = app.request("GET", "/nope").header("traceparent", &parent).send().await.unwrap();
    assert_eq!(header(&continued, "traceresponse")[3..35], *TRACE);
    assert_eq!(problem(continued, 404).await["trace_id"], TRACE);

    let mut seen = Vec::new();
    for bad in [None, Some("nonsense".to_owned()), Some(format!("00-{}-{SPAN}-01", "0".repeat(32)))] {
        let mut request = app.request("GET", "/error");
        if let Some(bad) = &bad {
            request = request.header("traceparent", bad);
        }
        let response = request.send().await.unwrap();
        let trace_id = header(&response, "traceresponse")[3..35].to_owned();
        let body = problem(response, 500).await;
        assert_eq!(body["trace_id"], trace_id.as_str(), "{bad:?}");
        assert!(
            trace_id.bytes().all(|digit| digit.is_ascii_hexdigit()) && !seen.contains(&trace_id),
            "{trace_id}"
        );
        seen.push(trace_id);
    }
    let fine = app.get("/").await;
    assert!(fine.headers().get("traceresponse").is_none());
}

#[tokio::test]
async fn log_lines_have_both_ids_and_no_secret() {
    const SECRET: &str = "hush-hush-7c1f";
    let mut api = Running::start(&["--drain-delay", "0s", "--log-level", "debug"]);
    let request = api
        .client
        .get(format!("{}/api/users/9?token={SECRET}&api_key={SECRET}", api.base))
        .header("authorization", format!("Bearer {SECRET}"))
        .header("x-api-key", SECRET)
        .header("cookie", format!("session={SECRET}"))
        .header("x-request-id", "order-66")
        .header("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    assert_eq!(request.send().await.unwrap().status(), 404);
    let created = api
        .client
        .post(format!("{}/api/users?name=A&email=a@example.com&password={SECRET}", api.base))
        .header("authorization", format!("Basic {SECRET}"));
    assert_eq!(created.send().await.unwrap().status(), 201);
    api.signal(Signal::SIGTERM);
    assert_eq!(api.ended().await.code(), Some(0));
    let lines: Vec<serde_json::Value> = api.lines.iter().collect();
    let line = lines.iter().find(|line| line["request_id"] == "order-66").expect("the request is logged");
    assert_eq!((&line["trace_id"], &line["route"]), (&TRACE.into(), &"/api/users/{id}".into()));
    assert_eq!((&line["status"], &line["method"]), (&404.into(), &"GET".into()));
    assert!(line["duration_ms"].is_number());
    let other = lines.iter().find(|line| line["status"] == 201).expect("the other is logged too");
    assert!(other["trace_id"].as_str().is_some_and(|id| id.len() == 32 && id != TRACE), "{other}");
    for line in &lines {
        assert!(!line.to_string().contains(SECRET), "{line}");
    }
}

#[tokio::test]
async fn spans_are_sent_while_the_gateway_runs() {
    let (address, batches) = collector();
    let api = Running::start(&["--otlp-endpoint", &address, "--otel-service-name", "shop"]);
    assert_eq!(api.status("/livez").await, Some(200));
    eventually("a batch arrives", || async { batches.try_recv().is_ok() }).await;
}
