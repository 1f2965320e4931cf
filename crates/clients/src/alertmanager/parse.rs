//! Parses Alertmanager's JSON responses.

use serde::Deserialize;

use crate::alertmanager::types::{Cluster, HeldAlert, Silence};
use crate::error::Reason;
use crate::prometheus::Labels;

#[derive(Deserialize)]
struct WireStatusPage {
    config: WireConfig,
}

#[derive(Deserialize)]
struct WireConfig {
    original: String,
}

pub fn config(body: &str) -> Result<String, Reason> {
    Ok(serde_json::from_str::<WireStatusPage>(body)?.config.original)
}

#[derive(Deserialize)]
struct WireClusterPage {
    cluster: Option<WireCluster>,
}

#[derive(Deserialize)]
struct WireCluster {
    #[serde(default)]
    status: String,
    peers: Option<Vec<serde::de::IgnoredAny>>,
}

pub fn cluster(body: &str) -> Result<Cluster, Reason> {
    let page: WireClusterPage = serde_json::from_str(body)?;
    let (peers, status) =
        page.cluster.map(|it| (it.peers.unwrap_or_default(), it.status)).unwrap_or_default();
    let members = u32::try_from(peers.len()).unwrap_or(u32::MAX).max(1);
    Ok(Cluster { members, settling: status == "settling" })
}

#[derive(Deserialize)]
struct WireReceiver {
    name: String,
}

#[derive(Deserialize)]
struct WireAlert {
    fingerprint: String,
    labels: Labels,
    status: WireStatus,
    receivers: Vec<WireReceiver>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStatus {
    state: String,
    silenced_by: Option<Vec<String>>,
    inhibited_by: Option<Vec<String>>,
}

pub fn alerts(body: &str) -> Result<Vec<HeldAlert>, Reason> {
    let held = |wire: WireAlert| HeldAlert {
        fingerprint: wire.fingerprint,
        labels: wire.labels,
        state: wire.status.state,
        silenced_by: wire.status.silenced_by.unwrap_or_default(),
        inhibited_by: wire.status.inhibited_by.unwrap_or_default(),
        receivers: wire.receivers.into_iter().map(|it| it.name).collect(),
    };
    Ok(serde_json::from_str::<Vec<WireAlert>>(body)?.into_iter().map(held).collect())
}

#[derive(Deserialize)]
struct WireGroup {
    receiver: WireReceiver,
    labels: Labels,
    alerts: Vec<WireFingerprint>,
}

#[derive(Deserialize)]
struct WireFingerprint {
    fingerprint: String,
}

pub fn groups(body: &str) -> Result<Vec<(String, Labels, Vec<String>)>, Reason> {
    let group = |wire: WireGroup| {
        (wire.receiver.name, wire.labels, wire.alerts.into_iter().map(|it| it.fingerprint).collect())
    };
    Ok(serde_json::from_str::<Vec<WireGroup>>(body)?.into_iter().map(group).collect())
}

#[derive(Deserialize)]
struct WireSilence {
    status: WireState,
    #[serde(flatten)]
    silence: Silence,
}

#[derive(Deserialize)]
struct WireState {
    state: String,
}

pub fn silences(body: &str) -> Result<Vec<Silence>, Reason> {
    let all = serde_json::from_str::<Vec<WireSilence>>(body)?.into_iter();
    Ok(all.filter(|wire| wire.status.state == "active").map(|wire| wire.silence).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alertmanager::types::Matcher;

    const ALERT: &str = r#"{"annotations":{"summary":"s"},"endsAt":"2026-05-04T12:04:00.000Z",
      "fingerprint":"0badcafe00000001","receivers":[{"name":"warning"},{"name":"slack"}],
      "startsAt":"2026-05-04T12:00:00.000Z","status":{"inhibitedBy":["0badcafe00000002"],"silencedBy":[],
      "state":"suppressed"},"updatedAt":"2026-05-04T12:00:01.000Z","generatorURL":"http://p/graph",
      "labels":{"alertname":"HighErrorRate","job":"api"}}"#;

    #[test]
    fn parses_alerts_and_groups() {
        let found = alerts(&format!("[{ALERT}]")).unwrap();
        assert_eq!(
            (found[0].fingerprint.as_str(), found[0].state.as_str()),
            ("0badcafe00000001", "suppressed")
        );
        assert_eq!(
            (found[0].receivers.join(" "), found[0].silenced_by.len()),
            ("warning slack".to_owned(), 0)
        );
        assert_eq!(found[0].inhibited_by, ["0badcafe00000002"]);

        let body =
            format!(r#"[{{"alerts":[{ALERT}],"labels":{{"job":"api"}},"receiver":{{"name":"warning"}}}}]"#);
        let found = groups(&body).unwrap();
        assert_eq!(found[0].0, "warning");
        assert_eq!(
            (found[0].1["job"].as_str(), found[0].2.join(" ")),
            ("api", "0badcafe00000001".to_owned())
        );
        assert!(alerts("[]").unwrap().is_empty());
    }

    #[test]
    fn returns_only_active_silences() {
        let silence = |state: &str, is_equal: &str| {
            format!(
                r#"{{"id":"{state}","comment":"why","createdBy":"me","status":{{"state":"{state}"}},
                "startsAt":"2026-05-04T12:00:00Z","endsAt":"2026-05-04T13:00:00Z","updatedAt":"2026-05-04T12:00:00Z",
                "matchers":[{{"name":"alertname","value":"High.*","isRegex":true{is_equal}}}]}}"#
            )
        };
        let body = format!(
            "[{},{},{}]",
            silence("expired", ""),
            silence("active", r#","isEqual":false"#),
            silence("pending", "")
        );
        let found = silences(&body).unwrap();
        assert_eq!((found.len(), found[0].id.as_str(), found[0].comment.as_str()), (1, "active", "why"));
        let expected =
            Matcher { name: "alertname".into(), value: "High.*".into(), is_regex: true, is_equal: false };
        assert_eq!(found[0].matchers, [expected]);
        assert!(silences(&format!("[{}]", silence("active", ""))).unwrap()[0].matchers[0].is_equal);
    }

    #[test]
    fn counts_the_members_of_the_cluster() {
        let peer = r#"{"address":"10.0.0.1:9094","name":"01M8MA9H5KN4P1CYQTRY8E5SWF"}"#;
        for (cluster_json, members, settling) in [
            (format!(r#"{{"name":"a","peers":[{peer},{peer},{peer}],"status":"ready"}}"#), 3, false),
            (format!(r#"{{"name":"a","peers":[{peer}],"status":"settling"}}"#), 1, true),
            (r#"{"peers":[],"status":"disabled"}"#.to_owned(), 1, false),
            (r#"{"status":"disabled"}"#.to_owned(), 1, false),
            ("null".to_owned(), 1, false),
        ] {
            let body = format!(r#"{{"cluster":{cluster_json},"config":{{"original":""}}}}"#);
            assert_eq!(cluster(&body).unwrap(), Cluster { members, settling }, "{body}");
        }
        assert!(cluster("[]").is_err());
    }

    #[test]
    fn parses_the_configuration_and_rejects_other_bodies() {
        let body = r#"{"cluster":{"status":"disabled"},"config":{"original":"route:\n  receiver: a\n"},
          "uptime":"2026-05-04T12:00:00Z","versionInfo":{}}"#;
        assert_eq!(config(body).unwrap(), "route:\n  receiver: a\n");
        for body in ["", "{}", "[]", "null"] {
            assert!(config(body).unwrap_err().to_string().contains("cannot parse the"), "{body}");
        }
    }
}
