use crate::{
    handlers::resource::json,
    problem::{Kind, Problem},
    state::State,
};
use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde_json::json;

/// POST `/drain`: from now on `/readyz` says 503 on both listeners, so that a load balancer sends its traffic
/// elsewhere; serving goes on.
pub(super) async fn start(state: Data<State>) -> Result<HttpResponse, Problem> {
    state.lifecycle.ask_drain(true);
    tracing::info!("draining, as asked for on the admin listener");
    json(StatusCode::OK, &json!({"status": "draining"}))
}

/// DELETE `/drain`: takes the drain back; 409 once the process is stopping.
pub(super) async fn end(state: Data<State>) -> Result<HttpResponse, Problem> {
    if state.lifecycle.is_stopping() {
        return Err(Problem::new(Kind::Conflict, "the gateway is stopping; this drain cannot be taken back"));
    }
    state.lifecycle.ask_drain(false);
    tracing::info!("the drain was taken back");
    Ok(HttpResponse::NoContent().finish())
}
