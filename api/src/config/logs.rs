/// What is logged and how.
#[derive(Debug, Clone, clap::Args)]
pub struct LogSettings {
    /// Least severe level that is written
    #[arg(long, env, default_value = "info")]
    pub log_level: LogLevel,

    /// Shape of a line: auto is pretty on a terminal and json elsewhere
    #[arg(long, env, default_value = "auto")]
    pub log_format: LogFormat,
}

/// Least severe level that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Faults of the gateway.
    Error,
    /// And what a person should look at, such as Redis being away.
    Warn,
    /// And one line per request.
    Info,
    /// And the libraries' own steps.
    Debug,
    /// Everything.
    Trace,
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For eyes.
    Pretty,
}
