//! What Alertmanager holds now: alerts, silences and routes. Some builds of Alertmanager have no page of their own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::{Data, ServiceConfig};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::http::resource::get;
use crate::receivers::channel::text;
use clients::SystemError;
use clients::alertmanager::{Alertmanager, HeldAlert, Matcher, Silence};

/// How long one reading of Alertmanager serves all readers.
const FRESH: Duration = Duration::from_secs(1);

/// The Alertmanager to show, if any, and what was read last.
#[derive(Clone, Default)]
pub(crate) struct Source {
    alertmanager: Option<Alertmanager>,
    last: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Source {
    pub(crate) fn new(alertmanager: Option<Alertmanager>) -> Self {
        Self { alertmanager, last: Arc::default() }
    }
}

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.route("/status/data", get().to(data));
}

async fn data(source: Data<Source>) -> HttpResponse {
    let Some(alertmanager) = &source.alertmanager else {
        return text(
            StatusCode::NOT_FOUND,
            "no Alertmanager is known: start the inbox with --alertmanager URL",
        );
    };
    // The lock is held while reading, so that many open pages cause one request.
    let mut last = source.last.lock().await;
    let fresh = last.as_ref().filter(|(read, _)| read.elapsed() < FRESH).map(|(_, body)| body.clone());
    let body = match fresh {
        Some(body) => body,
        None => match read(alertmanager).await {
            Ok(found) => {
                let body = found.to_string();
                *last = Some((Instant::now(), body.clone()));
                body
            }
            Err(error) => return text(StatusCode::BAD_GATEWAY, &error.to_string()),
        },
    };
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type(ContentType::json())
        .body(body)
}

async fn read(alertmanager: &Alertmanager) -> Result<Value, SystemError> {
    let alerts: Vec<Value> = alertmanager.alerts().await?.iter().map(alert).collect();
    let silences: Vec<Value> = alertmanager.silences().await?.iter().map(silence).collect();
    let config = serde_saphyr::from_str::<Value>(&alertmanager.config().await?).unwrap_or_default();
    Ok(json!({
        "alerts": alerts,
        "silences": silences,
        "route": config["route"],
        "receivers": receivers(&config),
    }))
}

fn alert(alert: &HeldAlert) -> Value {
    json!({
        "labels": alert.labels,
        "state": alert.state,
        "silenced": !alert.silenced_by.is_empty(),
        "inhibited": !alert.inhibited_by.is_empty(),
        "receivers": alert.receivers,
    })
}

fn silence(silence: &Silence) -> Value {
    let matchers: Vec<String> = silence.matchers.iter().map(matcher).collect();
    json!({"id": silence.id, "comment": silence.comment, "matchers": matchers})
}

fn matcher(matcher: &Matcher) -> String {
    let operator = match (matcher.is_equal, matcher.is_regex) {
        (true, false) => "=",
        (true, true) => "=~",
        (false, false) => "!=",
        (false, true) => "!~",
    };
    format!("{}{operator}{:?}", matcher.name, matcher.value)
}

/// The kinds of integrations of each receiver, such as `slack`; nothing of their settings, which may be secret.
fn receivers(config: &Value) -> Map<String, Value> {
    let all = config["receivers"].as_array().into_iter().flatten();
    let named = all.filter_map(|receiver| Some((receiver["name"].as_str()?.to_owned(), receiver)));
    named
        .map(|(name, receiver)| {
            let keys = receiver.as_object().into_iter().flat_map(Map::keys);
            let kinds: BTreeSet<&str> = keys.filter_map(|key| key.strip_suffix("_configs")).collect();
            (name, kinds.into_iter().collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_setting_of_a_receiver() {
        let config = json!({"receivers": [
            {"name": "critical", "slack_configs": [{"api_url": "https://hooks.example/secret"}], "email_configs": []},
            {"name": "none"},
        ]});
        let shown = receivers(&config);
        assert_eq!(Value::from(shown), json!({"critical": ["email", "slack"], "none": []}));
        assert_eq!(receivers(&Value::Null).len(), 0);
    }

    #[test]
    fn matchers_are_written_as_in_the_configuration() {
        let text = |is_equal, is_regex| {
            matcher(&Matcher { name: "job".into(), value: "a\"b".into(), is_regex, is_equal })
        };
        assert_eq!(text(true, false), r#"job="a\"b""#);
        assert_eq!(text(true, true), r#"job=~"a\"b""#);
        assert_eq!(text(false, false), r#"job!="a\"b""#);
        assert_eq!(text(false, true), r#"job!~"a\"b""#);
    }
}
