//! Any body of any write is accepted or refused, and never an internal error.
#![no_main]

#[path = "../gateway.rs"]
mod gateway;

use std::io::Write;

use libfuzzer_sys::fuzz_target;

const REQUESTS: [&str; 6] = [
    "POST /api/users",
    "PUT /api/users/1",
    "PATCH /api/users/1",
    "POST /api/ingest",
    "POST /inference",
    "POST /api/users?name=a",
];

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (which, keyed, body) = input;
    let request = REQUESTS[usize::from(which) % REQUESTS.len()];
    let mut stream = gateway::connect(gateway::address(None));
    let key = if keyed { "idempotency-key: k\r\n" } else { "" };
    let head = format!(
        "{request} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nconnection: close\r\n{key}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("a request");
    let received = gateway::read_to_end(&mut stream);
    let text = String::from_utf8_lossy(&received);
    let status: u16 = text.get(9..12).and_then(|status| status.parse().ok()).expect("a response");
    // 501 from a gateway that is built without models.
    assert!(status < 500 || (status == 501 && request.contains("inference")), "{request}: {text}");
});
