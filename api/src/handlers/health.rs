//! Probes and metrics.

use super::json;
use crate::{
    limit::RedisState,
    problem::Problem,
    server::State,
    telemetry::{self, Phase},
};
use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
    web::Data,
};
use serde_json::json;
use std::time::Duration;

/// Longest `/health` waits for the database.
const DATABASE_LIMIT: Duration = Duration::from_secs(1);

/// GET `/health`: 200 while data can be served, `degraded` without Redis; 503 otherwise.
pub(super) async fn health(state: Data<State>) -> Result<HttpResponse, Problem> {
    let redis_state = state.limiter.redis_state();
    let redis = match redis_state {
        RedisState::NotConfigured => "not configured",
        RedisState::Up => "ok",
        RedisState::Away => "unavailable",
    };
    let trouble = match tokio::time::timeout(DATABASE_LIMIT, state.store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("no answer from the database within a second".to_owned()),
    };
    if let Some(cause) = trouble {
        return Err(Problem::unavailable("the database cannot serve")
            .with("components", json!({"database": "unavailable", "redis": redis}))
            .caused_by(cause));
    }
    let status = if redis_state == RedisState::Away { "degraded" } else { "ok" };
    json(StatusCode::OK, &json!({"status": status, "components": {"database": "ok", "redis": redis}}))
}

/// GET `/livez`: the process answers. Looks at no dependency, so an outage elsewhere restarts nothing.
pub(crate) async fn livez() -> Result<HttpResponse, Problem> {
    json(StatusCode::OK, &json!({"status": "alive"}))
}

/// GET `/readyz`: whether to send traffic here.
pub(crate) async fn readyz(state: Data<State>) -> Result<HttpResponse, Problem> {
    match state.lifecycle.phase() {
        Phase::Ready => json(StatusCode::OK, &json!({"status": "ready"})),
        Phase::Starting => Err(Problem::unavailable("starting; not ready for traffic yet")),
        Phase::Draining => Err(Problem::unavailable("draining; send new traffic elsewhere")),
    }
}

/// GET `/metrics`.
pub(super) async fn metrics(state: Data<State>) -> Result<HttpResponse, Problem> {
    state.limiter.refresh_metrics();
    let text = telemetry::render(&state.http, &state.registry).map_err(Problem::internal)?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, telemetry::CONTENT_TYPE)).body(text))
}
