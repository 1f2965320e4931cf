use super::{
    ids::Ids,
    request_id::{self, RequestId},
    trace::{self, Trace},
};
use crate::telemetry::Spans;
use actix_web::{dev::ServiceRequest, http::header::HeaderMap};

/// How a request is identified: its id and its position in a trace.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub id: RequestId,
    pub trace: Trace,
    /// Whether its trace is exported.
    pub sampled: bool,
}

impl Identity {
    /// The caller's ids where they are valid, new ones otherwise.
    pub(crate) fn of(req: &ServiceRequest, spans: Option<&Spans>) -> Self {
        let trace = Trace::of(req.headers());
        let sampled = spans.is_some_and(|spans| spans.samples(&trace));
        Self { id: RequestId::of(req), trace, sampled }
    }

    /// For input that never became a request.
    pub(crate) fn fresh() -> Self {
        Self { id: RequestId::fresh(), trace: Trace::of(&HeaderMap::new()), sampled: false }
    }

    /// The ids that a problem body names.
    pub(crate) fn ids(&self) -> Ids<'_> {
        Ids { request: self.id.as_str(), trace: self.trace.id }
    }

    /// Adds the request id to every response, and the trace to error responses.
    pub(crate) fn stamp(&self, headers: &mut HeaderMap, error: bool) {
        headers.insert(request_id::HEADER, self.id.header());
        if error {
            headers.insert(trace::RESPONSE, self.trace.response(self.sampled));
        }
    }
}
