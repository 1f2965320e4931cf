//! `stack up`, `status`, `down`, and every way a stack can end.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use stack::Settings;
use stack::state::{Identity, State};
use tokio::process::Child;

use crate::support;

/// An offset with free ports, and the stack's folder, which is removed on drop.
struct Offset {
    text: String,
    settings: Settings,
}

impl Offset {
    fn free() -> Self {
        let offset = support::free_offset();
        Self { text: offset.to_string(), settings: Settings::new(offset, 60.0).unwrap() }
    }

    fn command(&self, verb: &str) -> tokio::process::Command {
        let mut command = support::stack();
        command.args([verb, "--port-offset", &self.text]).env("PROOFS_DIR", self.proofs());
        // Prometheus has to send it, or its target `api` is down.
        command.env("METRICS_TOKEN", "hush");
        command
    }

    /// A separate folder of proofs, so that the machine's own proofs do not matter.
    fn proofs(&self) -> PathBuf {
        self.settings.dir.join("proven")
    }

    fn state(&self) -> Option<State> {
        State::read(&self.settings.dir).unwrap()
    }
}

impl Drop for Offset {
    fn drop(&mut self) {
        // A failed test must not leave a stack behind.
        let down = std::process::Command::new(env!("CARGO_BIN_EXE_stack"))
            .args(["down", "--port-offset", &self.text])
            .output();
        assert!(std::thread::panicking() || down.is_ok(), "{down:?}");
        let _ = std::fs::remove_dir_all(&self.settings.dir);
    }
}

async fn all_gone(processes: &[Identity]) {
    support::eventually("every process gone", Duration::from_secs(20), || async {
        processes.iter().all(|process| !process.alive()).then_some(())
    })
    .await;
}

fn processes(state: &State) -> Vec<Identity> {
    state.services.iter().map(|service| service.process).chain([state.supervisor]).collect()
}

async fn started(offset: &Offset, services: usize) -> State {
    support::eventually("services", Duration::from_secs(60), || async {
        offset.state().filter(|state| state.services.len() >= services)
    })
    .await
}

