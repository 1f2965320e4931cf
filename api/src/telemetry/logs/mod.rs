//! Log lines on standard output: one JSON object each, or pretty ones for a terminal.

mod layer;
mod sink;

use crate::config::{LogFormat, LogLevel, LogSettings};
use layer::JsonLines;
use sink::Sink;
use std::{
    io::{IsTerminal, stdout},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The buffer of JSON lines; set once a JSON logger is installed.
static SINK: OnceLock<Arc<Sink>> = OnceLock::new();

/// Maximum time the process waits at exit for a slow reader of standard output.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Writes buffered lines on drop.
#[derive(Debug)]
#[must_use = "buffered lines are written when this is dropped"]
pub struct LogGuard(());

impl Drop for LogGuard {
    fn drop(&mut self) {
        flush();
    }
}

/// Writes buffered lines before the process ends; waits two seconds at most.
pub fn flush() {
    if let Some(sink) = SINK.get() {
        sink.flush(FLUSH_LIMIT);
    }
}

/// Installs the process-wide logger. A second call has no effect, so tests may start many gateways.
pub fn init(settings: &LogSettings) -> LogGuard {
    let level = match settings.log_level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let json = match settings.log_format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !stdout().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(level);
    let installed = if json {
        let sink = SINK.get_or_init(|| Sink::start(stdout()));
        registry.with(JsonLines::new(sink.clone())).try_init()
    } else {
        registry.with(fmt::layer().compact().with_target(false)).try_init()
    };
    if installed.is_err() {
        tracing::debug!("a logger is already installed");
    }
    LogGuard(())
}
