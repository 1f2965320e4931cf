//! The requests that a server receives for given flags.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::command::{loadgen, report_of, stderr, stdout};
use crate::server::{Server, Then};

type Seen = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Records every request.
fn server() -> (Server, Seen) {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let server = Server::start(move |stream, request| {
        kept.lock().unwrap().push((request.head.clone(), request.body.clone()));
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::KeepOpen
    });
    (server, seen)
}

/// Sends one request to `/path` and returns what the server received.
fn sent(args: &[&str]) -> (String, Vec<u8>) {
    let (server, seen) = server();
    let output = loadgen(&[&[server.url("/path").as_str(), "-n", "1"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}{}", stdout(&output), stderr(&output));
    let mut seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

/// The values of a header, in order.
fn values(head: &str, name: &str) -> Vec<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
}

fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn sends_the_given_method() {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        let (head, body) = sent(&["-m", &method.to_lowercase()]);
        assert!(head.starts_with(&format!("{method} /path HTTP/1.1\r\n")), "{head}");
        assert!(body.is_empty());
    }
    assert!(sent(&["-d", "x"]).0.starts_with("POST /path "), "a body defaults to POST");
    assert!(sent(&["-d", "x", "-m", "PUT"]).0.starts_with("PUT /path "));
}

#[test]
fn sends_a_body_from_a_file_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    // Every byte value, and text that looks like a template.
    let bytes = [(0..=255).collect::<Vec<u8>>(), b"{{n}} {{".to_vec()].concat();
    let path = file(&folder, "body.bin", &bytes);
    for more in [&[][..], &["-H", "X-Number: {{n}}"]] {
        let (head, body) = sent(&[&["-D", path.as_str()], more].concat());
        assert!(body == bytes && head.starts_with("POST "), "{head}{}", body.escape_ascii());
        assert_eq!(values(&head, "content-length"), [bytes.len().to_string()]);
        assert!(values(&head, "content-type").is_empty(), "{head}");
    }
    let json = file(&folder, "body.json", b"{\"a\": 1}");
    assert_eq!(values(&sent(&["-D", &json]).0, "Content-Type"), ["application/json"]);
    assert_eq!(sent(&["-d", "{\"a\": \"{{n}}\"}"]).1, b"{\"a\": \"{{n}}\"}");
}

#[test]
fn headers_replace_the_default_ones() {
    let more = ["-H", "X-Key: a:b", "-H", "x-key:  c ", "-H", "host: a.example", "-H", "User-Agent: me"];
    let (head, _) = sent(&more);
    assert_eq!(values(&head, "X-Key"), ["a:b", "c"], "two of one name are two lines");
    assert_eq!([values(&head, "Host"), values(&head, "User-Agent")], [["a.example"], ["me"]]);
    let (head, _) = sent(&["-d", "{}", "-H", "content-type: text/x"]);
    assert_eq!(values(&head, "Content-Type"), ["text/x"]);
}

#[test]
fn header_flags_replace_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let request = "{post: /a, headers: {Authorization: a, X-Own: kept}, body: {a: 1}}";
    let text = format!(
        "scenario: own\nbefore: [{request}]\nstages: [{{duration: 1s, rate: 10/s}}]\nrequests: [{request}]\n"
    );
    let path = file(&folder, "own.yaml", text.as_bytes());
    let (server, seen) = server();
    let more = ["-H", "authorization: b", "-H", "CONTENT-TYPE: text/x", "-H", "X-Number: {{n}}", "-n", "3"];
    let (output, _) = report_of(&server.url("/"), &[&["--scenario", path.as_str()][..], &more].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 4, "one before and three");
    for (head, _) in &*seen {
        assert_eq!(values(head, "Authorization"), ["b"], "{head}");
        assert_eq!(values(head, "Content-Type"), ["text/x"], "{head}");
        assert_eq!(values(head, "X-Own"), ["kept"], "{head}");
    }
    let numbers: Vec<_> = seen.iter().skip(1).map(|(head, _)| values(head, "X-Number").concat()).collect();
    assert_eq!(numbers, ["0", "1", "2"]);
}

#[test]
fn header_flags_are_templates() {
    let (server, seen) = server();
    let more =
        ["-q", "200", "-n", "4", "-H", "X-Number: a-{{n 3}}", "--seed", "5", "-H", "X-Int: {{int 1 6}}"];
    let (output, report) = report_of(&server.url("/"), &more);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let seen = seen.lock().unwrap();
    let mut numbers: Vec<_> = seen.iter().map(|(head, _)| values(head, "X-Number").concat()).collect();
    numbers.sort();
    assert_eq!(numbers, ["a-0", "a-0", "a-1", "a-2"]);
    assert_eq!(report["seed"], 5);
    let output = loadgen(&[server.url("/").as_str(), "-n", "1", "-H", "X: {{nn"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("headers: `{{nn` is not closed"), "{}", stderr(&output));
}
