//! How a resource is read.

use actix_web::{Route, guard, web};

/// A path that is read: what answers GET answers HEAD (RFC 9110, 9.3.2); the server leaves the body out.
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
