use super::{Broken, RequestId};
use crate::{problem::Rendered, server::State};
use actix_web::{Error, http::header::HeaderValue, web::Data};
use prometheus::IntGauge;
use std::time::Instant;

/// A request being handled. Whatever becomes of it (answered, failed, dropped because the client hung up), the
/// gauge goes back down and the request is counted and logged exactly once.
pub(super) struct InFlight {
    pub(super) id: RequestId,
    state: Data<State>,
    route: &'static str,
    method: &'static str,
    gauge: IntGauge,
    started: Instant,
    settled: bool,
}

/// nginx's number for a client that closed the connection before the answer; it is counted, never sent.
const CLIENT_CLOSED: u16 = 499;

impl InFlight {
    pub(super) fn start(
        state: Data<State>,
        route: &'static str,
        method: &'static str,
        id: RequestId,
    ) -> Self {
        let gauge = state.metrics.in_progress.with_label_values(&[method, route]);
        gauge.inc();
        Self { id, state, route, method, gauge, started: Instant::now(), settled: false }
    }

    /// An answer goes out; the counting layer counts it.
    pub(super) fn answered(mut self, status: u16, rendered: Option<Rendered>) {
        self.settled = true;
        let mut cause = None;
        if let Some(rendered) = rendered {
            self.state.metrics.errors.with_label_values(&[rendered.kind.label()]).inc();
            cause = rendered.cause;
        }
        self.log(status, cause.as_deref());
    }

    /// The handler gave no answer; a 500 goes out that the counting layer does not see. `fault` names the fault that
    /// was injected, if one was.
    pub(super) fn failed(mut self, cause: &str, fault: Option<HeaderValue>) -> Error {
        self.settled = true;
        self.state.metrics.errors.with_label_values(&["internal"]).inc();
        self.state.http.record_unanswered(self.route, self.method, "500", self.started.elapsed());
        self.log(500, Some(cause));
        Broken::new(self.id.clone(), fault).into()
    }

    fn log(&self, status: u16, cause: Option<&str>) {
        let (request_id, method, route) = (self.id.as_str(), self.method, self.route);
        let duration_ms = self.started.elapsed().as_micros() as f64 / 1000.0;
        // `/error` is asked for, so only answers with a cause are faults of ours.
        match cause {
            Some(cause) if status >= 500 => {
                tracing::error!(request_id, method, route, status, duration_ms, cause, "request");
            }
            Some(cause) => tracing::info!(request_id, method, route, status, duration_ms, cause, "request"),
            None => tracing::info!(request_id, method, route, status, duration_ms, "request"),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.gauge.dec();
        if !self.settled {
            self.state.http.record_unanswered(self.route, self.method, "499", self.started.elapsed());
            self.log(CLIENT_CLOSED, None);
        }
    }
}
