//! Damaged requests at the socket: the gateway responds or closes, never with 500, and goes on serving. Each round has its own
//! seed, which the message of a failure names.

use crate::{
    connections::tls,
    helpers::{PATIENCE, TestApp, eventually, roomy, spawn_app, spawn_with},
};
use common::rng::Rng;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const ROUNDS: u64 = 300;
/// Waits are shorter than the time that a test has.
const LIMITS: [&str; 6] =
    ["--request-head-timeout", "2s", "--request-body-timeout", "2s", "--write-timeout", "2s"];

/// Bytes with up to eight of them changed, removed, repeated or replaced by pieces that matter.
fn damaged(rng: &mut Rng, mut bytes: Vec<u8>, pieces: &[&[u8]]) -> Vec<u8> {
    for _ in 0..=rng.below(8) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        match rng.below(5) {
            0 => bytes.truncate(at.max(1)),
            1 if at < bytes.len() => bytes[at] = rng.below(256) as u8,
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let end = (at + rng.below(64) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => drop(bytes.splice(at..at, pieces[rng.below(pieces.len() as u64) as usize].to_vec())),
        }
    }
    bytes
}

/// Sends the bytes in two parts, closes this half, and returns everything that comes until the end.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8], cut: usize) -> Vec<u8> {
    let (first, rest) = bytes.split_at(cut.min(bytes.len()));
    for part in [first, rest] {
        // The gateway may have closed already.
        let _ = stream.write_all(part).await;
        let _ = stream.flush().await;
    }
    let _ = stream.shutdown().await;
    let mut received = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut received)).await.expect("the connection ends in time");
    received
}

async fn goes_on(app: &TestApp) {
    assert_eq!(app.get("/livez").await.status(), 200);
    eventually("nothing is left behind", || async {
        app.metrics().await.sum("http_requests_in_progress") == 1.0
    })
    .await;
}

#[tokio::test]
async fn http_1() {
    const REQUESTS: &[u8] = b"GET /api/users HTTP/1.1\r\nhost: a\r\n\r\nPOST /api/users HTTP/1.1\r\nhost: a\r\n\
        content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n\
        PUT /api/users/1 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n{}";
    const PIECES: &[&[u8]] = &[
        b"\r\n",
        b"\n",
        b"\0",
        b"\r\n\r\n",
        b"0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"content-length: 5\r\n",
        b"transfer-encoding: gzip, chunked\r\n",
        b"upgrade: h2c\r\n",
        b"HTTP/1.0",
        b"%00",
        b"/../",
        b"\xff\xfe",
        b"connection: close\r\n",
        b"host: b\r\n",
        b" ",
        b"\t:",
    ];
    let app = spawn_with(&roomy(), &LIMITS).await;
    let address = app.base.strip_prefix("http://").unwrap();
    for seed in 0..ROUNDS {
        let mut rng = Rng::new(seed);
        let bytes = damaged(&mut rng, REQUESTS.to_vec(), PIECES);
        let stream = TcpStream::connect(address).await.unwrap();
        let received = exchange(stream, &bytes, rng.below(bytes.len() as u64 + 1) as usize).await;
        let text = String::from_utf8_lossy(&received);
        assert!(received.is_empty() || text.starts_with("HTTP/1."), "seed {seed}: {text}");
        assert!(!text.contains("HTTP/1.1 500"), "seed {seed}: {text}");
    }
    goes_on(&app).await;
}

