//! One suite for every family of servers, on responses in the formats that their sources and documentation give. Which of
//! them has run drills live is in docs/operations/backends.md.

#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod server;
mod shapes;

use std::time::Duration;

use clients::backend::{Backend, BackendConfig, Family};
use clients::{HeaderConfig, HttpConfig};

use crate::server::Server;
use crate::shapes::{Shape, all};

fn config(shape: &Shape, stated: bool) -> BackendConfig {
    BackendConfig { family: stated.then_some(shape.family), ..BackendConfig::default() }
}

fn http() -> HttpConfig {
    let given = vec!["X-Scope-OrgID: team".parse().unwrap()];
    HttpConfig { headers: HeaderConfig { given, file: None }, ..HttpConfig::default() }
}

#[tokio::test]
async fn every_family_is_detected_or_stated_and_read() {
    for shape in all() {
        for stated in [false, true] {
            let what = format!("{} (stated: {stated})", shape.name);
            let server = Server::start(shape.pages.to_vec());
            let url = server.url(shape.base).parse().unwrap();
            let backend = Backend::new(&url, &config(&shape, stated), &http()).unwrap();
            assert_eq!(backend.family().await.unwrap(), shape.family, "{what}");

            let groups = backend.rules().await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!((groups.len(), groups[0].name.as_str()), (1, "api"), "{what}");
            assert_eq!(groups[0].interval, Duration::from_secs(30), "{what}");
            let rule = groups[0].rules.iter().find(|rule| rule.name == "Down").unwrap();
            let alerting = rule.alerting.as_ref().unwrap();
            assert_eq!((rule.health.as_str(), alerting.hold), ("ok", Duration::from_secs(60)), "{what}");
            assert_eq!(alerting.keep_firing, Duration::from_secs(120), "{what}");
            assert!(rule.last_evaluation.is_some(), "{what}");
            let alerts: Vec<_> = alerting.alerts.iter().map(|it| it.state.as_str()).collect();
            assert_eq!(alerts, ["firing"], "{what}");
            assert_eq!(alerting.alerts[0].labels["job"], "api", "{what}");

            let delays = (groups[0].unseen.as_secs(), groups[0].stored_after.map(|it| it.as_secs()));
            assert_eq!(delays, shape.delays, "{what}");
            assert_eq!(backend.sends().await.unwrap(), shape.sends, "{what}");
            let targets = backend.targets().await.unwrap();
            let intervals: Vec<_> =
                targets.iter().map(|it| it.scrape_interval.map(|it| it.as_secs())).collect();
            assert_eq!(intervals, shape.targets, "{what}");
            match (backend.ready().await, shape.ready) {
                (Ok(()), Ok(())) => {}
                (Err(error), Err(says)) => assert!(error.to_string().contains(says), "{what}: {error}"),
                (found, expected) => panic!("{what}: {found:?}, expected {expected:?}"),
            }
            let requests = server.requests();
            assert!(requests.iter().all(|it| it.contains("x-scope-orgid: team")), "{what}: {requests:?}");
        }
    }
}

#[tokio::test]
async fn a_server_of_no_family_is_refused_with_the_way_out() {
    let server = Server::start(vec![("/", "<html>hello</html>")]);
    let url = server.url("").parse().unwrap();
    let backend = Backend::new(&url, &BackendConfig::default(), &HttpConfig::default()).unwrap();
    let error = backend.rules().await.unwrap_err().to_string();
    assert!(error.contains("cannot tell the kind of the server (responded 404"), "{error}");
    assert!(
        error.contains("--backend to one of prometheus, victoriametrics, thanos, mimir, grafana"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_mistaken_for_another() {
    // Nothing listens on port 1.
    let url = "http://127.0.0.1:1".parse().unwrap();
    let backend = Backend::new(&url, &BackendConfig::default(), &HttpConfig::default()).unwrap();
    let error = backend.family().await.unwrap_err();
    assert!(error.is_silence() && error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn rules_and_samples_of_a_replica_that_is_gone_are_those_of_the_other() {
    let prometheus = all().into_iter().find(|shape| shape.family == Family::Prometheus).unwrap();
    let server = Server::start(prometheus.pages.to_vec());
    let gone = "http://127.0.0.1:1".parse().unwrap();
    let replicas = vec![server.url("").parse().unwrap()];
    let config = BackendConfig { replicas, ..BackendConfig::default() };
    let backend = Backend::new(&gone, &config, &HttpConfig::default()).unwrap();
    assert_eq!(backend.rules().await.unwrap()[0].name, "api");
    assert_eq!(backend.query("vector(1)", None).await.unwrap()[0].samples[0].1, 1.0);
    let started = backend.started().await;
    assert!(started[0].is_err() && started[1].is_ok(), "{started:?}");
    assert!(backend.ready().await.is_err(), "a drill starts with all replicas");
}

/// A proxy is sent the whole URL. The test runs itself again, as the environment of a process is of all its threads.
#[test]
fn requests_go_through_the_proxy_of_the_environment() {
    const URL: &str = "http://prometheus.invalid/api";
    if std::env::var_os("BEHIND_PROXY").is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = BackendConfig { family: Some(Family::Prometheus), ..BackendConfig::default() };
        let backend = Backend::new(&URL.parse().unwrap(), &config, &HttpConfig::default()).unwrap();
        assert_eq!(runtime.block_on(backend.rules()).unwrap()[0].name, "api");
        return;
    }
    let shape = all().into_iter().find(|shape| shape.family == Family::Prometheus).unwrap();
    let pages: Vec<_> =
        shape.pages.iter().map(|(path, body)| (&*format!("{URL}{path}").leak(), *body)).collect();
    let proxy = Server::start(pages);
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "requests_go_through_the_proxy_of_the_environment"])
        .env("BEHIND_PROXY", "1")
        .env("http_proxy", proxy.url("").replace("://", "://me:secret@"))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    let requests = proxy.requests();
    assert!(requests.iter().all(|it| it.contains("proxy-authorization: Basic bWU6c2VjcmV0")), "{requests:?}");
    assert!(!requests.is_empty());
}
