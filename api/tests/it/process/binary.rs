//! Invalid inputs: exit code 2 and a message with the input, the reason and the fix.

use crate::helpers::binary;
use std::{net::TcpListener, path::Path, process::Output};

fn refused(dir: &Path, args: &[&str], needles: &[&str]) {
    let Output { status, stderr, .. } = binary(dir).args(args).output().unwrap();
    let message = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{args:?}: {message}");
    for needle in needles {
        assert!(message.contains(needle), "{args:?}: {needle:?} not in: {message}");
    }
}

#[test]
fn names_the_owner_and_the_flag_of_a_taken_port() {
    let dir = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let port = format!("port {} is already in use", held.local_addr().unwrap().port());
    refused(dir.path(), &["--listen", &address], &[&port, "--listen (LISTEN)"]);
    refused(
        dir.path(),
        &["--listen", "127.0.0.1:0", "--admin-listen", &address],
        &[&port, "--admin-listen (ADMIN_LISTEN)"],
    );
    if cfg!(target_os = "linux") {
        refused(dir.path(), &["--listen", &address], &[&format!("pid {}", std::process::id())]);
    }
}

#[test]
fn names_line_and_field_of_a_malformed_limits_file() {
    let dir = tempfile::tempdir().unwrap();
    for (text, needles) in [
        (
            "[[policy]]\nname = \"a\"\nlimit = \"0/s\"\nburst = 1\n",
            &["limits.toml", "line 3", "`limit`", "1/d"][..],
        ),
        (
            "[[policy]]\nname = \"a\"\nlimit = \"1/s\"\nbrust = 1\n",
            &["limits.toml", "line 4", "`brust`", "`burst`"],
        ),
        (
            "[[policy]]\nname = \"a\"\nlimit = \"9/s\"\nburst = 9\ncost = 10\n",
            &["limits.toml", "line 5", "`cost`", "raise the burst to 10"],
        ),
        (
            "[[policy]]\nname = \"a\"\nlimit = \"9/s\"\nburst = 9\n[[policy]]\nname = \"a\"\nlimit = \"1/s\"\nburst = 1\n",
            &["limits.toml", "line 6", "`name`", "choose another"],
        ),
        (
            "[[policy]]\nname = \"a\"\nlimit = \"9/s\"\nburst = 9\nroutes = [\"/api/usres\"]\n",
            &["limits.toml", "line 5", "`routes`", "\"/api/usres\" matches no limited route", "/api/users"],
        ),
        ("not toml", &["limits.toml", "line 1"]),
    ] {
        std::fs::write(dir.path().join("limits.toml"), text).unwrap();
        let args = ["--listen", "127.0.0.1:0", "--rate-limits-file", "limits.toml"];
        refused(dir.path(), &args, needles);
    }
    let args = ["--listen", "127.0.0.1:0", "--rate-limits-file", "missing.toml"];
    refused(dir.path(), &args, &["RATE_LIMITS_FILE=missing.toml", "cannot read"]);
}

#[test]
fn names_an_unusable_database() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("text.db"),
        "this is not a database, only some text of a length ".repeat(50),
    )
    .unwrap();
    std::fs::create_dir(dir.path().join("folder.db")).unwrap();
    for url in ["sqlite:///nowhere/at/all.db", "sqlite://text.db", "sqlite://folder.db"] {
        let needles = [&format!("DATABASE_URL={url}"), "cannot open", "set another file"];
        refused(dir.path(), &["--listen", "127.0.0.1:0", "--database-url", url], &needles);
    }
    let args = ["--listen", "127.0.0.1:0", "--database-url", "mysql://root:secret@db/x"];
    refused(dir.path(), &args, &["DATABASE_URL=mysql://root:***@db/x", "sqlite://firedrill.db"]);
}

#[test]
fn names_invalid_queues() {
    let dir = tempfile::tempdir().unwrap();
    refused(dir.path(), &["--write-queue", "0"], &["WRITE_QUEUE", "'0'", "from 1 to 1000000"]);
    refused(dir.path(), &["--ingest-queue", "999"], &["INGEST_QUEUE", "'999'", "from 1000 to 1000000"]);
}

#[test]
fn an_admin_listener_that_others_can_reach_needs_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let needles = ["ADMIN_LISTEN=0.0.0.0:0", "ADMIN_TOKEN is not set", "set ADMIN_TOKEN"];
    refused(dir.path(), &["--listen", "127.0.0.1:0", "--admin-listen", "0.0.0.0:0"], &needles);
    let output = binary(dir.path())
        .env("ADMIN_TOKEN", "hush hush")
        .args(["--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("ADMIN_TOKEN=…") && !message.contains("hush"), "{message}");
    assert!(!dir.path().join("firedrill.db").exists(), "nothing was opened");
}

#[test]
fn names_invalid_settings() {
    let dir = tempfile::tempdir().unwrap();
    refused(dir.path(), &["--listen", "nonsense"], &["LISTEN", "'nonsense'", "127.0.0.1:8000"]);
    refused(dir.path(), &["--admin-listen", "8001"], &["ADMIN_LISTEN", "'8001'"]);
    refused(dir.path(), &["--memory-alert-bytes", "much"], &["MEMORY_ALERT_BYTES", "'much'", "500MB"]);
    refused(dir.path(), &["--redis-url", "http://x"], &["REDIS_URL", "redis://127.0.0.1:6379"]);
    refused(dir.path(), &["--redis-url", "redis+sentinel://x:1"], &["REDIS_URL=…", "SERVICE"]);
    refused(dir.path(), &["--redis-url", "redis+cluster://x/3"], &["REDIS_URL=…", "databases"]);
    refused(dir.path(), &["--rate-limit-keys", "0"], &["RATE_LIMIT_KEYS", "'0'", "1 to 100000000"]);
    refused(
        dir.path(),
        &["--models-dir", "nowhere"],
        &["MODELS_DIR=nowhere", "not a readable folder", "api/models"],
    );
    let output = binary(dir.path()).env("WORKERS", "many").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        message.contains("WORKERS") && message.contains("'many'") && message.contains("1 to 512"),
        "{message}"
    );
    assert!(!dir.path().join("firedrill.db").exists(), "nothing was opened");
}
