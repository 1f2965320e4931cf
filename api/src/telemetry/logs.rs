//! Log lines on standard output: one JSON object each, or pretty ones for a terminal.

use crate::config::{LogFormat, LogLevel, LogSettings};
use std::io::{IsTerminal, stdout};
use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Installs the process-wide logger. A second call changes nothing, so tests may start many gateways.
pub fn init(settings: &LogSettings) {
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
        registry.with(fmt::layer().json().flatten_event(true).with_current_span(false)).try_init()
    } else {
        registry.with(fmt::layer().compact().with_target(false)).try_init()
    };
    if installed.is_err() {
        tracing::debug!("a logger is already installed");
    }
}
