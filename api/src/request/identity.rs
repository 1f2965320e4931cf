use super::{
    ids::Ids,
    request_id::{self, RequestId},
    trace::{self, Trace},
};
use crate::telemetry::Spans;
use actix_web::{dev::ServiceRequest, http::header::HeaderMap};

/// What a request is known by: its own id and its place in a trace.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub id: RequestId,
    pub trace: Trace,
    /// Whether its trace is exported.
    pub sampled: bool,
}

impl Identity {
    /// What the caller says, where it can be kept; new ids otherwise.
    pub(crate) fn of(req: &ServiceRequest, spans: Option<&Spans>) -> Self {
        let trace = Trace::of(req.headers());
        let sampled = spans.is_some_and(|spans| spans.samples(&trace));
        Self { id: RequestId::of(req), trace, sampled }
    }

    /// For what never became a request.
    pub(crate) fn fresh() -> Self {
        Self { id: RequestId::fresh(), trace: Trace::of(&HeaderMap::new()), sampled: false }
    }

    /// What a problem body names.
    pub(crate) fn ids(&self) -> Ids<'_> {
        Ids { request: self.id.as_str(), trace: self.trace.id }
    }

    /// Tells the caller: the request's id in every answer, its trace in those that are errors.
    pub(crate) fn stamp(&self, headers: &mut HeaderMap, error: bool) {
        headers.insert(request_id::HEADER, self.id.header());
        if error {
            headers.insert(trace::RESPONSE, self.trace.response(self.sampled));
        }
    }
}