fn up(offset: &Offset) -> Child {
    offset
        .command("up")
        .args(["--scale", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn up_status_an_api_stopped_by_hand_and_down() {
    let offset = Offset::free();
    let limit = Duration::from_secs(120);
    let mut command = offset.command("up");
    command.args(["--detach", "--scale", "60"]);
    let output = support::finish(command, limit).await;
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let ports = offset.settings.ports;
    assert!(text.contains(&format!("http://127.0.0.1:{}", ports.prometheus)), "{text}");

    let prometheus = format!("http://127.0.0.1:{}", ports.prometheus);
    let targets = support::get_json(&format!("{prometheus}/api/v1/targets?state=active")).await.unwrap();
    let targets = targets["data"]["activeTargets"].as_array().unwrap();
    assert_eq!(targets.len(), 8);
    assert!(targets.iter().all(|target| target["health"] == "up"), "{targets:#?}");
    let metrics = format!("http://127.0.0.1:{}/metrics", ports.api);
    let anonymous = reqwest::Client::builder().no_proxy().build().unwrap().get(metrics).send().await.unwrap();
    assert_eq!(anonymous.status(), 401);

    let status = support::finish(offset.command("status"), limit).await;
    assert_eq!(status.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&status.stdout).matches("running").count(), 7);

    std::fs::create_dir(offset.proofs()).unwrap();
    let proof = r#"{"alert": "APIDown", "drill": "api-down", "proven_at": "2027-01-15T08:00:00Z"}"#;
    std::fs::write(offset.proofs().join("api-down.json"), proof).unwrap();
    let query = format!("{prometheus}/api/v1/query?query=drill_last_proven_timestamp_seconds");
    let proven = support::eventually("proofs of drills in Prometheus", Duration::from_secs(30), || async {
        support::get_json(&query).await?["data"]["result"].as_array()?.first().cloned()
    })
    .await;
    assert_eq!((&proven["metric"]["alert"], &proven["value"][1]), (&json!("APIDown"), &json!("1800000000")));

    let state = offset.state().unwrap();
    let api = state.services.iter().find(|service| service.name == "api").unwrap();
    api.process.signal(Signal::SIGKILL);
    let inbox = format!("http://127.0.0.1:{}/notifications", ports.inbox);
    support::eventually("APIDown in the inbox", Duration::from_secs(60), || async {
        let arrived = support::get_json(&inbox).await?;
        let alerts = arrived["notifications"]
            .as_array()?
            .iter()
            .flat_map(|n| n["alerts"].as_array().into_iter().flatten());
        alerts
            .into_iter()
            .any(|alert| alert["alert"] == "APIDown" && alert["status"] == "firing")
            .then_some(())
    })
    .await;
    let status = support::finish(offset.command("status"), limit).await;
    assert_eq!(status.status.code(), Some(1), "one of seven has ended");

    let second = support::finish(
        {
            let mut c = offset.command("up");
            c.arg("--detach");
            c
        },
        limit,
    )
    .await;
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("already running"));

    let down = support::finish(offset.command("down"), limit).await;
    assert_eq!(down.status.code(), Some(0));
    all_gone(&processes(&state)).await;
    assert!(support::all_free(ports));
    assert!(offset.state().is_none());
    let again = support::finish(offset.command("down"), limit).await;
    assert_eq!(again.status.code(), Some(0), "nothing to stop is not a failure");
}

#[tokio::test]
async fn ctrl_c_while_starting_and_while_running_stops_everything() {
    for services in [1, 3, 7] {
        let offset = Offset::free();
        let child = up(&offset);
        let state = started(&offset, services).await;
        support::signal(&child, Signal::SIGINT);
        let output =
            tokio::time::timeout(Duration::from_secs(40), child.wait_with_output()).await.unwrap().unwrap();
        // 0 when it was ready just before the signal came, else 130.
        assert!(matches!(output.status.code(), Some(0 | 130)), "{:?}", output.status);
        all_gone(&processes(&state)).await;
        // Another service may have been started after the state was read.
        support::eventually("free ports", Duration::from_secs(20), || async {
            support::all_free(offset.settings.ports).then_some(())
        })
        .await;
        assert!(offset.state().is_none());
    }
}

#[tokio::test]
async fn services_of_a_killed_supervisor_end() {
    let offset = Offset::free();
    let mut child = up(&offset);
    let state = support::eventually("ready", Duration::from_secs(60), || async {
        offset.state().filter(|state| state.ready)
    })
    .await;
    support::signal(&child, Signal::SIGKILL);
    child.wait().await.unwrap();
    all_gone(&processes(&state)).await;
    let status = support::finish(offset.command("status"), Duration::from_secs(10)).await;
    assert_eq!(status.status.code(), Some(1));
    // Files left by the crash must not block the next start.
    let mut command = offset.command("up");
    command.args(["--detach", "--scale", "60"]);
    let again = support::finish(command, Duration::from_secs(120)).await;
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    let down = support::finish(offset.command("down"), Duration::from_secs(60)).await;
    assert_eq!(down.status.code(), Some(0));
}

#[tokio::test]
async fn a_service_that_cannot_start_stops_the_others_and_shows_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::isolated(dir.path().join("stack"), 60.0).unwrap();
    let monitoring = support::copy_monitoring(&settings.monitoring, &dir.path().join("monitoring"));
    // Alertmanager rejects the unknown field at its start.
    let file = monitoring.join("alertmanager.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("unknown_field: 1\n{text}")).unwrap();
    settings.monitoring = monitoring;
    let ports = settings.ports;
    let error = stack::Stack::start(settings, |_| ()).await.unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let text = error.to_string();
    assert!(text.contains("alertmanager") && text.contains("unknown_field"), "{text}");
    assert!(support::all_free(ports));
}
