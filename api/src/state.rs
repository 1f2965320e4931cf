//! The state that all workers share, and its setup.

use crate::{
    access::Access,
    config::{Config, SettingError},
    error::StartError,
    fault::{Bounds, Plane, Switch, Switches},
    fresh::Fresh,
    limit::{Limiter, PolicySet, RedisBackend, RedisSettings},
    models::{self, Models},
    orders::Orders,
    pipeline::Pipeline,
    problem::Kind,
    store::Store,
    telemetry::{HttpMetrics, Lifecycle, Metrics, Spans},
};
use actix_web::web::Bytes;
use prometheus::{IntGaugeVec, Opts, Registry};
use std::sync::Arc;

/// Maximum number of database pings, and of renderings of `/metrics`, per second.
const MAX_PROBES: u32 = 200;
/// Maximum number of counts of all users per second.
const MAX_COUNTS: u32 = 5;

/// The state that all workers share.
pub(crate) struct State {
    pub access: Access,
    pub store: Store,
    pub limiter: Arc<Limiter>,
    pub models: Arc<Models>,
    pub metrics: Metrics,
    pub http: HttpMetrics,
    /// Metrics of the public `/metrics` other than those of requests.
    pub registry: Registry,
    /// Metrics of the admin `/metrics`: business and pipeline. No series is in both.
    pub custom: Registry,
    pub pipeline: Pipeline,
    pub orders: Orders,
    /// Numbers of users: counting them reads all of their index.
    pub user_counts: Fresh<i64>,
    pub faults: Arc<Plane>,
    pub lifecycle: Lifecycle,
    /// Whether the endpoints that trigger alerts are served.
    pub test_endpoints: bool,
    /// The results of database pings, limited in rate: `/health` is open to everyone, and a ping takes most of a
    /// millisecond.
    pub pings: Fresh<Option<String>>,
    /// Rendered `/metrics`, limited in rate for the same reason.
    pub scrapes: Fresh<Bytes>,
    /// The pipeline to the trace collector; `None` when none is configured.
    pub spans: Option<Spans>,
}

impl State {
    /// Opens the database, reads the policies, declares the metrics, loads the models and connects to Redis once. An
    /// unreachable Redis is not an error: limits are counted locally until it is reachable.
    ///
    /// # Errors
    /// [`StartError`] naming the unusable input.
    pub async fn prepare(config: &Config) -> Result<Self, StartError> {
        let policies = PolicySet::load(config.limits.file().map(|path| path.as_path()))?;
        let access = Access::prepare(config.access.settings()?, &policies)?;
        let registry = Registry::new();
        let custom = Registry::new();
        let metrics = declare(&registry).map_err(|error| StartError::Metrics(error.to_string()))?;
        metrics.memory_alert.set(i64::try_from(config.faults.memory_alert_bytes).unwrap_or(i64::MAX));
        let http = HttpMetrics::new().map_err(|error| StartError::Metrics(error.to_string()))?;
        let redis = redis_backend(config, &metrics)?;
        let spans = Spans::start(&config.traces)?;
        let models = Models::open(config.models.settings()?, &registry)?;
        let store = Store::open_keeping(
            &config.storage.database_url,
            config.storage.write_queue,
            config.storage.readings_retention.0,
        )
        .await?;
        let pipeline = Pipeline::start(&store, config.storage.ingest_queue, &custom)
            .map_err(|error| StartError::Metrics(error.to_string()))?;
        let orders =
            Orders::start(&store, &custom).map_err(|error| StartError::Metrics(error.to_string()))?;
        models.load_all().await;
        if let Some(redis) = &redis
            && !redis.connect().await
        {
            tracing::warn!("Redis is unreachable, counting rate limits locally until it recovers");
        }
        // Parts that faults can act on register their switches here.
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
        Ok(Self {
            access,
            store,
            limiter,
            models,
            metrics,
            http,
            registry,
            custom,
            pipeline,
            orders,
            user_counts: Fresh::at_most(MAX_COUNTS),
            faults,
            lifecycle,
            test_endpoints: config.faults.test_endpoints,
            pings: Fresh::at_most(MAX_PROBES),
            scrapes: Fresh::at_most(MAX_PROBES),
            spans,
        })
    }
}

impl State {
    /// Why writes to the database fail now; `None` when the last ones of each kind were committed.
    pub(crate) fn write_failure(&self) -> Option<String> {
        self.store.write_failure().or_else(|| self.pipeline.write_failure()).map(|error| error.to_string())
    }
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
    Ok(metrics)
}

fn faults(
    config: &Config,
    switches: Switches,
    metrics: &Metrics,
    custom: &Registry,
) -> prometheus::Result<Arc<Plane>> {
    let active = IntGaugeVec::new(Opts::new("faults_active", "Active injected faults by kind."), &["kind"])?;
    custom.register(Box::new(active.clone()))?;
    let bounds = Bounds {
        ttl: config.faults.fault_max_ttl,
        memory: config.faults.fault_max_memory,
        ingest: switches.ingest.is_some(),
        models: switches.models.is_some(),
    };
    Ok(Arc::new(Plane::new(bounds, switches, metrics.faults_injected.clone(), active)))
}

fn redis_backend(config: &Config, metrics: &Metrics) -> Result<Option<Arc<RedisBackend>>, SettingError> {
    let certificates = config.limits.redis_certificates()?;
    let Some(url) = config.limits.redis() else { return Ok(None) };
    let settings = RedisSettings {
        url: url.to_owned(),
        certificates,
        deadline: config.limits.redis_deadline,
        prefix: config.limits.redis_key_prefix.clone(),
    };
    let backend = RedisBackend::new(settings, metrics.clone()).map_err(|error| SettingError {
        variable: "REDIS_URL",
        // The URL may hold a password.
        value: "…".to_owned(),
        reason: format!("is not a valid Redis URL ({error})"),
        remedy: "expected a URL such as redis://127.0.0.1:6379, redis+sentinel://HOST:26379,HOST:26379/SERVICE or redis+cluster://HOST:6379,HOST:6379, or rediss for TLS",
    })?;
    Ok(Some(backend))
}
