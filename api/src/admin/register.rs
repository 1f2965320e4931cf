use super::{drain, faults, metrics, routes};
use crate::{
    handlers::{
        health,
        resource::{on, read, resource},
    },
    problem::{Kind, Problem},
};
use actix_web::{HttpResponse, web};

/// Longest body accepted, in bytes; a fault has a few hundred.
const BODY_LIMIT: usize = 16 * 1024;

/// Registers every route.
pub(super) fn register(config: &mut web::ServiceConfig) {
    let fault = resource(&routes::FAULT)
        .route(on("GET", faults::get))
        .route(on("HEAD", faults::get))
        .route(on("PUT", faults::put))
        .route(on("DELETE", faults::lift));
    let drain = resource(&routes::DRAIN).route(on("POST", drain::start)).route(on("DELETE", drain::end));
    config
        .app_data(web::PayloadConfig::new(BODY_LIMIT))
        .service(read(&routes::LIVEZ, health::livez))
        .service(read(&routes::READYZ, health::readyz))
        .service(read(&routes::METRICS, metrics::custom))
        .service(read(&routes::FAULTS, faults::list))
        .service(fault)
        .service(drain)
        .default_service(web::to(not_found));
}

async fn not_found() -> Result<HttpResponse, Problem> {
    let paths: Vec<&str> = routes::ALL.iter().map(|endpoint| endpoint.path).collect();
    Err(Problem::new(Kind::NotFound, format!("no such path; the admin listener serves {}", paths.join(", "))))
}
