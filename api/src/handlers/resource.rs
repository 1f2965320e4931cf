//! Routes with their methods, and JSON responses.

use crate::{
    problem::{Kind, Problem},
    routes::Endpoint,
};
use actix_web::{
    Handler, HttpRequest, HttpResponse, Resource, Responder, Route,
    http::{
        Method, StatusCode,
        header::{ALLOW, CONTENT_TYPE, HeaderValue},
    },
    web,
};

/// A resource that handles OPTIONS, and responds 405 to methods it does not support.
pub(crate) fn resource(endpoint: &'static Endpoint) -> Resource {
    let allow = HeaderValue::from_static(endpoint.allow);
    web::resource(endpoint.path).default_service(web::to(move |req: HttpRequest| {
        let allow = allow.clone();
        async move {
            if req.method() == Method::OPTIONS {
                return Ok(HttpResponse::NoContent().insert_header((ALLOW, allow)).finish());
            }
            let detail = format!("this route accepts {}", endpoint.allow);
            Err(Problem::new(Kind::MethodNotAllowed, detail).header(ALLOW, allow))
        }
    }))
}

/// A read-only resource.
pub(crate) fn read<F, Args>(endpoint: &'static Endpoint, handler: F) -> Resource
where
    F: Handler<Args> + Copy,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource(endpoint).route(on("GET", handler)).route(on("HEAD", handler))
}

pub(crate) fn on<F, Args>(method: &'static str, handler: F) -> Route
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let method = Method::from_bytes(method.as_bytes()).expect("the method is a valid constant");
    web::method(method).to(handler)
}

/// A JSON response.
pub(crate) fn json(status: StatusCode, body: &impl serde::Serialize) -> Result<HttpResponse, Problem> {
    let mut bytes = Vec::with_capacity(512);
    serde_json::to_writer(&mut bytes, body).map_err(Problem::internal)?;
    let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(HttpResponse::build(status).insert_header(json).body(bytes))
}
