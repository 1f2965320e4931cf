//! Spans: one per request, sent to an OTLP collector when one is configured.
//!
//! A finished span goes into a bounded queue, and a separate thread sends the queue in batches. Spans are dropped when
//! the queue is full, and a collector that does not respond is logged once: no request ever waits for it. The
//! `OTEL_BSP_*` variables of the OpenTelemetry specification set the sizes of the queue and the delay.

use super::collector::Collector;
use crate::{
    config::{SettingError, TraceSettings},
    request::trace::Trace,
    routes,
};
use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_otlp::{Protocol, SpanExporter as Otlp, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanExporter, SpanLinks, SpanProcessor},
};
use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

/// Timeout for sending one batch.
const SEND_LIMIT: Duration = Duration::from_secs(5);
/// Timeout for the last batch when the gateway stops.
const FLUSH_LIMIT: Duration = Duration::from_secs(3);

/// The pipeline to the collector.
#[derive(Debug)]
pub(crate) struct Spans {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    share: f64,
}

/// A completed request.
pub(crate) struct Finished<'a> {
    pub trace: Trace,
    pub request_id: &'a str,
    /// The bounded method name.
    pub method: &'static str,
    /// The matched template, or [`routes::UNMATCHED`].
    pub route: &'static str,
    /// The path without its query, which may hold secrets.
    pub path: &'a str,
    /// The peer, or behind trusted proxies the first address that is not one of them.
    pub client: Option<IpAddr>,
    /// `http` or `https`, as the client sent it.
    pub scheme: &'static str,
    pub status: u16,
    pub took: Duration,
}

impl Spans {
    /// Starts the sending thread; `None` when no collector is configured.
    ///
    /// # Errors
    /// [`SettingError`] when no client can be made for this address.
    pub(crate) fn start(settings: &TraceSettings) -> Result<Option<Self>, SettingError> {
        let Some(url) = settings.traces_url() else { return Ok(None) };
        let exporter = Otlp::builder()
            .with_http()
            .with_http_client(Collector::new(settings, SEND_LIMIT)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_timeout(SEND_LIMIT)
            .build()
            .map_err(|error| SettingError {
                variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
                // The address may hold a password.
                value: "…".to_owned(),
                reason: format!("cannot be used for export ({error})"),
                remedy: "set it to the address of a collector such as http://127.0.0.1:4318",
            })?;
        let exporter = Reported { exporter, failing: AtomicBool::new(false) };
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        let resource = Resource::builder()
            .with_service_name(settings.otel_service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        processor.set_resource(&resource);
        let scope =
            InstrumentationScope::builder("firedrill").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Some(Self { processor, scope, share: settings.otel_traces_sampler_arg }))
    }

    /// Whether a trace is exported: as its caller decided, or by a share of the trace ids, so that all services with
    /// the same share pick the same traces.
    pub(crate) fn samples(&self, trace: &Trace) -> bool {
        match trace.parent {
            Some(parent) => parent.sampled,
            // W3C Trace Context (level 2) requires the lower 56 bits to be random.
            None => ((trace.id.0 & ((1 << 56) - 1)) as f64) < self.share * (1u64 << 56) as f64,
        }
    }

    /// Queues the span of a request if its trace is exported; never waits.
    pub(crate) fn record(&self, request: &Finished<'_>) {
        self.processor.on_end(span(request, self.scope.clone()));
    }

    /// Sends the queue and ends the thread, within a limit. Blocks: must not run on a worker.
    pub(crate) fn close(&self) {
        if let Err(error) = self.processor.shutdown_with_timeout(FLUSH_LIMIT) {
            tracing::warn!(%error, "final span export failed");
        }
    }
}

/// Names and attributes follow OpenTelemetry's semantic conventions for HTTP servers.
fn span(request: &Finished<'_>, scope: InstrumentationScope) -> SpanData {
    let known = request.method != routes::OTHER_METHOD;
    let (word, method) = if known { (request.method, request.method) } else { ("HTTP", "_OTHER") };
    let matched = request.route != routes::UNMATCHED;
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.response.status_code", i64::from(request.status)),
        KeyValue::new("url.path", request.path.to_owned()),
        KeyValue::new("url.scheme", request.scheme),
        KeyValue::new("request_id", request.request_id.to_owned()),
    ];
    if matched {
        attributes.push(KeyValue::new("http.route", request.route));
    }
    if let Some(client) = request.client {
        attributes.push(KeyValue::new("client.address", client.to_string()));
    }
    // A client error (4xx) is not a failure of the server.
    let failed = request.status >= 500;
    if failed {
        attributes.push(KeyValue::new("error.type", request.status.to_string()));
    }
    let end_time = SystemTime::now();
    let parent = request.trace.parent.map_or(SpanId::INVALID, |parent| SpanId::from(parent.span));
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(request.trace.id.0),
            SpanId::from(request.trace.span),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: parent,
        parent_span_is_remote: request.trace.parent.is_some(),
        span_kind: SpanKind::Server,
        name: if matched { format!("{word} {}", request.route).into() } else { word.into() },
        start_time: end_time - request.took,
        end_time,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: scope,
    }
}

/// An exporter that logs its first failure, and its first success afterwards.
#[derive(Debug)]
struct Reported {
    exporter: Otlp,
    failing: AtomicBool,
}

impl SpanExporter for Reported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.exporter.export(batch).await;
        let failed_before = self.failing.swap(outcome.is_err(), Ordering::Relaxed);
        match &outcome {
            Err(error) if !failed_before => {
                tracing::warn!(%error, "span export failed, dropping spans until the collector recovers");
            }
            Ok(()) if failed_before => tracing::info!("span export recovered"),
            _ => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
