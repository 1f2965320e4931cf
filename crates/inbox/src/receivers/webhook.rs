//! Alertmanager's webhook, version 4:
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::receivers::message::{FIRING, Message, RESOLVED, Refusal, Sent};
use clients::inbox::NotifiedAlert;
use clients::prometheus::Labels;

/// The fields that Alertmanager always sends; a body without them is from another program.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'b> {
    version: String,
    #[serde(rename = "groupKey")]
    _group_key: String,
    #[serde(rename = "receiver")]
    _receiver: String,
    status: String,
    /// Read one after the other: all at once would take many times the size of the body.
    #[serde(borrow)]
    alerts: Vec<&'b RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    labels: Labels,
    #[serde(rename = "annotations")]
    _annotations: Labels,
    starts_at: Timestamp,
    ends_at: Timestamp,
    fingerprint: String,
}

/// # Errors
/// What is wrong with the body.
pub fn read(bytes: &[u8]) -> Result<Message, Refusal> {
    let bad = |reason: String| Refusal(format!("not a webhook body of Alertmanager (version 4): {reason}"));
    let text: &RawValue = serde_json::from_slice(bytes).map_err(|error| bad(format!("not JSON: {error}")))?;
    // Serde would accept a list in place of a struct, which Alertmanager never sends.
    let object = |json: &RawValue| match json.get().starts_with('{') {
        true => Ok(()),
        false => Err(bad("expected a JSON object with a list of objects in `alerts`".to_owned())),
    };
    object(text)?;
    let read: Body<'_> = serde_json::from_str(text.get()).map_err(|error| bad(error.to_string()))?;
    if read.version != "4" {
        return Err(bad(format!("version is {:?}, expected \"4\"", read.version)));
    }
    if read.alerts.is_empty() {
        return Err(bad("`alerts` is empty".to_owned()));
    }
    let status = |text: &str| match text {
        FIRING => Ok(FIRING),
        RESOLVED => Ok(RESOLVED),
        other => Err(bad(format!("status is {other:?}, expected \"firing\" or \"resolved\""))),
    };
    let alert = |json: &RawValue| {
        object(json)?;
        let alert: Alert = serde_json::from_str(json.get()).map_err(|error| bad(error.to_string()))?;
        Ok(NotifiedAlert {
            alert: alert.labels.get("alertname").cloned().unwrap_or_default(),
            status: status(&alert.status)?.to_owned(),
            heading: None,
            fingerprint: Some(alert.fingerprint),
            starts_at: Some(alert.starts_at),
            // Alertmanager sends year 1 while the alert is firing.
            ends_at: (alert.ends_at > Timestamp::UNIX_EPOCH).then_some(alert.ends_at),
            labels: alert.labels,
        })
    };
    let alerts = read.alerts.into_iter().map(alert).collect::<Result<_, Refusal>>();
    let (status, alerts) = (status(&read.status)?, alerts?);
    let body = Sent::text(text.get()).map_err(|error| bad(format!("not JSON: {error}")))?;
    Ok(Message { status, alerts, body })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body() -> Value {
        json!({
            "version": "4", "groupKey": "{}:{alertname=\"HighErrorRate\"}", "truncatedAlerts": 0, "status": "firing",
            "receiver": "warning", "groupLabels": {"alertname": "HighErrorRate"}, "commonLabels": {},
            "commonAnnotations": {}, "externalURL": "http://am:9093",
            "alerts": [
                {"status": "firing", "labels": {"alertname": "HighErrorRate", "job": "api"}, "annotations": {"summary": "s"},
                 "startsAt": "2026-05-04T12:00:00.5Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p",
                 "fingerprint": "0badcafe00000001"},
                {"status": "resolved", "labels": {"alertname": "HighErrorRate", "job": "b"}, "annotations": {},
                 "startsAt": "2026-05-04T12:00:00Z", "endsAt": "2026-05-04T12:05:00Z", "generatorURL": "",
                 "fingerprint": "0badcafe00000002"},
            ],
        })
    }

    #[test]
    fn reads_every_alert() {
        let body = body();
        let message = read(body.to_string().as_bytes()).unwrap();
        let Sent::Text(text) = &message.body else { panic!("{message:?}") };
        assert_eq!((message.status, text.get()), ("firing", body.to_string().as_str()));
        let [first, second] = &message.alerts[..] else { panic!("two alerts") };
        assert_eq!((first.alert.as_str(), first.status.as_str()), ("HighErrorRate", "firing"));
        assert_eq!((first.fingerprint.as_deref(), first.ends_at), (Some("0badcafe00000001"), None));
        assert_eq!(first.starts_at, Some("2026-05-04T12:00:00.5Z".parse().unwrap()));
        assert_eq!((second.status.as_str(), second.labels["job"].as_str()), ("resolved", "b"));
        assert_eq!(second.ends_at, Some("2026-05-04T12:05:00Z".parse().unwrap()));
    }

    #[test]
    fn refuses_other_shapes_and_says_why() {
        let without = |pointer: &str, key: &str| {
            let mut body = body();
            body.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(key);
            body.to_string()
        };
        let with = |pointer: &str, value: Value| {
            let mut body = body();
            *body.pointer_mut(pointer).unwrap() = value;
            body.to_string()
        };
        for (body, says) in [
            (String::new(), "not JSON"),
            ("[]".to_owned(), "expected a JSON object"),
            (with("/alerts/1", json!(["firing", {}, {}])), "expected a JSON object"),
            (without("", "groupKey"), "groupKey"),
            (without("", "alerts"), "alerts"),
            (without("/alerts/0", "fingerprint"), "fingerprint"),
            (without("/alerts/1", "labels"), "labels"),
            (with("/version", json!("3")), "\"3\""),
            (with("/version", json!(4)), "string"),
            (with("/status", json!("open")), "\"open\""),
            (with("/alerts", json!([])), "`alerts` is empty"),
            (with("/alerts/1/status", json!("")), "\"\""),
            (with("/alerts/0/startsAt", json!("noon")), "year"),
            (with("/alerts/0/labels/job", json!(5)), "string"),
        ] {
            let reason = read(body.as_bytes()).unwrap_err().0;
            assert!(reason.contains(says) && reason.contains("version 4"), "{body}: {reason}");
        }
    }
}
