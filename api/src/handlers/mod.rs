//! Handlers, and the registration of each route with its methods.
//!
//! Each handler has its own description (`#[utoipa::path]`): summary, parameters, bodies and the statuses specific to
//! it. [`crate::openapi`] adds what is common to all of them.

mod description;
pub(crate) mod docs;
mod faults;
mod gauges;
pub(crate) mod health;
mod index;
mod inference;
mod ingest;
pub(crate) mod input;
mod models;
mod once;
mod orders;
mod readings;
pub(crate) mod resource;
mod users;

pub(crate) use description::Described;

use crate::{
    problem::{Kind, Problem},
    routes,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header::ALLOW},
    web,
};
use resource::{on, read, resource};

/// Longest body accepted, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// Longest body of readings, in bytes: a full batch in the most verbose encoding that libraries use.
const INGEST_BODY_LIMIT: usize = 512 * 1024;

/// Registers every route.
pub(crate) fn register(config: &mut web::ServiceConfig) {
    let users = resource(&routes::USERS)
        .route(on("GET", users::list))
        .route(on("HEAD", users::list))
        .route(on("POST", users::create));
    let user = resource(&routes::USER)
        .route(on("GET", users::get))
        .route(on("HEAD", users::get))
        .route(on("PUT", users::update))
        .route(on("PATCH", users::update))
        .route(on("DELETE", users::delete));
    let order = resource(&routes::ORDER)
        .route(on("GET", orders::get))
        .route(on("HEAD", orders::get))
        .route(on("PATCH", orders::change));
    let loaded = resource(&routes::MODEL)
        .route(on("GET", models::get))
        .route(on("HEAD", models::get))
        .route(on("PUT", models::load))
        .route(on("DELETE", models::unload));
    let inference = resource(&routes::INFERENCE)
        .app_data(web::PayloadConfig::new(inference::BODY_LIMIT))
        .route(on("POST", inference::infer));
    config
        .app_data(web::PayloadConfig::new(BODY_LIMIT))
        .service(read(&routes::INDEX, index::index))
        .service(read(&routes::HEALTH, health::health))
        .service(read(&routes::LIVEZ, health::livez))
        .service(read(&routes::READYZ, health::readyz))
        .service(read(&routes::METRICS, health::metrics))
        .service(users)
        .service(user)
        .service(resource(&routes::ORDERS).route(on("POST", orders::place)))
        .service(order)
        .service(
            resource(&routes::INGEST)
                .app_data(web::PayloadConfig::new(INGEST_BODY_LIMIT))
                .route(on("POST", ingest::ingest)),
        )
        .service(read(&routes::READINGS, readings::list))
        .service(read(&routes::SLOW, faults::slow))
        .service(read(&routes::API_SLOW, faults::slow))
        .service(read(&routes::ERROR, faults::error))
        .service(read(&routes::API_ERROR, faults::error))
        .service(read(&routes::UPDATE, gauges::active_users))
        .service(read(&routes::CPU, gauges::cpu_usage))
        .service(read(&routes::OPENAPI, docs::openapi))
        .service(read(&routes::DOCS, docs::page))
        .service(read(&routes::MODELS, models::list))
        .service(loaded)
        .service(inference)
        .default_service(web::to(not_found));
}

/// Handles paths that match no route. `OPTIONS *` is about the server as a whole (RFC 9110, 9.3.7).
async fn not_found(req: HttpRequest) -> Result<HttpResponse, Problem> {
    if req.method() == Method::OPTIONS && req.path() == "*" {
        let allow = (ALLOW, routes::KNOWN_METHODS.join(", "));
        return Ok(HttpResponse::NoContent().insert_header(allow).finish());
    }
    Err(Problem::new(Kind::NotFound, "no such path; GET / lists the endpoints"))
}
