use crate::{problem::Problem, state::State, telemetry};
use actix_web::{HttpResponse, http::header::CONTENT_TYPE, web::Data};

/// GET `/metrics`: the custom metrics, which the public `/metrics` does not have.
pub(super) async fn custom(state: Data<State>) -> Result<HttpResponse, Problem> {
    let text = telemetry::render_custom(&state.custom).map_err(Problem::internal)?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, telemetry::CONTENT_TYPE)).body(text))
}
