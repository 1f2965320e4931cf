//! Usage errors: a clear message, exit code 2, nothing started.

use std::net::TcpListener;
use std::time::Duration;

use crate::support;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn names_the_owner_and_the_flag_of_a_taken_port() {
    let offset = support::free_offset();
    let listener = TcpListener::bind(("127.0.0.1", 8000 + offset)).unwrap();
    let mut command = support::stack();
    command.args(["up", "--port-offset", &offset.to_string()]);
    let output = support::finish(command, LIMIT).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    let port = listener.local_addr().unwrap().port();
    assert!(text.contains(&format!("port {port}")) && text.contains("--port-offset"), "{text}");
    assert!(text.contains(&format!("pid {}", std::process::id())), "{text}");
    let _ = std::fs::remove_dir_all(stack::Settings::new(offset, 1.0).unwrap().dir);
}

#[tokio::test]
async fn names_a_missing_redis_and_the_fix() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = support::stack();
    command.args(["run", "--", "true"]).env("PATH", empty.path()).env("STACK_TOOLS", empty.path());
    let output = support::finish(command, LIMIT).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("redis-server") && text.contains("make setup"), "{text}");
}

/// `stack up` uses the channels of the environment, so their settings must be complete.
#[tokio::test]
async fn names_an_incomplete_channel_without_its_value() {
    let offset = support::free_offset();
    let mut command = support::stack();
    command.args(["up", "--port-offset", &offset.to_string()]).env("SMTP_SMARTHOST", "hush.example:25");
    let output = support::finish(command, LIMIT).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("files: SMTP_SMARTHOST: is set and SMTP_FROM is not"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    let _ = std::fs::remove_dir_all(stack::Settings::new(offset, 1.0).unwrap().dir);
}

#[tokio::test]
async fn run_returns_the_exit_code_and_sets_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = support::stack();
    command.args(["run", "--scale", "60", "--dir"]).arg(dir.path().join("stack"));
    // `stack run` must not use the channels of `stack up`.
    command.env("SLACK_WEBHOOK_URL", "http://outside.invalid/");
    let slack_url = dir.path().join("stack/config/secrets/slack_url");
    command.env("SLACK_URL_FILE", slack_url);
    let script = r#"test "$TIME_SCALE" = 60 && grep -q '^http://127.0.0.1:' "$SLACK_URL_FILE" &&
        echo "$TARGET_URL $PROMETHEUS_URL $ALERTMANAGER_URL $INBOX_URL" && exit 7"#;
    command.args(["--", "sh", "-c", script]);
    let output = support::finish(command, Duration::from_secs(120)).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(7), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let urls = text.lines().find(|line| line.matches("http://127.0.0.1:").count() == 4);
    assert!(urls.is_some(), "{text}");
}
