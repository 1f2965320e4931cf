//! Assembles the gateway: prepares everything that can fail, then serves until the shutdown.

use crate::{
    access::Token,
    admin::Admin,
    config::Config,
    error::StartError,
    handlers,
    listen::{self, Admission, Tls},
    middleware::{
        body_limits::BodyLimits, body_memory::BodyMemory, cors, fault::FaultLayer, gate, limit, observe,
        unread::unread,
    },
    openapi,
    reload::Reloader,
    state::State,
    telemetry::{Phase, Spans},
};
use actix_web::{
    App,
    dev::Server,
    middleware::{Condition, from_fn},
    web::Data,
};
use std::{future::Future, net::TcpListener, pin::pin};

/// The sockets a gateway serves on, bound by the caller.
pub struct Listeners {
    /// The API.
    pub public: TcpListener,
    /// Custom metrics, faults, drain.
    pub admin: TcpListener,
}

/// A gateway that is ready to serve.
pub struct Gateway {
    state: Data<State>,
    config: Config,
    token: Token,
    tls: Option<Tls>,
}

impl Gateway {
    /// Prepares the state that all workers share, and what the listeners need.
    ///
    /// # Errors
    /// [`StartError`] naming the unusable input.
    pub async fn prepare(config: &Config) -> Result<Self, StartError> {
        let token = Token::new(config.admin.token()?);
        let tls = listen::tls(&config.tls)?;
        let state = Data::new(State::prepare(config).await?);
        Ok(Self { state, config: config.clone(), token, tls })
    }

    /// Reloads rate limits, API keys and the certificate while this serves.
    pub fn reloader(&self) -> Reloader {
        Reloader {
            state: self.state.clone(),
            limits: self.config.limits.file().cloned(),
            certificate: self.tls.as_ref().map(|tls| tls.certificate.clone()),
        }
    }

    /// Serves on `listeners` until `shutdown` resolves, then drains: `/readyz` responds 503 on both for the drain
    /// delay; then the public listener closes and its requests in flight finish within the shutdown timeout; then the
    /// admin listener closes, and Redis and the database last.
    ///
    /// # Errors
    /// [`StartError::Server`] when a listener cannot be used or a server ends unexpectedly.
    pub async fn serve(
        self,
        listeners: Listeners,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), StartError> {
        let server = server(&self.state, &self.config, self.tls, listeners.public)?;
        let handle = server.handle();
        let mut admin = Admin::start(self.state.clone(), self.token, listeners.admin).await?;
        let (limits, faults) = (self.state.limiter.clone().maintain(), self.state.faults.clone().upkeep());
        let upkeep = tokio::spawn(async move { tokio::join!(limits, faults) });
        self.state.lifecycle.enter(Phase::Ready);

        let mut server = pin!(server);
        let outcome = tokio::select! {
            ended = &mut server => {
                ended.and_then(|()| Err(std::io::Error::other("the server ended unexpectedly")))
            }
            error = admin.ended() => {
                tokio::join!(handle.stop(false), server).1.and(Err(error))
            }
            () = shutdown => {
                self.state.lifecycle.enter(Phase::Draining);
                // Requests that wait for a paused pipeline would delay the drain.
                self.state.pipeline.pause(false);
                tracing::info!(delay = ?self.config.server.drain_delay, "draining");
                let drained = async {
                    tokio::time::sleep(self.config.server.drain_delay).await;
                    handle.stop(true).await;
                };
                // The server must be polled while it stops, or nothing would act on the stop.
                tokio::join!(drained, server).1
            }
        };
        tracing::debug!("public listener closed");
        // A worker that a fault delays must be able to finish its requests.
        self.state.faults.lift_all();
        admin.stop().await;
        upkeep.abort();
        self.state.models.close();
        self.state.orders.close();
        self.state.pipeline.close().await;
        self.state.store.close().await;
        if self.state.spans.is_some() {
            let state = self.state.clone();
            // The exporter's own limits bound this; spans that are not sent by then are lost.
            let flushed = tokio::task::spawn_blocking(move || state.spans.as_ref().map(Spans::close));
            let _ = flushed.await;
        }
        tracing::info!("stopped");
        Ok(outcome?)
    }
}

/// Wraps an app in layers; a request passes them in the order given.
macro_rules! chain {
    ($app:expr $(,)?) => { $app };
    ($app:expr, $first:expr $(, $inner:expr)* $(,)?) => { chain!($app $(, $inner)*).wrap($first) };
}

