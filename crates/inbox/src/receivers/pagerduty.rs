//! PagerDuty's Events API v2: <https://developer.pagerduty.com/docs/events-api-v2-overview>.

use std::hash::{BuildHasher, Hasher};

use serde_json::{Value, json};
use url::Url;

use crate::receivers::heading;
use crate::receivers::message::{FIRING, Message, RESOLVED, Refusal, UNKNOWN};

/// Length of a routing key, the integration key of a service.
const KEY: usize = 32;
/// Maximum number of characters of `payload.summary`.
const SUMMARY: usize = 1_024;
/// Maximum number of characters of `dedup_key`.
const DEDUP_KEY: usize = 255;
/// Maximum size of an event in bytes.
const EVENT: usize = 512_000;
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// # Errors
/// PagerDuty's response, as JSON.
pub fn read(bytes: &[u8]) -> Result<Message, Refusal> {
    let bad = |errors: &[String]| {
        let body = json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors});
        Refusal(body.to_string())
    };
    if bytes.len() > EVENT {
        return Err(bad(&[format!("the event has {} bytes: must have at most {EVENT}", bytes.len())]));
    }
    let mut body: Value =
        serde_json::from_slice(bytes).map_err(|error| bad(&[format!("body is not JSON: {error}")]))?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let mut errors = Vec::new();
    if text("/routing_key").len() != KEY {
        errors.push(format!("'routing_key' must be a string of {KEY} characters"));
    }
    let action = text("/event_action");
    if !["trigger", "acknowledge", "resolve"].contains(&action) {
        errors.push("'event_action' must be one of trigger, acknowledge, resolve".to_owned());
    }
    if action != "trigger" && text("/dedup_key").is_empty() {
        errors.push(format!("'dedup_key' is required for '{action}'"));
    }
    if text("/dedup_key").chars().count() > DEDUP_KEY {
        errors.push(format!("'dedup_key' must have at most {DEDUP_KEY} characters"));
    }
    for (list, key) in [("links", "href"), ("images", "src")] {
        let items = body.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if items.iter().any(|item| item[key].as_str().is_none_or(|url| Url::parse(url).is_err())) {
            errors.push(format!("each of '{list}' must have a URL as '{key}'"));
        }
    }
    if action == "trigger" {
        let summary = text("/payload/summary");
        if summary.is_empty() || summary.chars().count() > SUMMARY {
            errors.push(format!("'payload.summary' must have 1 to {SUMMARY} characters"));
        }
        if text("/payload/source").is_empty() {
            errors.push("'payload.source' is missing or blank".to_owned());
        }
        if !SEVERITIES.contains(&text("/payload/severity")) {
            errors.push(format!("'payload.severity' must be one of {}", SEVERITIES.join(", ")));
        }
    }
    if !errors.is_empty() {
        return Err(bad(&errors));
    }
    let status = match action {
        "trigger" => FIRING,
        "resolve" => RESOLVED,
        _ => UNKNOWN,
    };
    let (_, mut alerts) = heading::alerts_in([text("/payload/summary")].into_iter());
    // A trigger without a key gets one, with which it can be resolved.
    if text("/dedup_key").is_empty() {
        body["dedup_key"] = json!(new_key());
    }
    // The action counts, not the status in the text.
    alerts.iter_mut().for_each(|alert| status.clone_into(&mut alert.status));
    Ok(Message { status, alerts, body: body.into() })
}

/// 32 hexadecimal digits, different each time. The standard library seeds these hashers at random.
fn new_key() -> String {
    let half = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Value {
        json!({"routing_key": "0".repeat(32), "event_action": "trigger", "dedup_key": "k",
            "links": [{"href": "http://127.0.0.1/runbook", "text": "Runbook"}],
            "images": [{"src": "https://127.0.0.1/graph.png", "alt": "a graph"}],
            "payload": {"summary": "[FIRING:1] APIDown (critical)", "source": "alertmanager", "severity": "critical"}})
    }

    #[test]
    fn reads_triggers_and_resolves() {
        let message = read(event().to_string().as_bytes()).unwrap();
        assert_eq!((message.status, message.alerts[0].alert.as_str()), ("firing", "APIDown"));
        let mut resolve = event();
        resolve["event_action"] = json!("resolve");
        let message = read(resolve.to_string().as_bytes()).unwrap();
        assert_eq!((message.status, message.alerts[0].status.as_str()), ("resolved", "resolved"));
    }

    #[test]
    fn a_trigger_without_a_key_is_given_one_of_its_own() {
        let keys = [json!(null), json!("")].map(|none| {
            let mut event = event();
            event["dedup_key"] = none;
            read(event.to_string().as_bytes())
                .unwrap()
                .body
                .field("dedup_key")
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        });
        assert!(keys.iter().all(|key| key.len() == 32) && keys[0] != keys[1], "{keys:?}");
        assert_eq!(read(event().to_string().as_bytes()).unwrap().body.field("dedup_key").unwrap(), "k");
    }

    #[test]
    fn refuses_what_pagerduty_refuses() {
        for (pointer, value, says) in [
            ("/routing_key", json!("short"), "routing_key"),
            ("/event_action", json!("fire"), "event_action"),
            ("/payload/summary", json!(""), "payload.summary"),
            ("/payload/source", json!(null), "payload.source"),
            ("/payload/severity", json!("none"), "payload.severity"),
            ("/payload/summary", json!("x".repeat(1_025)), "payload.summary"),
            ("/dedup_key", json!("k".repeat(256)), "dedup_key"),
            ("/links", json!([{"href": "", "text": "Runbook"}]), "links"),
            ("/links", json!([{"text": "Runbook"}]), "links"),
            ("/images", json!([{"src": ""}]), "'images' must have a URL as 'src'"),
            ("/images", json!([{"alt": "a graph"}]), "images"),
            ("/payload/source", json!("s".repeat(512_000)), "512000"),
        ] {
            let mut event = event();
            *event.pointer_mut(pointer).unwrap() = value;
            assert!(read(event.to_string().as_bytes()).unwrap_err().0.contains(says), "{event}");
        }
        assert!(read(b"[").unwrap_err().0.contains("not JSON"));
    }
}