#[tokio::test]
async fn http_2() {
    // Preface, SETTINGS, WINDOW_UPDATE, HEADERS of GET /livez on stream 1, DATA on stream 3, PING, RST_STREAM, GOAWAY.
    const FRAMES: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\xff\xff\
        \0\0\x04\x08\0\0\0\0\0\0\0\xff\xff\0\0\x0d\x01\x05\0\0\0\x01\x82\x87\x04\x06/livez\x01\x01a\
        \0\0\x03\0\x01\0\0\0\x03abc\0\0\x08\x06\0\0\0\0\0abcdefgh\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08\
        \0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0";
    const PIECES: &[&[u8]] = &[
        b"\0\0\0\x04\0\0\0\0\0",
        b"\0\0\x04\x08\0\0\0\0\x01\x7f\xff\xff\xff",
        b"\0\0\0\x09\0\0\0\0\x01",
        b"\0\0\0\x01\x04\0\0\0\x05",
        b"\xff\xff\xff\0\0\0\0\0\x01",
        b"\0\0\x05\x02\0\0\0\0\x01\0\0\0\x01\xff",
        b"\x82\x87\x84",
        b"\xff\xff\xff\xff\x0f",
        b"\0\0\0\x05\x04\0\0\0\x02",
    ];
    let https = tls::spawn_https(&LIMITS).await;
    for seed in 0..ROUNDS / 3 {
        let mut rng = Rng::new(seed);
        let bytes = damaged(&mut rng, FRAMES.to_vec(), PIECES);
        let stream = https.connect(&["h2"], "localhost").await.unwrap();
        exchange(stream, &bytes, rng.below(bytes.len() as u64 + 1) as usize).await;
    }
    let whole = https.connect(&["h2"], "localhost").await.unwrap();
    let received = exchange(whole, FRAMES, 0).await;
    assert!(!received.is_empty(), "it still speaks HTTP/2");
}

#[tokio::test]
async fn bodies() {
    const BODIES: [(&str, &[u8]); 4] = [
        ("/api/users", b"{\"name\":\"Ada\",\"email\":\"ada@example.com\"}"),
        (
            "/api/ingest",
            b"{\"readings\":[{\"device\":\"d\",\"stream\":\"steps\",\"timestamp\":1000000000,\"value\":1}]}",
        ),
        ("/inference", b"{\"model_name\":\"iris\",\"input_data\":[[5.1,3.5,1.4,0.2]]}"),
        ("/api/users?name=a", b"{}"),
    ];
    const PIECES: &[&[u8]] = &[
        b"[",
        b"]",
        b"{",
        b"}",
        b"\"",
        b",",
        b":",
        b"null",
        b"1e999",
        b"-0",
        b"\\u0000",
        b"\\ud800",
        b"\xff",
        b"\0",
        b"true",
        b"[[[[[[[[",
        b"18446744073709551616",
        b"\xe2\x80\xae",
    ];
    let app = spawn_app().await;
    for seed in 0..ROUNDS {
        let mut rng = Rng::new(seed);
        let (path, body) = BODIES[rng.below(BODIES.len() as u64) as usize];
        let body = damaged(&mut rng, body.to_vec(), PIECES);
        let request = app.request("POST", path).header("content-type", "application/json");
        let response = request.body(body.clone()).send().await.unwrap();
        let status = response.status().as_u16();
        assert!(status < 500, "seed {seed}: {status} for {path} and {}", body.escape_ascii());
    }
    goes_on(&app).await;
}

#[test]
fn files_of_limits_and_keys() {
    use api::{access::KeyRing, limit::PolicySet};
    let limits = include_bytes!("../../../rate_limits.toml");
    let keys =
        format!("[[keys]]\nname = \"ci\"\nhash = \"{}\"\nplan = \"default\"\n", api::access::hash("a"));
    let pieces: &[&[u8]] = &[
        b"[[policy]]\n",
        b"plan = true\n",
        b"limit = \"1/s\"\n",
        b"burst = 18446744073709551616\n",
        b"\"",
        b"=",
        b"\n",
        b"cost = { \"/\" = 0 }\n",
        b"key = [\"client\"]\n",
        b"[[keys]]\n",
        b"0",
        b"\xc3\xa9",
    ];
    for seed in 0..20 * ROUNDS {
        let mut rng = Rng::new(seed);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let limits = text(damaged(&mut rng, limits.to_vec(), pieces));
        let keys = text(damaged(&mut rng, keys.clone().into_bytes(), pieces));
        let policies = PolicySet::parse("limits.toml", &limits).unwrap_or_else(|error| {
            assert!(error.to_string().contains("limits.toml"), "seed {seed}: {error}");
            PolicySet::built_in()
        });
        match KeyRing::parse("keys.toml", &keys, &policies) {
            Ok(ring) => assert_eq!(ring.plan_missing(&policies), None, "seed {seed}"),
            Err(error) => assert!(error.to_string().contains("keys.toml"), "seed {seed}: {error}"),
        }
    }
}
