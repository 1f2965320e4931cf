//! The page that shows the notifications as their readers would have seen them. It loads nothing from other hosts.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::web::ServiceConfig;

use crate::http::resource::get;

/// Only scripts and styles of the inbox are allowed, as notifications contain foreign text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn configure(config: &mut ServiceConfig) {
    let files = [
        ("/", "text/html; charset=utf-8", include_str!("page/page.html")),
        ("/page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
        ("/text.js", "text/javascript; charset=utf-8", include_str!("page/text.js")),
        ("/message.js", "text/javascript; charset=utf-8", include_str!("page/message.js")),
        ("/status", "text/html; charset=utf-8", include_str!("page/status.html")),
        ("/status.js", "text/javascript; charset=utf-8", include_str!("page/status.js")),
        ("/page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ];
    for (path, kind, text) in files {
        config.route(path, get().to(move || async move { file(kind, text) }));
    }
}

fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("cache-control", "no-cache"))
        .body(text)
}