/// The public listener. Its factory lists the layers in the order in which a request passes them.
fn server(
    state: &Data<State>,
    config: &Config,
    tls: Option<Tls>,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let (shared, unreadable) = (state.clone(), state.clone());
    let bodies = BodyLimits {
        time: config.connections.request_body_timeout,
        memory: BodyMemory::new(config.connections.body_memory),
    };
    let factory = move || {
        chain![
            App::new()
                .app_data(shared.clone())
                .app_data(Data::new(handlers::docs::Description(openapi::text)))
                .configure(handlers::register),
            // Adds its headers to every response, including refusals and errors.
            Condition::new(shared.access.origins.are_named(), from_fn(cors::layer)),
            // Ids, log line and span of every request; the problem body of every error.
            from_fn(observe::layer),
            // Counts and times the response.
            shared.http.layer(),
            // Limits the time a client takes to send the body, and the memory of all bodies.
            bodies.clone(),
            // Refuses a malformed Host, writes by pages of other sites, and endpoints that are switched off.
            from_fn(gate::layer),
            // Identifies the caller and checks its rate limits.
            from_fn(limit::layer),
            // Applies faults, which may replace the handler.
            FaultLayer(shared.faults.clone()),
        ]
    };
    let admission = Admission {
        proxies: config.access.trusted_proxies.clone(),
        closed: state.metrics.connections_closed.clone(),
    };
    let explain = move |status| unread(&unreadable, status);
    let tls = tls.map(|tls| tls.config);
    listen::serve(factory, listener, tls, &config.server, &config.connections, admission, explain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{HttpResponse, body::to_bytes, dev::Service, test, web};
    use clap::Parser;

    async fn boom() -> HttpResponse {
        panic!("bug in a handler")
    }

    #[actix_web::test]
    async fn a_panic_is_a_counted_500_without_details() {
        let config = Config::try_parse_from(["api", "--database-url", "sqlite::memory:"]).unwrap();
        let state = Gateway::prepare(&config).await.unwrap().state;
        let app = App::new()
            .app_data(state.clone())
            .wrap(from_fn(limit::layer))
            .wrap(state.http.layer())
            .wrap(from_fn(observe::layer))
            .route("/boom", web::get().to(boom));
        let app = test::init_service(app).await;
        let request =
            test::TestRequest::get().uri("/boom").insert_header(("x-request-id", "abc")).to_request();
        let response = app.call(request).await.map(|_| ()).unwrap_err().error_response();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
        assert_eq!(response.headers().get("x-request-id").unwrap(), "abc");
        let body = to_bytes(response.into_body()).await.unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(body.contains("\"request_id\":\"abc\"") && !body.contains("bug"), "{body}");

        let text = crate::telemetry::render(&state.http, &state.registry).unwrap();
        let text = String::from_utf8(text).unwrap();
        for line in [
            r#"http_requests_total{method="GET",route="unmatched",status="500"} 1"#,
            r#"api_errors_total{error_type="internal"} 1"#,
            "app_requests_total 1",
        ] {
            assert!(text.lines().any(|found| found == line), "missing {line}\n{text}");
        }
        assert_eq!(state.metrics.in_progress.with_label_values(&["GET", "unmatched"]).get(), 0);
    }

    #[actix_web::test]
    async fn an_unavailable_database_is_an_explained_503() {
        let config = Config::try_parse_from(["api", "--database-url", "sqlite::memory:"]).unwrap();
        let state = Gateway::prepare(&config).await.unwrap().state;
        let app = App::new().app_data(state.clone()).wrap(from_fn(limit::layer)).wrap(state.http.layer());
        let app = test::init_service(app.wrap(from_fn(observe::layer)).configure(handlers::register)).await;
        state.store.close().await;
        for (uri, needle) in [
            ("/health", r#""components":{"database":"unavailable","redis":"not configured"}"#),
            ("/api/users", "try again shortly"),
        ] {
            let response = app.call(test::TestRequest::get().uri(uri).to_request()).await.unwrap();
            assert_eq!(response.status(), 503, "{uri}");
            let body = to_bytes(response.into_body()).await.unwrap();
            let body = std::str::from_utf8(&body).unwrap();
            assert!(body.contains(needle), "{uri}: {body}");
        }
        let live = app.call(test::TestRequest::get().uri("/livez").to_request()).await.unwrap();
        assert_eq!(live.status(), 200, "liveness depends on nothing else");
        let starting = app.call(test::TestRequest::get().uri("/readyz").to_request()).await.unwrap();
        assert_eq!(starting.status(), 503, "not serving yet");
    }
}
