//! The proxy in front of the engine's socket, with a server in place of the engine.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use process::program::{self, repository};
use process::{Launch, Process, port};

/// An engine that responds with the request it gets.
fn engine(listener: UnixListener) {
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = BufReader::new(client.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && client.read_line(&mut head).is_ok_and(|read| read > 0) {}
            let line = head.lines().next().unwrap_or_default();
            let length = line.len();
            // A client that has left is no concern of the engine.
            let _ = write!(
                client.get_mut(),
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{line}"
            );
        }
    });
}

#[tokio::test]
async fn passes_on_only_what_cadvisor_reads() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("docker.sock");
    engine(UnixListener::bind(&socket).unwrap());
    let port = port::free().unwrap();
    let config = repository().join("deploy/compose/docker-proxy.cfg");
    let arguments = ["-db".to_owned(), "-f".to_owned(), config.display().to_string()];
    let mut launch = Launch::new("docker-proxy", program::external("haproxy").unwrap(), arguments.to_vec());
    launch.env = vec![
        ("LISTEN".to_owned(), format!("127.0.0.1:{port}")),
        ("SOCKET".to_owned(), socket.display().to_string()),
    ];
    let log = dir.path().join("haproxy.log");
    let mut process = Process::start(&launch, &log).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = async |method: &str, path: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let response = client.request(method, format!("http://127.0.0.1:{port}{path}")).send().await;
        let response = response.ok()?;
        Some((response.status().as_u16(), response.text().await.unwrap()))
    };
    let started = Instant::now();
    while send("GET", "/_ping").await.is_none_or(|(status, _)| status != 200) {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "not ready: {}",
            std::fs::read_to_string(&log).unwrap_or_default()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let id = "0123456789ab".repeat(5) + "0123";
    for path in [
        "/_ping".to_owned(),
        "/v1.47/info".to_owned(),
        "/version".to_owned(),
        "/v1.47/images/json".to_owned(),
        "/v1.47/containers/json?all=1".to_owned(),
        format!("/v1.47/containers/{id}/json"),
    ] {
        assert_eq!(send("GET", &path).await, Some((200, format!("GET {path} HTTP/1.1"))), "{path}");
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            assert_eq!(send(method, &path).await.unwrap().0, 403, "{method} {path}");
        }
    }
    for path in [
        format!("/containers/{id}/archive?path=/etc/shadow"),
        format!("/containers/{id}/export"),
        format!("/containers/{id}/logs?stdout=1"),
        format!("/containers/{id}/attach/ws"),
        format!("/v1.47/containers/{id}/json/../archive"),
        "/containers/%2e%2e/json".to_owned(),
        "/containers/name/json".to_owned(),
        "/events".to_owned(),
        "/secrets".to_owned(),
        "/v1.47/exec/a/json".to_owned(),
        "//info".to_owned(),
    ] {
        assert_eq!(send("GET", &path).await.unwrap().0, 403, "{path}");
    }
    assert_eq!(send("POST", "/v1.47/containers/create").await.unwrap().0, 403);
    process.stop(Duration::from_secs(5)).await;
}
