//! The description of this API, as JSON and as a page.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue},
    web::{Bytes, Data},
};

/// The text of `openapi.json`, created at the first request.
pub(crate) struct Description(pub fn() -> &'static str);

/// One file that makes no outside request: it reads `openapi.json` from the gateway.
const PAGE: &str = include_str!("docs.html");
/// The page loads nothing from other sites, and no other site may frame it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// GET `/openapi.json`.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "start",
    operation_id = "openapi",
    summary = "OpenAPI 3.1 description of this API",
    responses((status = 200, description = "the OpenAPI document", body = serde_json::Map<String, serde_json::Value>)),
)]
pub(super) async fn openapi(description: Data<Description>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, REVALIDATE))
        .body(Bytes::from_static((description.0)().as_bytes()))
}

/// GET `/docs`: a browser for the description.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "start",
    operation_id = "docs",
    summary = "Page to browse the API description; works offline",
    responses((status = 200, description = "the page", body = String, content_type = "text/html; charset=utf-8")),
)]
pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, REVALIDATE))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(Bytes::from_static(PAGE.as_bytes()))
}
