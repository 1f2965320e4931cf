use crate::{
    handlers::resource::json,
    problem::{Kind, Problem},
    state::State,
};
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde_json::json;

/// POST `/drain`: `/readyz` responds 503 on both listeners from now on, so that load balancers send their traffic
/// elsewhere. The gateway goes on serving.
pub(super) async fn start(state: Data<State>) -> Result<HttpResponse, Problem> {
    state.lifecycle.request_drain(true);
    tracing::info!("draining, requested on the admin listener");
    json(StatusCode::OK, &json!({"status": "draining"}))
}

/// DELETE `/drain`: ends the drain; 409 once the process is stopping.
pub(super) async fn end(state: Data<State>) -> Result<HttpResponse, Problem> {
    if state.lifecycle.is_stopping() {
        return Err(Problem::new(Kind::Conflict, "the gateway is stopping; this drain cannot be ended"));
    }
    state.lifecycle.request_drain(false);
    tracing::info!("drain ended");
    Ok(HttpResponse::NoContent().finish())
}
