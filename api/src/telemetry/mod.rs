//! Setup and rendering of logs, metrics and traces.

mod collector;
mod declare;
mod exposition;
mod http;
mod lifecycle;
mod logs;
mod metrics;
mod spans;

pub use lifecycle::{Lifecycle, Phase};
pub use logs::{LogGuard, flush as flush_logs, init as init_logs};
pub use metrics::Metrics;

pub(crate) use declare::{Declare, metrics};
pub(crate) use exposition::{CONTENT_TYPE, render, render_custom};
pub(crate) use http::HttpMetrics;
pub(crate) use spans::{Finished, Spans};
