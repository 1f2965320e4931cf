//! Hostile clients of the inbox do not exhaust its memory. The only test of this process, whose memory it measures, and which
//! includes that of the clients.

#![cfg(test)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use inbox::store::history::Limits;
use inbox::{Config, Inbox, WEBHOOK_LIMIT};

/// In MiB.
const MOST: u64 = 256;
const LARGE: usize = 15 << 20;

/// Starts an inbox that runs until this process ends.
fn start() -> (SocketAddr, SocketAddr) {
    let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (http, smtp) = (listen(), listen());
    let addresses = (http.local_addr().unwrap(), smtp.local_addr().unwrap());
    let config = Config {
        limits: Limits { count: 1_000, bytes: 32 << 20 },
        data_dir: None,
        heartbeat_limit: Duration::from_secs(600),
        proofs: None,
        allowed_hosts: Default::default(),
        runbooks: None,
    };
    std::thread::spawn(move || {
        let inbox = Inbox::open(&config).unwrap();
        actix_web::rt::System::new().block_on(inbox.serve(http, Some(smtp), std::future::pending())).unwrap();
    });
    addresses
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

/// The highest memory since the last call, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

fn head(length: usize) -> String {
    format!(
        "POST /webhook HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// The status of a webhook.
fn post(to: SocketAddr, body: &str) -> u16 {
    let mut stream = connect(to);
    stream.write_all(head(body.len()).as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut part = [0; 64];
    let count = stream.read(&mut part).unwrap();
    std::str::from_utf8(&part[..count]).unwrap()[9..12].parse().unwrap()
}

/// A webhook with these further fields and alerts.
fn webhook(further: &str, alerts: &str) -> String {
    format!(
        "{{\"version\":\"4\",\"groupKey\":\"k\",\"receiver\":\"r\",\"status\":\"firing\"{further},\"alerts\":[{alerts}]}}"
    )
}

#[test]
fn hostile_clients_do_not_exhaust_the_memory() {
    let (http, smtp) = start();
    let alert = "{\"status\":\"firing\",\"labels\":{\"alertname\":\"A\"},\"annotations\":{},\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"0001-01-01T00:00:00Z\",\"fingerprint\":\"a\"}";
    assert_eq!(post(http, &webhook("", alert)), 200);
    let mut peaks = vec![("idle", peak())];

    // Bodies that never end.
    let filler = vec![b' '; LARGE];
    let mut held = Vec::new();
    for _ in 0..40 {
        let mut stream = connect(http);
        stream.write_all(head(WEBHOOK_LIMIT).as_bytes()).unwrap();
        // Most are refused meanwhile.
        let _ = stream.write_all(&filler);
        held.push(stream);
    }
    assert_eq!(post(http, &webhook("", alert)), 200, "small notifications still arrive");
    peaks.push(("40 webhooks of 15 MiB at once", peak()));
    let mut refused = 0;
    for stream in &mut held {
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut part = [0; 64];
        if let Ok(count @ 1..) = stream.read(&mut part) {
            assert!(part[..count].starts_with(b"HTTP/1.1 503"), "{}", part[..count].escape_ascii());
            refused += 1;
        }
    }
    assert!(refused >= 20, "{refused}");
    drop(held);

    // Bodies that take a hundred times their size as values.
    let nested = vec!["[[0]]"; LARGE / 6].join(",");
    assert_eq!(post(http, &webhook(&format!(",\"x\":[{nested}]"), alert)), 200);
    peaks.push(("a webhook with 2.6 million lists", peak()));
    drop(nested);
    let many = vec![alert; LARGE / (alert.len() + 1)].join(",");
    assert_eq!(post(http, &webhook("", &many)), 200);
    peaks.push(("a webhook with 100,000 alerts", peak()));
    drop(many);

    let text = format!("{}\r\n", "x".repeat(70)).repeat(13_000);
    let mut mails = Vec::new();
    for _ in 0..64 {
        let mut stream = connect(smtp);
        let start = "EHLO a\r\nAUTH PLAIN AHVzZXIAcGFzcw==\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";
        stream.write_all(start.as_bytes()).unwrap();
        let _ = stream.write_all(text.as_bytes());
        mails.push(stream);
    }
    peaks.push(("64 mails of 0.9 MiB at once", peak()));
    println!("{peaks:?}");
    for (what, peak) in peaks {
        assert!(peak < MOST, "{what}: {peak} MiB");
    }
}
