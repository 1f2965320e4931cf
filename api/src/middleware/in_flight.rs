use super::broken::Broken;
use crate::{
    problem::Rendered,
    request::{Identity, RequestInfo},
    state::State,
    telemetry::Finished,
};
use actix_web::{Error, dev::ServiceRequest, http::header::HeaderValue, web::Data};
use prometheus::IntGauge;
use std::{net::IpAddr, time::Instant};
use tracing::field::display;

/// A request in progress. However it ends (response, panic, disconnect of the client), the gauge is decremented and
/// the request is counted and logged exactly once.
pub(super) struct InFlight {
    pub(super) identity: Identity,
    state: Data<State>,
    route: &'static str,
    method: &'static str,
    gauge: IntGauge,
    started: Instant,
    settled: bool,
    /// For the span; `None` when this request's span is not exported.
    origin: Option<Origin>,
}

struct Origin {
    path: String,
    client: Option<IpAddr>,
    scheme: &'static str,
}

/// nginx's number for a client that disconnected before the response; it is counted, never sent.
const CLIENT_CLOSED: u16 = 499;

impl InFlight {
    pub(super) fn start(state: Data<State>, info: RequestInfo, req: &ServiceRequest) -> Self {
        let (route, method) = (info.route(), info.method);
        let identity = Identity::of(req, state.spans.as_ref());
        let origin = identity.sampled.then(|| Origin {
            path: req.path().to_owned(),
            client: state.access.client(req),
            scheme: state.access.scheme(req),
        });
        let gauge = state.metrics.in_progress.with_label_values(&[method, route]);
        gauge.inc();
        Self { identity, state, route, method, gauge, started: Instant::now(), settled: false, origin }
    }

    /// A response is sent, and the counting layer counts it.
    pub(super) fn completed(mut self, status: u16, rendered: Option<Rendered>) {
        self.settled = true;
        let mut cause = None;
        if let Some(rendered) = rendered {
            self.state.metrics.errors.with_label_values(&[rendered.kind.label()]).inc();
            cause = rendered.cause;
        }
        self.tell(status, cause.as_deref());
    }

    /// The handler panicked; the 500 sent instead does not pass the counting layer. `fault` names the injected fault,
    /// if there was one.
    pub(super) fn failed(mut self, cause: &str, fault: Option<HeaderValue>) -> Error {
        self.settled = true;
        self.state.metrics.errors.with_label_values(&["internal"]).inc();
        self.state.http.record_without_response(self.route, self.method, "500", self.started.elapsed());
        self.tell(500, Some(cause));
        Broken::new(self.identity.clone(), fault).into()
    }

    /// The log line and the span.
    fn tell(&self, status: u16, cause: Option<&str>) {
        let (trace, request_id) = (self.identity.trace, self.identity.id.as_str());
        let (method, route, took) = (self.method, self.route, self.started.elapsed());
        let (trace_id, duration_ms) = (display(trace.id), took.as_micros() as f64 / 1000.0);
        // Clients request errors of `/error` on purpose, so only responses with a cause are errors of the gateway.
        match cause {
            Some(cause) if status >= 500 => {
                tracing::error!(request_id, trace_id, method, route, status, duration_ms, cause, "request");
            }
            Some(cause) => {
                tracing::info!(request_id, trace_id, method, route, status, duration_ms, cause, "request");
            }
            None => tracing::info!(request_id, trace_id, method, route, status, duration_ms, "request"),
        }
        if let (Some(spans), Some(origin)) = (&self.state.spans, &self.origin) {
            let &Origin { ref path, client, scheme } = origin;
            spans.record(&Finished { trace, request_id, method, route, path, client, scheme, status, took });
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.gauge.dec();
        if !self.settled {
            self.state.http.record_without_response(self.route, self.method, "499", self.started.elapsed());
            self.tell(CLIENT_CLOSED, None);
        }
    }
}
