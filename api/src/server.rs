//! The gateway put together: prepare everything that can fail, then serve until told to stop.

use crate::{
    access::Token,
    admin::Admin,
    config::Config,
    error::StartError,
    handlers,
    limit::Reloader,
    listen,
    middleware::{body_timeout::BodyTimeout, cors, fault::FaultLayer, limit, observe, unread::unread},
    openapi,
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

/// The sockets a gateway serves on, bound by its caller.
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
    tls: Option<rustls::ServerConfig>,
}

impl Gateway {
    /// Prepares what every worker shares, and what the listeners ask for.
    ///
    /// # Errors
    /// [`StartError`] naming the input that cannot be used.
    pub async fn prepare(config: &Config) -> Result<Self, StartError> {
        let token = Token::new(config.admin.token()?);
        let tls = listen::tls(&config.tls)?;
        let state = Data::new(State::prepare(config).await?);
        Ok(Self { state, config: config.clone(), token, tls })
    }

    /// What reads the rate limits again while this serves.
    pub fn reloader(&self) -> Reloader {
        let state = self.state.clone();
        let plan_missing = move |policies: &_| state.access.plan_missing(policies).map(str::to_owned);
        Reloader::new(self.state.limiter.clone(), plan_missing, self.config.limits.file().cloned())
    }

    /// Serves on `listeners` until `shutdown` resolves, then drains: `/readyz` says 503 on both for the drain delay;
    /// then the public one closes and its requests in flight finish within the shutdown timeout; then the admin one
    /// closes, and Redis and the database last.
    ///
    /// # Errors
    /// [`StartError::Server`] when a listener cannot be used or a server ends by itself.
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
                ended.and_then(|()| Err(std::io::Error::other("the server ended by itself")))
            }
            error = admin.ended() => {
                tokio::join!(handle.stop(false), server).1.and(Err(error))
            }
            () = shutdown => {
                self.state.lifecycle.enter(Phase::Draining);
                // Whoever waits for a paused pipeline would only hold the drain up.
                self.state.pipeline.pause(false);
                tracing::info!(delay = ?self.config.server.drain_delay, "draining");
                let drained = async {
                    tokio::time::sleep(self.config.server.drain_delay).await;
                    handle.stop(true).await;
                };
                // The server is polled to its end meanwhile, or nothing would act on the stop.
                tokio::join!(drained, server).1
            }
        };
        tracing::debug!("the public listener has closed");
        // A worker that a fault holds back must be able to finish what it has.
        self.state.faults.lift_all();
        admin.stop().await;
        upkeep.abort();
        self.state.models.close();
        self.state.pipeline.close().await;
        self.state.store.close().await;
        if self.state.spans.is_some() {
            let state = self.state.clone();
            // Bounded by the exporter's own limits; what cannot be sent by then is lost.
            let flushed = tokio::task::spawn_blocking(move || state.spans.as_ref().map(Spans::close));
            let _ = flushed.await;
        }
        tracing::info!("stopped");
        Ok(outcome?)
    }
}

/// Wraps an app in layers; the first one named is the first that a request meets.
macro_rules! chain {
    ($app:expr $(,)?) => { $app };
    ($app:expr, $first:expr $(, $inner:expr)* $(,)?) => { chain!($app $(, $inner)*).wrap($first) };
}

/// The public listener. Its factory shows what a request meets, from top to bottom.
fn server(
    state: &Data<State>,
    config: &Config,
    tls: Option<rustls::ServerConfig>,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let (shared, unreadable) = (state.clone(), state.clone());
    let body_timeout = config.connections.request_body_timeout;
    let factory = move || {
        chain![
            App::new()
                .app_data(shared.clone())
                .app_data(Data::new(handlers::docs::Description(openapi::text)))
                .configure(handlers::register),
            // Adds its headers to every answer, refusals and errors included.
            Condition::new(shared.access.origins.are_named(), from_fn(cors::layer)),
            // Ids, log line, span; the problem body of every error.
            from_fn(observe::layer),
            // Counts the answer and its duration.
            shared.http.layer(),
            // Gives the client a limited time to send the body.
            BodyTimeout(body_timeout),
            // Who is calling, and whether the rate limits let it pass.
            from_fn(limit::layer),
            // What the fault plane does to the request in place of its handler.
            FaultLayer(shared.faults.clone()),
        ]
    };
    let explain = move |status| unread(&unreadable, status);
    listen::serve(factory, listener, tls, &config.server, &config.connections, explain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{HttpResponse, body::to_bytes, dev::Service, test, web};
    use clap::Parser;

    async fn boom() -> HttpResponse {
        panic!("a handler's bug, on purpose")
    }

    #[actix_web::test]
    async fn a_panic_is_a_counted_500_that_tells_nothing() {
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
    async fn a_database_that_is_away_is_503_and_explained() {
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
        assert_eq!(live.status(), 200, "liveness looks at no dependency");
        let starting = app.call(test::TestRequest::get().uri("/readyz").to_request()).await.unwrap();
        assert_eq!(starting.status(), 503, "not serving yet");
    }
}
