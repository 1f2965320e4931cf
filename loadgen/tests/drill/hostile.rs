//! Servers that send what no Prometheus would.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::{DRILL, closed, directory, loadgen};

/// Responds to every request with `respond`; the thread ends with the test's process.
fn server(respond: fn(&mut TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut part = [0; 4096];
            // A client that has enough leaves, which is no error of the server.
            let _ = client.read(&mut part).and_then(|_| respond(&mut client));
        }
    });
    url
}

/// The output of a drill with this Prometheus, which is REFUSED.
fn refused(prometheus: &str) -> String {
    let directory = directory(&[("a.yaml", DRILL)]);
    let mut command = loadgen(directory.path(), &["--inbox", "none", "--prometheus", prometheus]);
    command.args(["--alertmanager", &closed(), "--target", &closed(), "--leftovers", "leftovers", "a.yaml"]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("REFUSED"), "{text}");
    text
}

#[test]
fn response_beyond_the_limit_is_refused() {
    let text = refused(&server(|client| {
        client.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1610612736\r\n\r\n{\"status\":\"success\",\"data\":",
        )?;
        loop {
            client.write_all(&[b' '; 1 << 16])?;
        }
    }));
    assert!(text.contains("response is larger than 32 MiB"), "{text}");
}

#[test]
fn text_of_a_server_does_not_control_the_terminal() {
    let text = refused(&server(|client| {
        let body = "\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}down\u{9b}1A\nhigh-error-rate  PROVEN";
        let length = body.len();
        write!(client, "HTTP/1.1 500 X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
    }));
    assert!(text.contains("\\u001b[2J") && text.contains("\\u202edown"), "{text}");
    assert!(text.chars().all(|it| it == '\n' || !it.is_control() && it != '\u{202e}'), "{text:?}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("high-error-rate  PROVEN")), "{text}");
}
