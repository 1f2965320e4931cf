//! Any bytes at the gateway's socket get responses that are HTTP, none of them 500, and the connection ends in time.
#![no_main]

#[path = "../gateway.rs"]
mod gateway;

use std::io::Write;
use std::net::Shutdown;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u16>, &[u8])| {
    let (lengths, bytes) = input;
    let address = gateway::address(None);
    let mut stream = gateway::connect(address);
    gateway::write_in_pieces(&mut stream, bytes, &lengths);
    let _ = stream.shutdown(Shutdown::Write);
    let received = gateway::read_to_end(&mut stream);
    let text = String::from_utf8_lossy(&received);
    assert!(received.is_empty() || text.starts_with("HTTP/1."), "{text}");
    assert!(!text.contains("HTTP/1.1 500"), "{text}");
    let mut other = gateway::connect(address);
    other.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").expect("a request");
    let received = gateway::read_to_end(&mut other);
    assert!(received.starts_with(b"HTTP/1.1 200 "), "{}", received.escape_ascii());
});
