//! The gateway put together: prepare everything that can fail, then serve until told to stop.

use crate::{
    Config, StartError,
    access::{self, Access, Token},
    admin::Admin,
    config::SettingError,
    fault::{Bounds, Layer as FaultLayer, Plane, Switch, Switches},
    handlers, limit,
    limit::{Limiter, PolicySet, RedisJudge, RedisSettings, Reloader},
    listen,
    models::{self, Models},
    observe,
    pipeline::Pipeline,
    problem::Kind,
    routes,
    store::Store,
    telemetry::{HttpMetrics, Lifecycle, Metrics, Phase, Spans},
};
use actix_web::{
    App,
    dev::Server,
    middleware::{Condition, from_fn},
    web::Data,
};
use prometheus::{IntGaugeVec, Opts, Registry};
use std::{future::Future, net::TcpListener, pin::pin, sync::Arc};

/// What every worker shares.
pub(crate) struct State {
    pub access: Access,
    pub store: Store,
    pub limiter: Arc<Limiter>,
    pub models: Arc<Models>,
    pub metrics: Metrics,
    pub http: HttpMetrics,
    /// What the public `/metrics` shows besides the metrics of requests.
    pub registry: Registry,
    /// What the admin `/metrics` shows: business and pipeline. No series is in both.
    pub custom: Registry,
    pub pipeline: Pipeline,
    pub faults: Arc<Plane>,
    pub lifecycle: Lifecycle,
    /// The way to the trace collector; `None` when none is configured.
    pub spans: Option<Spans>,
}

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
    /// Opens the database, reads the policies, declares the metrics, loads the models and tries Redis once. A Redis that is away is
    /// no error: limits are counted locally until it is there.
    ///
    /// # Errors
    /// [`StartError`] naming the input that cannot be used.
    pub async fn prepare(config: &Config) -> Result<Self, StartError> {
        let token = Token::new(config.admin.token()?);
        let policies = PolicySet::load(config.limits.file().map(|path| path.as_path()))?;
        let access = Access::prepare(&config.access, &policies)?;
        let tls = listen::tls(&config.tls)?;
        let registry = Registry::new();
        let custom = Registry::new();
        let metrics = declare(&registry).map_err(|error| StartError::Metrics(error.to_string()))?;
        metrics.memory_alert.set(i64::try_from(config.faults.memory_alert_bytes).unwrap_or(i64::MAX));
        let http = HttpMetrics::new().map_err(|error| StartError::Metrics(error.to_string()))?;
        let redis = redis_judge(config, &metrics)?;
        let spans = Spans::start(&config.traces)?;
        let models = Models::open(&config.models, &registry)?;
        let store = Store::open_keeping(
            &config.storage.database_url,
            config.storage.write_queue,
            config.storage.readings_retention.0,
        )
        .await?;
        let pipeline = Pipeline::start(&store, config.storage.ingest_queue, &custom)
            .map_err(|error| StartError::Metrics(error.to_string()))?;
        models.load_all().await;
        if let Some(redis) = &redis
            && !redis.connect().await
        {
            tracing::warn!("REDIS_URL does not answer; limits are counted locally until it does");
        }
        // Parts that faults can act on plug their switches in here.
        let (paused, switched) = (pipeline.clone(), models.clone());
        let models_switch: Switch<_> = Box::new(move |faults| switched.set_faults(faults));
        let switches = Switches {
            ingest: Some(Box::new(move |pause| paused.pause(pause))),
            models: models::AVAILABLE.then_some(models_switch),
        };
        let faults = faults(config, switches, &metrics, &custom)
            .map_err(|error| StartError::Metrics(error.to_string()))?;
        let limiter = Arc::new(Limiter::new(policies, redis, config.limits.rate_limit_keys, metrics.clone()));
        let lifecycle = Lifecycle::default();
        let state = Data::new(State {
            access,
            store,
            limiter,
            models,
            metrics,
            http,
            registry,
            custom,
            pipeline,
            faults,
            lifecycle,
            spans,
        });
        Ok(Self { state, config: config.clone(), token, tls })
    }

    /// What reads the rate limits again while this serves.
    pub fn reloader(&self) -> Reloader {
        Reloader::new(self.state.clone(), self.config.limits.file().cloned())
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

fn server(
    state: &Data<State>,
    config: &Config,
    tls: Option<rustls::ServerConfig>,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let (shared, http) = (state.clone(), state.http.clone());
    let cors = state.access.origins.are_named();
    let body_timeout = config.connections.request_body_timeout;
    // From the outside in: CORS, observe, count, watch the body's time, ask who it is and limit, fault, handle.
    let factory = move || {
        App::new()
            .app_data(shared.clone())
            .wrap(FaultLayer(shared.faults.clone()))
            .wrap(from_fn(limit::layer))
            .wrap(listen::BodyClock(body_timeout))
            .wrap(http.layer())
            .wrap(from_fn(observe::layer))
            .wrap(Condition::new(cors, from_fn(access::cors_layer)))
            .configure(handlers::register)
    };
    listen::serve(factory, listener, tls, config, state)
}

fn declare(registry: &Registry) -> prometheus::Result<Metrics> {
    let metrics = Metrics::register(registry)?;
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    let revision = option_env!("GIT_REVISION").unwrap_or("unknown");
    metrics.build_info.with_label_values(&[env!("CARGO_PKG_VERSION"), revision]).set(1);
    for label in Kind::LABELS {
        metrics.errors.with_label_values(&[label]);
    }
    for endpoint in routes::ALL {
        for method in endpoint.methods {
            metrics.in_progress.with_label_values(&[method, endpoint.path]);
        }
    }
    Ok(metrics)
}

fn faults(
    config: &Config,
    switches: Switches,
    metrics: &Metrics,
    custom: &Registry,
) -> prometheus::Result<Arc<Plane>> {
    let active = IntGaugeVec::new(Opts::new("faults_active", "Faults in force, by kind."), &["kind"])?;
    custom.register(Box::new(active.clone()))?;
    let bounds = Bounds {
        ttl: config.faults.fault_max_ttl,
        memory: config.faults.fault_max_memory,
        ingest: switches.ingest.is_some(),
        models: switches.models.is_some(),
    };
    Ok(Arc::new(Plane::new(bounds, switches, metrics.faults_injected.clone(), active)))
}

fn redis_judge(config: &Config, metrics: &Metrics) -> Result<Option<Arc<RedisJudge>>, SettingError> {
    let Some(url) = config.limits.redis() else { return Ok(None) };
    let settings = RedisSettings {
        url: url.to_owned(),
        deadline: config.limits.redis_deadline,
        prefix: config.limits.redis_key_prefix.clone(),
    };
    let judge = RedisJudge::new(settings, metrics.clone()).map_err(|error| SettingError {
        variable: "REDIS_URL",
        // The URL may hold a password.
        value: "…".to_owned(),
        reason: format!("is not a Redis URL ({error})"),
        remedy: "write redis://127.0.0.1:6379, redis+sentinel://HOST:26379,HOST:26379/SERVICE or redis+cluster://HOST:6379,HOST:6379",
    })?;
    Ok(Some(judge))
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
