//! The binary apart from serving: --print-config, .env, hash-key, healthcheck, and invalid inputs.

use crate::{
    connections::tls::certify,
    helpers::{binary, roomy, spawn_with},
};
use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn refused(command: &mut Command, needles: &[&str]) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let message = text(&stderr);
    assert_eq!(status.code(), Some(2), "{command:?}: {message}");
    for needle in needles {
        assert!(message.contains(needle), "{command:?}: {needle:?} not in: {message}");
    }
}

fn printed(command: &mut Command) -> Vec<String> {
    let output = command.arg("--print-config").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

fn has(lines: &[String], line: &str) {
    assert!(lines.iter().any(|found| found == line), "{line} not in {lines:#?}");
}

#[test]
fn print_config_merges_flags_environment_file_and_defaults() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join(".env"),
        "# development\nWORKERS=3\nLOG_LEVEL=warn\nDRAIN_DELAY='5s'\nexport KEEP_ALIVE=9s\n",
    )
    .unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let lines = printed(
        binary(dir.path())
            .env("LOG_LEVEL", "debug")
            .env("DRAIN_DELAY", "6s")
            .env("REDIS_URL", "redis://:hush@redis:6379")
            .env("DATABASE_URL", "postgres://me:hush@db/data")
            .env("METRICS_TOKEN", "hush")
            .args(["--drain-delay", "7s", "--listen", &taken]),
    );
    for line in [
        "WORKERS=3",       // the file
        "KEEP_ALIVE=9s",   // the file
        "LOG_LEVEL=debug", // the environment over the file
        "DRAIN_DELAY=7s",  // the flag over both
        "LOG_FORMAT=auto", // the default
        "API_KEYS_FILE=",  // unset
        "REDIS_URL=redis://:***@redis:6379",
        "DATABASE_URL=postgres://me:***@db/data",
        "METRICS_TOKEN=***",
        &format!("LISTEN={taken}"), // nothing was bound
    ] {
        has(&lines, line);
    }
    assert!(!lines.concat().contains("hush"), "{lines:?}");
    assert!(!dir.path().join("firedrill.db").exists(), "nothing was opened");
}

#[test]
fn prints_every_setting_once() {
    let dir = tempfile::tempdir().unwrap();
    let lines = printed(&mut binary(dir.path()));
    let help = text(&binary(dir.path()).arg("--help").output().unwrap().stdout);
    let variables = help.split("[env: ").skip(1).map(|rest| rest.split(['=', ']']).next().unwrap());
    let mut count = 0;
    for variable in variables {
        count += 1;
        let of_it = lines.iter().filter(|line| line.starts_with(&format!("{variable}="))).count();
        assert_eq!(of_it, 1, "{variable}");
    }
    assert_eq!(count, lines.len());
}

#[test]
fn names_the_line_of_a_malformed_dotenv_without_its_content() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), "LOG_LEVEL=info\n\nMETRICS_TOKEN hush\n").unwrap();
    refused(&mut binary(dir.path()), &[".env: line 3", "NAME=value"]);
    assert!(!text(&binary(dir.path()).output().unwrap().stderr).contains("hush"));
    std::fs::write(dir.path().join(".env"), "WORKERS=many\n").unwrap();
    refused(&mut binary(dir.path()), &["WORKERS", "'many'"]);
    std::fs::remove_file(dir.path().join(".env")).unwrap();
    std::fs::create_dir(dir.path().join(".env")).unwrap();
    refused(&mut binary(dir.path()), &[".env: cannot read"]);
}

