//! More connections than the limit: the longest idle one makes room, and one address cannot have all.

use crate::{
    connections::{http2, tls},
    helpers::{PATIENCE, TestApp, eventually, roomy, spawn_with},
    process::running::Running,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{fs, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// Maximum number of descriptors that a gateway has open besides its connections.
const OTHER_FILES: usize = 256;
const MOST: usize = 16;

const PROBE: &[u8] = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";
const ALIVE: &[u8] = b"{\"status\":\"alive\"}";

async fn spawn(flags: &[&str]) -> TestApp {
    spawn_with(&roomy(), &[&["--max-connections", "16"], flags].concat()).await
}

fn address(app: &TestApp) -> SocketAddr {
    app.base.strip_prefix("http://").unwrap().parse().unwrap()
}

/// A connection from 127.0.0.`host`.
async fn connect(to: SocketAddr, host: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, host], 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// Sends a request; `None` if the connection ends without a response.
async fn fetch(stream: &mut TcpStream) -> Option<()> {
    let mut received = Vec::new();
    stream.write_all(PROBE).await.ok()?;
    let mut part = [0; 1024];
    let response = async {
        while !received.ends_with(ALIVE) {
            match stream.read(&mut part).await {
                Ok(count @ 1..) => received.extend_from_slice(&part[..count]),
                _ => return None,
            }
        }
        Some(())
    };
    timeout(PATIENCE, response).await.expect("a response, or the end")
}

/// Waits for the end of a connection.
async fn ends(stream: &mut TcpStream) {
    let mut part = [0; 1024];
    let end = timeout(PATIENCE, stream.read(&mut part)).await.expect("closed");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

/// A request for `/slow` that is in progress, as the `number`th.
async fn begin(app: &TestApp, host: u8, number: usize, delay: &str) -> TcpStream {
    let mut stream = connect(address(app), host).await;
    let request = format!("GET /slow?delay={delay} HTTP/1.1\r\nhost: a\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    eventually("the request is in progress", || async {
        let series = r#"http_requests_in_progress{method="GET",route="/slow"}"#;
        app.metrics().await.get(series) == Some(number as f64)
    })
    .await;
    stream
}

#[tokio::test]
async fn one_client_with_idle_connections_shuts_nobody_out() {
    let app = spawn(&["--keep-alive", "10m", "--max-connections-per-address", "16"]).await;
    let mut idle = Vec::new();
    for _ in 0..MOST {
        let mut stream = connect(address(&app), 2).await;
        fetch(&mut stream).await.unwrap();
        idle.push(stream);
    }
    fetch(&mut idle[0]).await.expect("nobody leaves while there is room");
    let mut newcomer = connect(address(&app), 1).await;
    fetch(&mut newcomer).await.expect("served at once");
    ends(&mut idle[1]).await;
    for stay in [0, 2, MOST - 1] {
        fetch(&mut idle[stay]).await.expect("only the longest idle one leaves");
    }
    let closed = app.metrics().await.get(r#"http_connections_closed_total{reason="idle"}"#).unwrap();
    assert!((1.0..=2.0).contains(&closed), "{closed}: for the newcomer and this scrape");
}

#[tokio::test]
async fn clients_that_send_nothing_shut_nobody_out() {
    let silent =
        ["--request-head-timeout", "10m", "--max-connections", "16", "--max-connections-per-address", "16"];
    let (app, https) = (spawn_with(&roomy(), &silent).await, tls::spawn_https(&silent).await);
    for to in [address(&app), address(&https.app)] {
        let mut held = Vec::new();
        for _ in 0..2 * MOST {
            held.push(connect(to, 2).await);
        }
        // Workers are not equally fast, so any of them may be the first ones.
        let mut ended: FuturesUnordered<_> = held.iter_mut().map(ends).collect();
        for _ in 0..MOST {
            ended.next().await;
        }
        drop(ended);
        if to == address(&app) {
            fetch(&mut connect(to, 1).await).await.expect("served");
        } else {
            let mut stream = https.connect(&["http/1.1"], "localhost").await.expect("a handshake");
            stream.write_all(PROBE).await.unwrap();
            let mut part = [0; 64];
            let count = timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap();
            assert!(part[..count].starts_with(b"HTTP/1.1 200"));
        }
    }
}

#[tokio::test]
async fn an_idle_http_2_connection_leaves_with_a_goaway() {
    let flags = ["--keep-alive", "10m", "--max-connections", "16", "--max-connections-per-address", "16"];
    let https = tls::spawn_https(&flags).await;
    let connect = async || {
        let stream = https.connect(&["h2"], "localhost").await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        let driver = tokio::spawn(connection);
        assert!(http2::text(&client, "/livez").await.contains("alive"));
        (client, driver)
    };
    let busy = connect().await;
    let (slow, _) = busy.0.clone().send_request(http2::request("/slow?delay=2s"), true).unwrap();
    let mut idle = Vec::new();
    for _ in 1..MOST {
        idle.push(connect().await);
    }
    let _newcomers = [connect().await, connect().await];
    for (_client, driver) in idle.drain(..2) {
        timeout(PATIENCE, driver).await.expect("closed").unwrap().expect("without an error: NO_ERROR");
    }
    assert_eq!(slow.await.unwrap().status(), 200, "a connection with a request stays");
    for (client, _driver) in &idle {
        assert!(http2::text(client, "/livez").await.contains("alive"), "the others stay");
    }
}

#[tokio::test]
async fn waits_while_every_connection_has_a_request() {
    let app = spawn(&["--max-connections-per-address", "16"]).await;
    let mut busy = Vec::new();
    for number in 1..MOST {
        busy.push(begin(&app, 2, number, "60s").await);
    }
    // No connection is left to watch the last one with: it shows itself that its request is in progress.
    let mut last = connect(address(&app), 2).await;
    let body = "{\"name\":\"Ada\",\"email\":\"ada@example.com\"}";
    let head = format!(
        "POST /api/users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    last.write_all(head.as_bytes()).await.unwrap();
    let mut part = [0; 2048];
    let count = timeout(PATIENCE, last.read(&mut part)).await.unwrap().unwrap();
    assert!(part[..count].starts_with(b"HTTP/1.1 100"));
    let mut newcomer = connect(address(&app), 1).await;
    let finish = async {
        last.write_all(body.as_bytes()).await.unwrap();
        let count = timeout(PATIENCE, last.read(&mut part)).await.unwrap().unwrap();
        assert!(part[..count].starts_with(b"HTTP/1.1 201"), "the request ends before its connection");
    };
    let (served, ()) = tokio::join!(fetch(&mut newcomer), finish);
    served.expect("served when another one has become idle");
    ends(&mut last).await;
}

#[tokio::test]
async fn one_address_has_a_limit_unless_it_is_a_proxy() {
    let flags = ["--max-connections-per-address", "3", "--trusted-proxies", "127.0.0.3"];
    let app = spawn(&flags).await;
    let mut busy = Vec::new();
    for number in 1..=2 {
        busy.push(begin(&app, 2, number, "60s").await);
    }
    let mut idle = connect(address(&app), 2).await;
    fetch(&mut idle).await.unwrap();
    busy.push(begin(&app, 2, 3, "60s").await);
    ends(&mut idle).await;
    assert_eq!(fetch(&mut connect(address(&app), 2).await).await, None, "closed without a response");
    fetch(&mut connect(address(&app), 4).await).await.expect("other addresses are served");
    let mut proxied = Vec::new();
    for _ in 0..5 {
        proxied.push(connect(address(&app), 3).await);
    }
    for stream in &mut proxied {
        fetch(stream).await.expect("a proxy has no limit");
    }
    let closed = app.metrics().await.get(r#"http_connections_closed_total{reason="address"}"#);
    assert_eq!(closed, Some(2.0));
}

/// Clients that get a response each, all at the same time, and stay.
async fn crowd(size: usize, to: SocketAddr) -> Vec<TcpStream> {
    api::file_limit::raise();
    let mut clients = JoinSet::new();
    for _ in 0..size {
        clients.spawn(async move {
            // One that has lost its place before it had its turn tries again, as clients do.
            loop {
                let mut stream = TcpStream::connect(to).await.unwrap();
                if fetch(&mut stream).await.is_some() {
                    return stream;
                }
            }
        });
    }
    timeout(PATIENCE * 3, clients.join_all()).await.expect("every client is served")
}

fn open_files(api: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", api.pid())).unwrap().count()
}

/// In bytes.
fn resident(api: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", api.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_beyond_max_connections_are_served_and_use_no_memory() {
    const SERVED: usize = 200;
    const CLIENTS: usize = 1_000;
    let flags = ["--max-connections", "200", "--max-connections-per-address", "200", "--keep-alive", "10m"];
    let api = Running::start(&flags);
    assert_eq!(api.admin_status("/readyz").await, Some(200));
    let before = resident(&api);
    let _clients = crowd(CLIENTS, api.public_address()).await;
    assert!(open_files(&api) <= SERVED + OTHER_FILES, "{}", open_files(&api));
    // Twenty times the memory of a connection, and a tenth of what a leak would leave.
    let grown = resident(&api).saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for {SERVED} connections");
    assert_eq!(api.admin_status("/metrics").await, Some(200), "the admin listener has its own limit");
    assert_eq!(api.status("/api/users").await, Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_limit_of_open_files_leaves_room_for_everything_else() {
    const FILES: usize = 600;
    const CLIENTS: usize = 700;
    // MAX_CONNECTIONS is 20,000, and every one of them needs a file.
    let flags = ["--max-connections-per-address", "20000", "--keep-alive", "10m"];
    let api = Running::start_with_files(FILES, &flags);
    let _clients = crowd(CLIENTS, api.public_address()).await;
    assert!(open_files(&api) < FILES);
    for path in ["/metrics", "/readyz"] {
        assert_eq!(api.admin_status(path).await, Some(200), "{path}");
    }
    assert_eq!(api.status("/api/users").await, Some(200), "the database always had descriptors");
}
