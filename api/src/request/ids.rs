use super::trace::TraceId;

/// What finds a request again in logs and traces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub request: &'a str,
    pub trace: TraceId,
}
