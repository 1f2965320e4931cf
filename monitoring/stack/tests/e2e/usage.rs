//! What a person can get wrong: a clear error, exit 2, nothing started.

use std::net::TcpListener;
use std::time::Duration;

use crate::support;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_taken_port_is_named_with_its_owner_and_the_flag() {
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
async fn a_missing_redis_is_named_with_the_way_out() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = support::stack();
    command.args(["run", "--", "true"]).env("PATH", empty.path()).env("STACK_TOOLS", empty.path());
    let output = support::finish(command, LIMIT).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("redis-server") && text.contains("make setup"), "{text}");
}

/// `stack up` tells whom the environment names, so what it names has to be whole.
#[tokio::test]
async fn half_a_channel_is_named_without_its_value() {
    let offset = support::free_offset();
    let mut command = support::stack();
    command.args(["up", "--port-offset", &offset.to_string()]).env("SMTP_SMARTHOST", "hush.example:25");
    let output = support::finish(command, LIMIT).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("rendered: SMTP_SMARTHOST: is set and SMTP_FROM is not"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    let _ = std::fs::remove_dir_all(stack::Settings::new(offset, 1.0).unwrap().dir);
}

#[tokio::test]
async fn run_gives_the_commands_exit_code_and_its_environment() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = support::stack();
    command.args(["run", "--scale", "60", "--dir"]).arg(dir.path().join("stack"));
    // Whom `up` would tell is none of a drill's business.
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
