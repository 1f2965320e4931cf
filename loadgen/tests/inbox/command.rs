//! `loadgen inbox` as a process.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::running::webhook;

fn inbox(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["inbox", "--no-smtp"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(child: &mut Child) -> ExitStatus {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > limit {
            child.kill().unwrap();
            panic!("still running");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn prints_its_address_and_ends_cleanly_on_signals() {
    for signal in ["TERM", "INT"] {
        let mut child = inbox(&["--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        // The port is open once the line is printed.
        drop(std::net::TcpStream::connect(&address).unwrap_or_else(|error| panic!("{line:?}: {error}")));
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert_eq!(ended(&mut child).code(), Some(0), "signal {signal}");
    }
}

/// An inbox on a free port; killed when dropped.
struct Started {
    child: Child,
    base: String,
}

impl Started {
    fn new(arguments: &[&str]) -> Self {
        Self::by(inbox(arguments))
    }

    fn by(mut command: Command) -> Self {
        let mut child = command.args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { child, base }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill(); // SIGKILL; it may have ended already
        let _ = self.child.wait();
    }
}

async fn eventually(http: &reqwest::Client, url: &str, part: &str) -> String {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let body = http.get(url).send().await.unwrap().text().await.unwrap();
        if body.contains(part) {
            return body;
        }
        assert!(Instant::now() < limit, "no {part} at {url}: {body}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn killed_inbox_remembers_the_heartbeat() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--heartbeat-limit", "500ms", "--data-dir", dir.path().to_str().unwrap()];
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let beat = |base: &str| {
        http.post(format!("{base}/heartbeat")).body(webhook("firing", "Watchdog").to_string()).send()
    };

    let first = Started::new(&arguments);
    assert_eq!(beat(&first.base).await.unwrap().status(), 200);
    eventually(&http, &format!("{}/heartbeat", first.base), "stopped").await;
    eventually(&http, &format!("{}/notifications", first.base), "no heartbeat for").await;
    drop(first);

    let second = Started::new(&arguments);
    eventually(&http, &format!("{}/heartbeat", second.base), "stopped").await;
    assert_eq!(beat(&second.base).await.unwrap().status(), 200);
    eventually(&http, &format!("{}/notifications", second.base), "heartbeat received again").await;
    drop(second);

    let third = Started::new(&["--heartbeat-limit", "1h", arguments[2], arguments[3]]);
    eventually(&http, &format!("{}/heartbeat", third.base), "beating").await;
    eventually(&http, &format!("{}/metrics", third.base), "\ninbox_heartbeat_up 1\n").await;
}

#[test]
fn rejects_a_second_inbox_on_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", dir.path().to_str().unwrap()];
    let first = Started::new(&arguments);
    let mut second = inbox(&arguments).args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
    assert_eq!(ended(&mut second).code(), Some(2));
    let mut message = String::new();
    second.stderr.unwrap().read_to_string(&mut message).unwrap();
    let owner = format!("another inbox (pid {})", first.child.id());
    assert!(message.contains("--data-dir") && message.contains(&owner), "{message}");
    drop(first);
    drop(Started::new(&arguments)); // the killed inbox left no lock behind
}

#[tokio::test]
async fn history_is_bounded_in_bytes_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--capacity-mib", "2", "--data-dir", dir.path().to_str().unwrap()];
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut body = webhook("firing", "HighErrorRate");
    let alert = body["alerts"][0].clone();
    body["alerts"] = serde_json::Value::Array(vec![alert; 50]);
    let first = Started::new(&arguments);
    for _ in 0..150 {
        let sent = http.post(format!("{}/webhook", first.base)).body(body.to_string()).send().await.unwrap();
        assert_eq!(sent.status(), 200);
    }
    let listed = |base: String| {
        let http = http.clone();
        async move {
            let text = http.get(format!("{base}/notifications")).send().await.unwrap().text().await.unwrap();
            let listing: serde_json::Value = serde_json::from_str(&text).unwrap();
            let all = listing["notifications"].as_array().unwrap();
            assert_eq!((&listing["last"], &all[all.len() - 1]["id"]), (&150.into(), &150.into()));
            assert_eq!(listing["first"], all[0]["id"]);
            (text.len(), all.len())
        }
    };
    const MIB: usize = 1 << 20;
    let (bytes, count) = listed(first.base.clone()).await;
    assert!((MIB..2 * MIB + 200).contains(&bytes) && count < 150, "{count} of {bytes} bytes");
    drop(first);
    let second = Started::new(&["--capacity-mib", "1", arguments[2], arguments[3]]);
    let (fewer, less) = listed(second.base.clone()).await;
    assert!((MIB / 2..MIB + 200).contains(&fewer) && less < count, "{less} of {fewer} bytes");
}

/// The kernel cuts a write off at the limit of a file's size, as on a full disk, and needs no disk of its own for it.
#[tokio::test]
async fn full_disk_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().to_str().unwrap();
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -S -f 8; exec \"$0\" inbox --no-smtp \"$@\""])
        .args([env!("CARGO_BIN_EXE_loadgen"), "--data-dir", data_dir])
        .stdout(Stdio::piped());
    let first = Started::by(limited);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |base: &str, alert: &str| {
        let sent = http.post(format!("{base}/webhook")).body(webhook("firing", alert).to_string());
        let response = sent.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let listed = async |base: &str| {
        let text = http.get(format!("{base}/notifications")).send().await.unwrap().text().await.unwrap();
        let listing: serde_json::Value = serde_json::from_str(&text).unwrap();
        let all = listing["notifications"].as_array().unwrap().iter();
        all.map(|it| it["alerts"][0]["alert"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut acknowledged = Vec::new();
    let refused = loop {
        let alert = format!("Alert{}", acknowledged.len());
        match post(&first.base, &alert).await {
            (200, _) => acknowledged.push(alert),
            refused => break refused,
        }
        assert!(acknowledged.len() < 1_000, "the limit is not in force");
    };
    assert!(
        refused.0 == 503 && refused.1.starts_with("the notification was not saved: --data-dir"),
        "{refused:?}"
    );
    assert_eq!(post(&first.base, "Again").await.0, 503);
    eventually(&http, &format!("{}/readyz", first.base), "notifications are not saved").await;
    assert!(!acknowledged.is_empty());
    assert_eq!(listed(&first.base).await, acknowledged);

    let lifted = ["--fsize=unlimited:", "--pid", &first.child.id().to_string()];
    assert!(Command::new("prlimit").args(lifted).status().unwrap().success());
    for alert in ["After", "Last"] {
        assert_eq!(post(&first.base, alert).await, (200, String::new()));
        acknowledged.push(alert.to_owned());
    }
    eventually(&http, &format!("{}/readyz", first.base), "ready").await;
    drop(first); // killed
    let second = Started::new(&["--data-dir", data_dir]);
    assert_eq!(listed(&second.base).await, acknowledged);
}

#[test]
fn port_in_use_names_its_owner_and_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut child = inbox(&["--listen", &format!("127.0.0.1:{port}")]).spawn().unwrap();
    assert_eq!(ended(&mut child).code(), Some(2));
    let mut message = String::new();
    child.stderr.unwrap().read_to_string(&mut message).unwrap();
    assert!(
        message.contains(&format!("port {port} is already in use")) && message.contains("--listen"),
        "{message}"
    );
    if cfg!(target_os = "linux") {
        assert!(message.contains(&format!("(pid {})", std::process::id())), "{message}");
    }
}

/// A supervisor may treat the first line as readiness.
#[test]
fn prints_its_address_only_when_all_ports_are_open() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = taken.local_addr().unwrap().to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["inbox", "--listen", "127.0.0.1:0", "--smtp", &smtp])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(ended(&mut child).code(), Some(2));
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.unwrap().read_to_string(&mut out).unwrap();
    child.stderr.unwrap().read_to_string(&mut err).unwrap();
    assert!(out.is_empty() && err.contains("--smtp"), "{out:?} {err:?}");
}

#[test]
fn invalid_arguments_exit_2_and_are_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("below");
    for (arguments, says) in [
        (&["--listen", "nowhere"][..], "nowhere"),
        (&["--capacity", "0"], "capacity"),
        (&["--capacity-mib", "0"], "capacity-mib"),
        (&["--webhook-mib", "65"], "webhook-mib"),
        (&["--allow-host", "http://inbox"], "without scheme and port"),
        (&["--heartbeat-limit", "0s"], "must be above 0s"),
        (&["--listen", "127.0.0.1:0", "--data-dir", below.to_str().unwrap()], "--data-dir"),
        (&["--listen", "203.0.113.1:0"], "203.0.113.1"),
    ] {
        let mut child = inbox(arguments).spawn().unwrap();
        assert_eq!(ended(&mut child).code(), Some(2), "{arguments:?}");
        let mut message = String::new();
        child.stderr.unwrap().read_to_string(&mut message).unwrap();
        assert!(message.contains(says), "{arguments:?}: {message}");
    }
}
