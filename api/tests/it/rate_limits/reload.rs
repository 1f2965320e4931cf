//! SIGHUP: a running gateway reloads the limits file.

use crate::{
    helpers::{eventually, header, policy},
    process::running::Running,
};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{path::Path, time::Duration};
use testkit::Redis;

/// Writes the file, sends the signal, and returns the log line with the result.
fn reload(app: &Running, file: &Path, text: &str) -> Value {
    std::fs::write(file, text).unwrap();
    app.signal(Signal::SIGHUP);
    let until = std::time::Instant::now() + crate::helpers::PATIENCE;
    loop {
        let left = until.saturating_duration_since(std::time::Instant::now());
        let line = app.lines.recv_timeout(left).expect("a line about the file");
        if line["message"]
            .as_str()
            .is_some_and(|message| message.starts_with("rate limit") && message.contains("reload"))
        {
            return line;
        }
    }
}

async fn get(app: &Running, path: &str) -> reqwest::Response {
    app.client.get(format!("{}{path}", app.base)).send().await.unwrap()
}

/// The same with either backend: balances stay, new limits apply at once, and an invalid file changes nothing.
async fn reloads(app: &Running, file: &Path) {
    for left in ["3", "2"] {
        assert_eq!(header(&get(app, "/").await, "x-ratelimit-remaining"), left);
    }
    // Two of four are used. With a larger burst they stay used.
    let line = reload(app, file, &(policy("p", "1/d", 10) + &policy("more", "1/d", 50)));
    assert_eq!((&line["level"], &line["policies"]), (&"INFO".into(), &2.into()), "{line}");
    let response = get(app, "/").await;
    assert_eq!(header(&response, "ratelimit-policy"), "\"p\";q=10;w=864000, \"more\";q=50;w=4320000");
    assert_eq!(header(&response, "x-ratelimit-remaining"), "7");

    for (bad, needles) in [
        ("[[policy]]\nname = \"p\"\nlimit = \"1/d\"\nbrust = 4\n", &["limits.toml", "line 4", "`brust`"][..]),
        ("[[policy]]\nname = \"p\"\nlimit = \"0/s\"\nburst = 4\n", &["line 3", "`limit`", "1/d"]),
        (
            "[[policy]]\nname = \"p\"\nlimit = \"1/s\"\nburst = 4\ncost = 5\n",
            &["line 5", "`cost`", "raise the burst to 5"],
        ),
    ] {
        let line = reload(app, file, bad);
        assert_eq!(line["level"], "ERROR", "{line}");
        assert!(line["message"].as_str().unwrap().contains("keeping current policies"), "{line}");
        for needle in needles {
            assert!(line["error"].as_str().unwrap().contains(needle), "{needle} not in {line}");
        }
    }
    assert_eq!(header(&get(app, "/").await, "x-ratelimit-remaining"), "6", "as before the invalid files");

    // A burst below the balance: refused, with the wait for the first of the two excess days.
    reload(app, file, &policy("p", "1/d", 2));
    let refused = get(app, "/").await;
    assert_eq!(refused.status(), 429);
    // A raised limit admits at once what the old one would have refused for days.
    reload(app, file, &policy("p", "100/s", 2));
    eventually("the raised limit admits it", || async { get(app, "/").await.status() == 200 }).await;
}

#[tokio::test]
async fn limits_in_memory_are_reloaded() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("limits.toml");
    std::fs::write(&file, policy("p", "1/d", 4)).unwrap();
    let app = Running::start(&["--rate-limits-file", file.to_str().unwrap()]);
    reloads(&app, &file).await;
}

#[tokio::test]
async fn limits_in_redis_are_reloaded() {
    let redis = Redis::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("limits.toml");
    std::fs::write(&file, policy("p", "1/d", 4)).unwrap();
    let flags =
        ["--rate-limits-file", file.to_str().unwrap(), "--redis-url", &redis.url(), "--redis-deadline", "5s"];
    let app = Running::start(&flags);
    reloads(&app, &file).await;
    let metrics = app.metrics().await;
    assert_eq!(metrics.sum("rate_limit_backend_errors_total"), 0.0);
}

#[tokio::test]
async fn a_plan_in_use_cannot_be_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (file, keys) = (dir.path().join("limits.toml"), dir.path().join("keys.toml"));
    let gold = policy("gold", "1/d", 9) + "plan = true\n";
    std::fs::write(&file, policy("default", "1/d", 4) + &gold).unwrap();
    std::fs::write(&keys, format!("[[keys]]\nname='shop'\nhash='{}'\nplan='gold'\n", api::access::hash("k")))
        .unwrap();
    let app = Running::start(&[
        "--rate-limits-file",
        file.to_str().unwrap(),
        "--api-keys-file",
        keys.to_str().unwrap(),
    ]);
    let line = reload(&app, &file, &policy("default", "1/d", 5));
    let reason = line["error"].as_str().unwrap();
    assert!(reason.contains("`gold`") && reason.contains("API_KEYS_FILE"), "{reason}");
    assert_eq!(header(&get(&app, "/").await, "x-ratelimit-limit"), "4");
    let with_key = app.client.get(format!("{}/", app.base)).header("x-api-key", "k").send();
    assert_eq!(header(&with_key.await.unwrap(), "x-ratelimit-limit"), "9");
    tokio::time::timeout(Duration::from_secs(20), async { reload(&app, &file, &gold) }).await.unwrap();
    assert_eq!(get(&app, "/").await.headers().get("x-ratelimit-limit"), None, "no policy applies to others");
}
