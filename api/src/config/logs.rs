/// Logging.
#[derive(Debug, Clone, clap::Args)]
pub struct LogSettings {
    /// Minimum level of log lines
    #[arg(long, env, default_value = "info")]
    pub log_level: LogLevel,

    /// Format of a line: auto is pretty on a terminal and json elsewhere
    #[arg(long, env, default_value = "auto")]
    pub log_format: LogFormat,
}

/// Minimum level of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Errors of the gateway.
    Error,
    /// Also warnings, such as an unreachable Redis.
    Warn,
    /// Also one line per request.
    Info,
    /// Also debug messages, including those of libraries.
    Debug,
    /// Everything.
    Trace,
}

/// Format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object per line.
    Json,
    /// Human-readable lines.
    Pretty,
}
