//! Routes of readable resources.

use actix_web::{Route, guard, web};

/// A route for GET and HEAD (RFC 9110, 9.3.2). The server omits the body for HEAD.
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
