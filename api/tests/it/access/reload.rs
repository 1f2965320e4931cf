//! SIGHUP: revoked keys and renewed certificates take effect in a running gateway.

use crate::{
    connections::tls,
    helpers::{PATIENCE, eventually, policy},
    process::running::Running,
};
use api::access::hash;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{fs, path::Path};

fn entry(key: &str, plan: &str) -> String {
    format!("[[keys]]\nname = \"{key}\"\nhash = \"{}\"\nplan = \"{plan}\"\n", hash(key))
}

/// Sends the signal and returns the first later log line that starts so.
fn hang_up(app: &Running, about: &str) -> Value {
    app.signal(Signal::SIGHUP);
    loop {
        let line = app.lines.recv_timeout(PATIENCE).expect("a line about the file");
        if line["message"].as_str().is_some_and(|message| message.starts_with(about)) {
            return line;
        }
    }
}

async fn status(app: &Running, key: &str) -> u16 {
    app.client.get(&app.base).header("x-api-key", key).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn keys_are_revoked_and_added_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (limits, keys) = (dir.path().join("limits.toml"), dir.path().join("keys.toml"));
    let write = |path: &Path, text: String| fs::write(path, text).unwrap();
    write(&limits, policy("default", "1000/s", 1000));
    write(&keys, entry("old", "default"));
    let files = [&limits, &keys].map(|path| path.to_str().unwrap());
    let app = Running::start(&["--rate-limits-file", files[0], "--api-keys-file", files[1]]);
    assert_eq!((status(&app, "old").await, status(&app, "new").await), (200, 401));

    write(&keys, entry("new", "default") + &entry("third", "default"));
    let line = hang_up(&app, "API key");
    assert_eq!((&line["message"], &line["keys"]), (&"API keys reloaded".into(), &2.into()), "{line}");
    assert_eq!((status(&app, "old").await, status(&app, "new").await), (401, 200));

    write(&keys, "[[keys]]\nname = 1\n".to_owned());
    let line = hang_up(&app, "API key");
    assert!(line["message"].as_str().unwrap().contains("keeping current keys"), "{line}");
    assert!(line["error"].as_str().unwrap().contains("keys.toml: line 2"), "{line}");
    assert_eq!(status(&app, "new").await, 200);

    // A plan and the first key that has it come together.
    write(&limits, policy("default", "1000/s", 1000) + &policy("gold", "1000/s", 7) + "plan = true\n");
    write(&keys, entry("shop", "gold"));
    assert_eq!(hang_up(&app, "API key")["keys"], 1);
    let gold = app.client.get(&app.base).header("x-api-key", "shop").send().await.unwrap();
    assert_eq!(crate::helpers::header(&gold, "x-ratelimit-limit"), "7");
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    tls::certify(dir.path());
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name).display().to_string());
    let app = Running::start(&["--tls-cert", &cert, "--tls-key", &key]);
    let address = app.public_address().to_string();
    let connects = async || tls::connect(&address, dir.path(), &["http/1.1"], "localhost").await.is_ok();
    assert!(connects().await);

    // Another key without its certificate.
    let old = fs::read(&cert).unwrap();
    tls::certify(dir.path());
    let new = fs::read(&cert).unwrap();
    fs::write(&cert, &old).unwrap();
    let line = hang_up(&app, "TLS certificate");
    assert!(line["message"].as_str().unwrap().contains("keeping the current one"), "{line}");
    assert!(line["error"].as_str().unwrap().contains("TLS_KEY"), "{line}");
    assert!(connects().await, "the old one is served");

    fs::write(&cert, &new).unwrap();
    assert!(!connects().await, "the client trusts the new one only");
    assert_eq!(hang_up(&app, "TLS certificate")["message"], "TLS certificate reloaded");
    eventually("the new one is served", || async { connects().await }).await;
}
