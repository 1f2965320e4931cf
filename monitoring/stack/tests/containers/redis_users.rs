//! The containers' secrets: what Redis's users can do with them on a real server, and the token of `/metrics`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use process::program::{self, repository};
use process::{Launch, Process, port};
use stack::service;

use crate::compose_file::text;

/// Runs the script of the service `secrets` with its folders below `dir`.
fn make_secrets(dir: &Path) -> (bool, String) {
    let at = dir.display();
    let script = text("deploy/compose/make-secrets.sh")
        .replace("/out/", &format!("{at}/out/"))
        .replace("/given/", &format!("{at}/given/"))
        .replace(" /users.acl", &format!(" {}", repository().join("deploy/redis/users.acl").display()));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// The folders of the service's volumes.
fn folders() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["out/api", "out/prometheus", "out/grafana", "out/redis", "out/redis-exporter", "given"] {
        std::fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    dir
}

#[test]
fn a_metrics_token_reaches_the_gateway_and_prometheus() {
    let dir = folders();
    let read = |file: &str| std::fs::read_to_string(dir.path().join("out").join(file)).unwrap();
    let given = dir.path().join("given/metrics_token");
    assert!(make_secrets(dir.path()).0);
    assert_eq!(read("prometheus/metrics_token"), "none");
    assert!(!read("api/.env").contains("METRICS_TOKEN"));

    std::fs::write(&given, "hush.1\r\n").unwrap();
    assert!(make_secrets(dir.path()).0);
    assert_eq!(read("prometheus/metrics_token"), "hush.1");
    assert!(read("api/.env").contains("\nMETRICS_TOKEN=hush.1\n"), "{}", read("api/.env"));

    std::fs::write(&given, "two words").unwrap();
    let (done, message) = make_secrets(dir.path());
    assert!(
        !done && message.contains("metrics_token contains") && message.contains("openssl rand"),
        "{message}"
    );
    std::fs::remove_file(&given).unwrap();
    assert!(make_secrets(dir.path()).0);
    assert_eq!(read("prometheus/metrics_token"), "none", "removed");
}

#[tokio::test]
async fn each_user_can_do_only_what_it_needs() {
    let dir = folders();
    std::fs::write(dir.path().join("given/redis_password"), "given-one\n").unwrap();
    let read = |file: &str| std::fs::read_to_string(dir.path().join("out").join(file)).unwrap();
    assert_eq!(make_secrets(dir.path()), (true, "secrets: written\n".to_owned()));
    let users = read("redis/users.acl");
    assert_eq!(make_secrets(dir.path()), (true, "secrets: written\n".to_owned()));
    assert_eq!(read("redis/users.acl"), users, "the passwords are kept");

    let port = port::free().unwrap();
    let acl = dir.path().join("out/redis/users.acl").display().to_string();
    let arguments = service::redis_args(port, dir.path()).into_iter().chain(["--aclfile".to_owned(), acl]);
    let launch = Launch::new("redis", program::external("redis-server").unwrap(), arguments);
    let mut process = Process::start(&launch, &dir.path().join("redis.log")).unwrap();
    let send = |login: &[&str], command: &[&str]| {
        let mut cli = Command::new(program::external("redis-cli").unwrap());
        cli.args(["-e", "--no-auth-warning", "-p", &port.to_string()]).args(login).args(command);
        let output = cli.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // The health check of docker-compose.yml.
    let probe = ["--user", "probe", "--pass", "-"];
    let started = Instant::now();
    while send(&probe, &["ping"]) != (true, "PONG".to_owned()) {
        assert!(started.elapsed() < Duration::from_secs(20), "not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let dotenv = read("api/.env");
    let url = dotenv.lines().find_map(|line| line.strip_prefix("REDIS_URL=")).unwrap().trim_matches('\'');
    let (gateway, host) = url.strip_prefix("redis://gateway:").unwrap().split_once('@').unwrap();
    assert_eq!(host, "redis:6379");
    let exporter: serde_json::Value = serde_json::from_str(&read("redis-exporter/exporter.json")).unwrap();
    let exporter = exporter["redis://redis:6379"].as_str().unwrap();
    let gateway = ["--user", "gateway", "--pass", gateway];
    let exporter = ["--user", "exporter", "--pass", exporter];
    let operator = ["--pass", "given-one"];
    let set = ["eval", "return redis.call('SET', KEYS[1], '1', 'PX', '9000')", "1", "firedrill:limit:a"];
    let elsewhere = ["eval", "return redis.call('SET', KEYS[1], '1')", "1", "other"];
    for (login, command, allowed) in [
        (&gateway[..], &set[..], true),
        (&gateway, &elsewhere, false),
        (&gateway, &["eval", "return redis.call('FLUSHALL')", "0"], false),
        (&gateway, &["keys", "*"], false),
        (&gateway, &["config", "get", "*"], false),
        (&gateway, &["flushall"], false),
        (&exporter, &["info"], true),
        (&exporter, &["config", "get", "maxclients"], true),
        (&exporter, &["config", "set", "maxclients", "5"], false),
        (&exporter, &["get", "firedrill:limit:a"], false),
        (&probe, &["info"], false),
        (&[], &["ping"], false),
        (&["--pass", "guessed"], &["ping"], false),
        (&operator, &["config", "set", "maxclients", "5000"], true),
        (&operator, &["get", "firedrill:limit:a"], true),
    ] {
        let (done, reply) = send(login, command);
        assert_eq!(done, allowed, "{login:?} {command:?}: {reply}");
    }
    process.stop(Duration::from_secs(5)).await;

    std::fs::write(dir.path().join("given/redis_password"), "with space").unwrap();
    let (done, message) = make_secrets(dir.path());
    assert!(!done && message.contains("letters, digits"), "{message}");
}
