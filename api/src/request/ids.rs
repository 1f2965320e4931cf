use super::trace::TraceId;

/// The ids by which a request is found in logs and traces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub request: &'a str,
    pub trace: TraceId,
}
