use super::resource::json;
use crate::{problem::Problem, routes};
use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The gateway and its endpoints.
#[derive(Serialize, ToSchema)]
pub(super) struct Index {
    name: &'static str,
    version: &'static str,
    /// Every path with its methods.
    links: BTreeMap<&'static str, &'static [&'static str]>,
}

/// GET `/`: the gateway and its endpoints.
#[utoipa::path(
    get,
    path = "/",
    tag = "start",
    operation_id = "index",
    summary = "Name and version of the gateway, and every path with its methods",
    responses((status = 200, description = "the index", body = Index)),
)]
pub(super) async fn index() -> Result<HttpResponse, Problem> {
    let links = routes::ALL
        .iter()
        .filter(|endpoint| endpoint.path != routes::INDEX.path)
        .map(|endpoint| (endpoint.path, endpoint.methods))
        .collect();
    json(StatusCode::OK, &Index { name: "firedrill api", version: env!("CARGO_PKG_VERSION"), links })
}