#[test]
fn rejects_invalid_inputs_before_binding() {
    let dir = tempfile::tempdir().unwrap();
    certify(dir.path());
    let other = dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    certify(&other);
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("keys.toml", "[[keys]]\nname = \"a\"\nhash = \"my-plain-key\"\n");
    write(
        "plan.toml",
        &format!("[[keys]]\nname = \"a\"\nhash = \"{}\"\nplan = \"gold\"\n", api::access::hash("a")),
    );
    write("junk.pem", "no certificate");
    // The port is already in use: an input accepted too late would show as an error about the port.
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    for (args, needles) in [
        (&["--api-keys-file", "none.toml"][..], &["API_KEYS_FILE=none.toml", "cannot read"][..]),
        (&["--api-keys-file", "keys.toml"], &["API_KEYS_FILE=keys.toml: line 3", "`hash`", "api hash-key"]),
        (
            &["--api-keys-file", "plan.toml"],
            &["line 4", "`plan`", "\"gold\"", "default, unlimited", "plan = true"],
        ),
        (&["--require-api-key", "writes"], &["REQUIRE_API_KEY=writes", "API_KEYS_FILE"]),
        (&["--require-api-key", "some"], &["REQUIRE_API_KEY", "'some'", "none, writes, all"]),
        (&["--country-header", "CF IPCountry"], &["COUNTRY_HEADER", "CF-IPCountry"]),
        (&["--country-header", "CF-IPCountry"], &["COUNTRY_HEADER=cf-ipcountry: ", "set TRUSTED_PROXIES"]),
        (&["--trusted-proxies", "10.0.0.0/8,proxy"], &["TRUSTED_PROXIES", "\"proxy\"", "10.0.0.0/8"]),
        (&["--cors-origins", "https://a.example/"], &["CORS_ORIGINS", "https://app.example.com"]),
        (&["--metrics-token", "two words"], &["METRICS_TOKEN=…: ", "openssl rand"]),
        (&["--max-connections", "5"], &["MAX_CONNECTIONS", "'5'", "16 to 1000000"]),
        (&["--backlog", "0"], &["BACKLOG", "'0'", "16 to 65535"]),
        (&["--request-head-timeout", "0s"], &["REQUEST_HEAD_TIMEOUT", "above 0s"]),
        (&["--tls-cert", "cert.pem"], &["TLS_CERT=cert.pem", "without TLS_KEY"]),
        (&["--tls-key", "key.pem"], &["TLS_KEY=key.pem", "without TLS_CERT"]),
        (&["--tls-cert", "none.pem", "--tls-key", "key.pem"], &["TLS_CERT=none.pem", "cannot read the file"]),
        (&["--tls-cert", "cert.pem", "--tls-key", "none.pem"], &["TLS_KEY=none.pem", "cannot read the file"]),
        (&["--tls-cert", "junk.pem", "--tls-key", "key.pem"], &["TLS_CERT=junk.pem", "no certificate"]),
        (&["--tls-cert", "cert.pem", "--tls-key", "cert.pem"], &["TLS_KEY=cert.pem", "PEM"]),
        (&["--redis-tls-ca", "cert.pem"], &["REDIS_TLS_CA=cert.pem", "not encrypted", "rediss://"]),
        (
            &["--redis-url", "redis://a", "--redis-tls-cert", "cert.pem"],
            &["REDIS_TLS_CERT=cert.pem", "not encrypted", "rediss://"],
        ),
        (
            &["--redis-url", "rediss://a", "--redis-tls-cert", "cert.pem"],
            &["REDIS_TLS_CERT=cert.pem", "without REDIS_TLS_KEY"],
        ),
        (
            &["--redis-url", "rediss+cluster://a", "--redis-tls-key", "key.pem"],
            &["REDIS_TLS_KEY=key.pem", "without REDIS_TLS_CERT"],
        ),
        (
            &["--redis-url", "rediss://a", "--redis-tls-ca", "none.pem"],
            &["REDIS_TLS_CA=none.pem", "cannot read the file"],
        ),
        (
            &["--redis-url", "rediss://a", "--redis-tls-ca", "junk.pem"],
            &["REDIS_TLS_CA=junk.pem", "no certificate"],
        ),
        (
            &[
                "--redis-url",
                "rediss://a",
                "--redis-tls-cert",
                "cert.pem",
                "--redis-tls-key",
                "other/key.pem",
            ],
            &["REDIS_TLS_KEY=other/key.pem", "is not the key", "cert.pem"],
        ),
        (
            &["--tls-cert", "cert.pem", "--tls-key", "other/key.pem"],
            &["TLS_KEY=other/key.pem", "is not the key", "cert.pem"],
        ),
    ] {
        refused(binary(dir.path()).args(["--listen", &taken]).args(args), needles);
    }
    let output = binary(dir.path()).args(["--api-keys-file", "keys.toml"]).output().unwrap();
    assert!(!text(&output.stderr).contains("my-plain-key"), "the key must not be shown");
    assert!(!dir.path().join("firedrill.db").exists(), "nothing was opened");
}

