//! The floor: actix-web with one handler and nothing else, run by the executable of the bench in a separate process.

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use std::{io::Read, net::SocketAddr};

/// Serves the body read from standard input until it is stopped.
pub fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).context("reading the response body")?;
    let body = web::Bytes::from(body);
    actix_web::rt::System::new().block_on(async move {
        let app = move || {
            let body = body.clone();
            let user = move || {
                let body = body.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(body) }
            };
            App::new().route("/api/users/{id}", web::get().to(user))
        };
        HttpServer::new(app).workers(1).bind(address)?.run().await
    })?;
    Ok(())
}
