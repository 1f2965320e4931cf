//! HTTP routes: receivers, JSON API, metrics and the page.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::{self, Bytes, Data, Path, PayloadConfig, Query, ServiceConfig};
use actix_web::{HttpResponse, Responder, guard};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::config::BODY_LIMIT;
use crate::http::listing::Listing;
use crate::http::page;
use crate::http::resource::get;
use crate::http::status;
use crate::receivers::channel::{self, text};
use crate::store::failure::Failure;
use crate::store::state::State;
use clients::inbox::{Channel, Holder};
use common::proof;

pub(crate) fn configure(config: &mut ServiceConfig, webhook_limit: usize) {
    for channel in Channel::ALL {
        let limit = match channel {
            Channel::Webhook | Channel::Heartbeat => webhook_limit,
            _ => BODY_LIMIT,
        };
        for path in channel::paths(channel) {
            let receive = move |state, body| receive(channel, path, limit, state, body);
            // The guard is on the resource, so that another resource can serve GET at the same path.
            let resource = web::resource(*path).guard(guard::Post()).app_data(PayloadConfig::new(limit));
            config.service(resource.route(web::to(receive)));
        }
    }
    config
        .route("/notifications", get().to(notifications))
        .route("/heartbeat", get().to(heartbeat))
        .route("/fail", get().to(failures))
        .route("/fail/{channel}", web::put().to(fail))
        .route("/fail/{channel}", web::delete().to(work))
        .route("/lease", web::put().to(lease))
        .route("/metrics", get().to(metrics))
        .route("/metrics/drills", get().to(drills))
        .route("/runbooks/{alert}", get().to(runbook))
        .route("/livez", get().to(livez))
        .route("/readyz", get().to(readyz))
        .configure(page::configure)
        .configure(status::configure);
}

async fn receive(
    channel: Channel,
    path: &'static str,
    limit: usize,
    state: Data<State>,
    body: Result<Bytes, actix_web::Error>,
) -> HttpResponse {
    let body = match body {
        Ok(body) => body,
        Err(error) => {
            state.refused(channel);
            return match error.as_response_error().status_code() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    let raise = if limit > BODY_LIMIT { "; raise the limit with --webhook-mib" } else { "" };
                    let reason = format!("body too large: must be at most {limit} bytes{raise}");
                    text(StatusCode::PAYLOAD_TOO_LARGE, &reason)
                }
                status => text(status, &error.to_string()),
            };
        }
    };
    match state.failure(channel) {
        Some((Failure::Hang, until)) => tokio::time::sleep_until(until).await,
        Some((Failure::Status(status), _)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return text(status, "injected failure");
        }
        None => {}
    }
    match channel::read(channel, path, &body) {
        Ok(message) => {
            let response = channel::accepted(channel, path, &message.body);
            match state.accept(channel, message) {
                Ok(()) => response,
                Err(error) => {
                    text(StatusCode::SERVICE_UNAVAILABLE, &format!("the notification was not saved: {error}"))
                }
            }
        }
        Err(refusal) => {
            state.refused(channel);
            channel::refused(channel, refusal)
        }
    }
}

async fn heartbeat(state: Data<State>) -> HttpResponse {
    let heartbeat = state.heartbeat();
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(json!({
        "state": heartbeat.state(),
        "last": heartbeat.last(),
        "limit_seconds": heartbeat.limit().as_secs_f64(),
    }))
}

/// `{"status": 500, "ttl": "60s"}` or `{"hang": true, "ttl": "60s"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    status: Option<u16>,
    #[serde(default)]
    hang: bool,
    #[serde(deserialize_with = "common::duration::deserialize")]
    ttl: Duration,
}

async fn failures(state: Data<State>) -> HttpResponse {
    let all: serde_json::Map<String, serde_json::Value> = state
        .failures()
        .all()
        .map(|(channel, failure)| (channel.name().to_owned(), json!(failure)))
        .collect();
    HttpResponse::Ok().json(all)
}