#[test]
fn empty_variables_count_as_unset() {
    let dir = tempfile::tempdir().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = binary(dir.path());
    for name in [
        "API_KEYS_FILE",
        "TRUSTED_PROXIES",
        "METRICS_TOKEN",
        "TLS_CERT",
        "TLS_KEY",
        "CORS_ORIGINS",
        "RATE_LIMITS_FILE",
        "REDIS_URL",
        "REDIS_TLS_CA",
        "REDIS_TLS_CERT",
        "REDIS_TLS_KEY",
    ] {
        command.env(name, "");
    }
    // It fails only at the port.
    refused(command.args(["--listen", &held.local_addr().unwrap().to_string()]), &["is already in use"]);
}

#[test]
fn hash_key_prints_lines_that_are_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let made = binary(dir.path()).args(["hash-key", "--name", "ci", "--plan", "unlimited"]).output().unwrap();
    assert_eq!(made.status.code(), Some(0));
    let (lines, aside) = (text(&made.stdout), text(&made.stderr));
    let key = aside.lines().next().unwrap().strip_prefix("key: ").unwrap();
    assert!(lines.contains(&api::access::hash(key)) && !lines.contains(key), "{lines}");
    std::fs::write(dir.path().join("keys.toml"), &lines).unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    refused(
        binary(dir.path()).args(["--api-keys-file", "keys.toml", "--listen", &taken]),
        &["is already in use"],
    );

    let mut child = binary(dir.path())
        .args(["hash-key", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"short\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("32 to 512"));
}

fn healthcheck(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = binary(dir).args(args).output().unwrap();
    (output.status.code(), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn healthcheck_reports_by_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let app = spawn_with(&roomy(), &[]).await;
    let listen = app.base.strip_prefix("http://").unwrap();
    assert_eq!(healthcheck(dir.path(), &["--listen", listen, "healthcheck"]), (Some(0), String::new()));
    let url = format!("{}/livez", app.base);
    assert_eq!(healthcheck(dir.path(), &["healthcheck", "--url", &url]), (Some(0), String::new()));
    let (code, line) = healthcheck(dir.path(), &["healthcheck", "--url", &format!("{}/error", app.base)]);
    assert_eq!(code, Some(1));
    assert_eq!(line, format!("error: {}/error: status 500\n", app.base));

    certify(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let tls = ["--tls-cert", &file("cert.pem"), "--tls-key", &file("key.pem")];
    let app = spawn_with(&roomy(), &tls).await;
    let listen = app.base.strip_prefix("http://").unwrap();
    let args = [&["--listen", listen][..], &tls, &["healthcheck"]].concat();
    assert_eq!(healthcheck(dir.path(), &args), (Some(0), String::new()));
    let (code, line) = healthcheck(dir.path(), &["--listen", listen, "healthcheck"]);
    assert_eq!((code, line.lines().count()), (Some(1), 1), "HTTP sent to an HTTPS port: {line}");
}

#[test]
fn healthcheck_never_hangs() {
    let dir = tempfile::tempdir().unwrap();
    // The system accepts connections, and nothing responds.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    let listen = mute.local_addr().unwrap().to_string();
    let (code, line) = healthcheck(dir.path(), &["--listen", &listen, "healthcheck"]);
    assert_eq!((code, line.lines().count()), (Some(1), 1), "{line}");
    assert!(line.contains("within 2 s"), "{line}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    drop(mute);
    let (code, line) = healthcheck(dir.path(), &["--listen", &listen, "healthcheck"]);
    assert_eq!((code, line.contains("cannot connect")), (Some(1), true), "{line}");
    let (code, _) = healthcheck(dir.path(), &["healthcheck", "--url", "https://example.org/"]);
    assert_eq!(code, Some(2));
}
