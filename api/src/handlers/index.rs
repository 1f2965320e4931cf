use super::json;
use crate::{problem::Problem, routes};
use actix_web::{HttpResponse, http::StatusCode};

/// GET `/`: what this is and where to go from here.
pub(super) async fn index() -> Result<HttpResponse, Problem> {
    let links: serde_json::Map<String, serde_json::Value> = routes::ALL
        .iter()
        .filter(|endpoint| endpoint.path != routes::INDEX.path)
        .map(|endpoint| (endpoint.path.to_owned(), endpoint.methods.into()))
        .collect();
    let body = serde_json::json!({
        "name": "firedrill api",
        "version": env!("CARGO_PKG_VERSION"),
        "links": links,
    });
    json(StatusCode::OK, &body)
}
