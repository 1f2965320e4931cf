//! The admin listener while the public one is saturated.

use crate::process::running::Running;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const BAR: Duration = Duration::from_millis(100);
/// Connections that each wait for a response of `/slow`, if the machine allows that many.
const WANTED: u64 = 10_000;
/// The first of them gets its response after a minute and a half; a slow machine opens fewer by then.
const CONNECTING: Duration = Duration::from_secs(40);
/// Threads that keep the two public workers busy.
const HAMMERS: usize = 4;

/// One request on a new connection, from first byte to last.
fn fetch(address: SocketAddr, path: &str) -> std::io::Result<(Duration, String)> {
    let started = Instant::now();
    let mut socket = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    socket.read_to_string(&mut response)?;
    Ok((started.elapsed(), response))
}

fn put_fault(admin: SocketAddr, fault: &str) {
    let mut socket = TcpStream::connect(admin).unwrap();
    let head =
        "PUT /faults/hold HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
    write!(socket, "{head}\r\nContent-Length: {}\r\n\r\n{fault}", fault.len()).unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 201"), "{response}");
}

/// Sends requests one after the other until stopped.
fn hammer(address: SocketAddr, stop: &AtomicBool, responses: &AtomicUsize) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    // Pipelined, so that the workers always have a next request.
    let batch = "GET /api/users HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(16);
    let mut buffer = [0; 64 * 1024];
    while !stop.load(Ordering::Relaxed) {
        socket.write_all(batch.as_bytes()).unwrap();
        let mut seen = 0;
        while seen < 16 && !stop.load(Ordering::Relaxed) {
            match socket.read(&mut buffer) {
                Ok(0) => panic!("the gateway closed the connection"),
                // A read may cut a status line in two; then the next batch is sent slightly early or late.
                Ok(length) => seen += buffer[..length].windows(8).filter(|part| part == b"HTTP/1.1").count(),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => panic!("{error}"),
            }
        }
        responses.fetch_add(seen, Ordering::Relaxed);
    }
}

#[test]
fn the_admin_listener_responds_while_public_workers_are_saturated() {
    // This process holds the clients' ends, and runs other tests too.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let wanted = WANTED.min(hard.saturating_sub(1_500)) as usize;

    let api = Running::start(&["--max-connections-per-address", "20000"]);
    let (public, admin) = (api.public_address(), api.admin_address());
    // `/slow` alone waits at most half a minute, which a busy machine may need for connecting.
    put_fault(admin, r#"{"route":"/slow","delay":"60s","ttl":"10m"}"#);
    let mut held = Vec::with_capacity(wanted);
    let started = Instant::now();
    while held.len() < wanted && started.elapsed() < CONNECTING {
        // A machine with fewer ports or less memory opens fewer.
        let Ok(mut socket) = TcpStream::connect_timeout(&public, Duration::from_secs(10)) else { break };
        socket.write_all(b"GET /slow?delay=30s HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        held.push(socket);
    }
    let in_progress = || {
        let (_, text) = fetch(public, "/metrics").unwrap();
        let series = r#"http_requests_in_progress{method="GET",route="/slow"} "#;
        let line = text.lines().find_map(|line| line.strip_prefix(series)).unwrap();
        line.parse::<f64>().unwrap() as usize
    };
    let started = Instant::now();
    while in_progress() < held.len() {
        assert!(started.elapsed() < Duration::from_secs(20), "{} of {}", in_progress(), held.len());
        std::thread::sleep(Duration::from_millis(20));
    }

    let (stop, responses) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let hammers: Vec<_> = (0..HAMMERS)
        .map(|_| {
            let (stop, responses) = (stop.clone(), responses.clone());
            std::thread::spawn(move || hammer(public, &stop, &responses))
        })
        .collect();
    while responses.load(Ordering::Relaxed) < 1_000 {
        assert!(started.elapsed() < Duration::from_secs(60), "the workers do not handle them");
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut took: Vec<Duration> = (0..15)
        .map(|_| {
            let (took, text) = fetch(admin, "/metrics").unwrap();
            assert!(text.starts_with("HTTP/1.1 200") && text.contains("faults_active"), "{text}");
            took
        })
        .collect();
    assert!(in_progress() + 100 > held.len(), "all were held throughout");
    stop.store(true, Ordering::Relaxed);
    hammers.into_iter().for_each(|thread| thread.join().unwrap());
    took.sort();
    println!("{} connections held, admin /metrics took {took:?}", held.len());
    assert!(held.len() >= wanted.min(500), "only {} connections", held.len());
    assert!(took[took.len() / 2] < BAR, "with {} connections held: {took:?}", held.len());
}
