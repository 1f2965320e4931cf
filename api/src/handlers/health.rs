//! Probes and metrics.

use super::resource::json;
use crate::{
    limit::RedisState,
    problem::Problem,
    state::State,
    telemetry::{self, Phase},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
    web::{self, Bytes, Data},
};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use utoipa::ToSchema;

/// Overall status and components.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`, or `degraded` when a component that is not essential is unavailable.
    status: &'static str,
    components: Components,
}

/// The status of each component.
#[derive(Serialize, ToSchema)]
struct Components {
    /// `ok`; in a 503 also `unavailable`, or `writes fail` while reads go on.
    database: &'static str,
    /// `ok`, `unavailable` or `not configured`.
    redis: &'static str,
}

/// The response to a probe.
#[derive(Serialize, ToSchema)]
pub(crate) struct Probe {
    /// `alive` or `ready`.
    status: &'static str,
}

/// Maximum time `/health` waits for the database.
const DATABASE_LIMIT: Duration = Duration::from_secs(1);

const DATABASE_AWAY: &str = "the database is unavailable";
const WRITES_FAIL: &str =
    "writes to the database fail and are retried every second; see the log for the reason";

/// Maximum time `/metrics` waits for the models folder.
const FOLDER_LIMIT: Duration = Duration::from_millis(500);

/// GET `/health`: 200 while data can be served, with status `degraded` without Redis; 503 otherwise.
#[utoipa::path(
    get,
    path = "/health",
    tag = "probes",
    operation_id = "health",
    summary = "Status of each component",
    responses(
        (status = 200, description = "data can be served; `degraded` when Redis is unavailable", body = Health),
        (status = 503, description = "data cannot be served; `components` names what is unavailable"),
    ),
)]
pub(super) async fn health(state: Data<State>) -> Result<HttpResponse, Problem> {
    let redis_state = state.limiter.redis_state();
    let redis = match redis_state {
        RedisState::NotConfigured => "not configured",
        RedisState::Up => "ok",
        RedisState::Away => "unavailable",
    };
    let away = match state.pings.last() {
        Some(away) => away,
        None => {
            let away = match tokio::time::timeout(DATABASE_LIMIT, state.store.ping()).await {
                Ok(ping) => ping.err().map(|error| error.to_string()),
                Err(_) => Some("no response from the database within 1 second".to_owned()),
            };
            state.pings.keep(away.clone());
            away
        }
    };
    let trouble = match away {
        None => state.write_failure().map(|cause| (WRITES_FAIL, "writes fail", cause)),
        Some(cause) => Some((DATABASE_AWAY, "unavailable", cause)),
    };
    if let Some((detail, database, cause)) = trouble {
        return Err(Problem::unavailable(detail)
            .with("components", json!({"database": database, "redis": redis}))
            .caused_by(cause));
    }
    let status = if redis_state == RedisState::Away { "degraded" } else { "ok" };
    json(StatusCode::OK, &Health { status, components: Components { database: "ok", redis } })
}

/// GET `/livez`: the process responds. It checks no dependency, so an outage elsewhere restarts nothing.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "probes",
    operation_id = "livez",
    summary = "Whether the process responds; checks no dependency",
    responses((status = 200, description = "alive", body = Probe)),
)]
pub(crate) async fn livez() -> Result<HttpResponse, Problem> {
    json(StatusCode::OK, &Probe { status: "alive" })
}

/// GET `/readyz`: whether the gateway accepts traffic.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "probes",
    operation_id = "readyz",
    summary = "Whether the gateway accepts traffic",
    responses(
        (status = 200, description = "ready", body = Probe),
        (status = 503, description = "the gateway is starting or draining, or writes to the database fail"),
    ),
)]
pub(crate) async fn readyz(state: Data<State>) -> Result<HttpResponse, Problem> {
    match state.lifecycle.phase() {
        Phase::Ready => match state.write_failure() {
            None => json(StatusCode::OK, &Probe { status: "ready" }),
            Some(cause) => Err(Problem::unavailable(WRITES_FAIL).caused_by(cause)),
        },
        Phase::Starting => Err(Problem::unavailable("starting; not ready for traffic yet")),
        Phase::Draining => Err(Problem::unavailable("draining; send new traffic elsewhere")),
    }
}

/// GET `/metrics`; requires the token if one is configured.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "probes",
    operation_id = "metrics",
    summary = "Metrics in Prometheus' text format",
    responses(
        (
            status = 200,
            description = "all metrics",
            body = String,
            content_type = "text/plain; version=0.0.4; charset=utf-8"
        ),
        (status = 401, description = "METRICS_TOKEN is missing or wrong"),
    ),
)]
pub(super) async fn metrics(req: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    state.access.admits_to_metrics(req.headers())?;
    let response =
        |text: Bytes| HttpResponse::Ok().insert_header((CONTENT_TYPE, telemetry::CONTENT_TYPE)).body(text);
    if let Some(text) = state.scrapes.last() {
        return Ok(response(text));
    }
    state.limiter.refresh_metrics();
    let models = state.models.clone();
    // Reading a folder must not block a worker's thread. If it takes too long, the previous values stay.
    let _ = tokio::time::timeout(FOLDER_LIMIT, web::block(move || models.refresh_metrics())).await;
    let text = telemetry::render(&state.http, &state.registry).map_err(Problem::internal)?;
    let text = Bytes::from(text);
    state.scrapes.keep(text.clone());
    Ok(response(text))
}