async fn fail(state: Data<State>, name: Path<String>, body: Bytes) -> HttpResponse {
    let Some(channel) = Channel::named(&name) else { return no_channel() };
    let how = serde_json::from_slice::<Fail>(&body).map_err(|error| error.to_string());
    let how = how.and_then(|fail| match (fail.status, fail.hang) {
        (Some(status), false) => Ok((Failure::Status(status), fail.ttl)),
        (None, true) => Ok((Failure::Hang, fail.ttl)),
        _ => Err("expected either `status` or `\"hang\": true`".to_owned()),
    });
    let set = |(failure, ttl)| state.failures().set(channel, failure, ttl).map_err(|error| error.to_string());
    match how.and_then(set) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(reason) => text(
            StatusCode::BAD_REQUEST,
            &format!("{reason}; example: {{\"status\": 500, \"ttl\": \"60s\"}}"),
        ),
    }
}

async fn work(state: Data<State>, name: Path<String>) -> HttpResponse {
    let Some(channel) = Channel::named(&name) else { return no_channel() };
    state.failures().lift(channel);
    HttpResponse::NoContent().finish()
}

fn no_channel() -> HttpResponse {
    let names: Vec<_> = Channel::ALL.iter().map(|channel| channel.name()).collect();
    text(StatusCode::NOT_FOUND, &format!("no such channel: expected one of {}", names.join(", ")))
}

/// `{"host": "ci-1", "pid": 4711, "since": "2026-11-29T12:00:00Z", "processes": "BOOT_ID/pid:[4026531836]", "ttl": "30s"}`;
/// with `"dead": {"host": …}`, to take it over from a run whose process has ended.
#[derive(Deserialize)]
struct Claim {
    #[serde(flatten)]
    holder: Holder,
    #[serde(deserialize_with = "common::duration::deserialize")]
    ttl: Duration,
    dead: Option<Holder>,
}

async fn lease(state: Data<State>, body: Bytes) -> HttpResponse {
    let claim = match serde_json::from_slice::<Claim>(&body) {
        Ok(claim) => claim,
        Err(error) => return text(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match state.lease().take(claim.holder, claim.ttl, claim.dead.as_ref(), Instant::now()) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(holder) => HttpResponse::Conflict().json(holder),
    }
}

/// Metrics of the last proofs.
async fn drills(state: Data<State>) -> HttpResponse {
    let body =
        state.proofs.as_deref().map(proof::read_all).map_or_else(String::new, |found| proof::metrics(&found));
    HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(body)
}

async fn runbook(state: Data<State>, alert: Path<String>) -> HttpResponse {
    let plain = !alert.is_empty() && alert.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let file = state.runbooks.as_ref().filter(|_| plain).map(|dir| dir.join(format!("{alert}.md")));
    match file.and_then(|file| std::fs::read_to_string(file).ok()) {
        Some(body) => text(StatusCode::OK, &body),
        None => text(
            StatusCode::NOT_FOUND,
            "no runbook for this alert: add ALERTNAME.md to the directory of --runbooks",
        ),
    }
}

#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    after: u64,
    before: Option<u64>,
    limit: Option<usize>,
}

async fn notifications(state: Data<State>, range: Result<Query<Range>, actix_web::Error>) -> HttpResponse {
    let range = match range {
        Ok(range) => range,
        Err(error) => {
            let reason = format!("{error}: expected ?after=ID&before=ID&limit=COUNT, integers, all optional");
            return text(StatusCode::BAD_REQUEST, &reason);
        }
    };
    let received = state.received();
    let (before, limit) = (range.before.unwrap_or(u64::MAX), range.limit.unwrap_or(usize::MAX));
    let entries = received.history.between(range.after, before, limit);
    let ids = (received.history.first_id(), received.history.last_id());
    let body = Listing::new(state.started(), ids, entries).body();
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .content_type(ContentType::json())
        .body(body)
}

async fn metrics(state: Data<State>) -> HttpResponse {
    match state.metrics().text() {
        Ok(body) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn livez() -> impl Responder {
    text(StatusCode::OK, "alive\n")
}

async fn readyz(state: Data<State>) -> HttpResponse {
    match state.received().save_error() {
        None => text(StatusCode::OK, "ready\n"),
        Some(reason) => {
            text(StatusCode::SERVICE_UNAVAILABLE, &format!("notifications are not saved: {reason}\n"))
        }
    }
}
