//! The `loadgen run` command line.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgAction;

use crate::discreet::Discreet;
use crate::patterns::pattern;
use clients::address;
use common::rate::Rate;
use common::{duration, listen};
use load::spec::expect::Expect;
use load::spec::method::Method;
use load::spec::patterns::Pattern;
use load::verdict::threshold::Threshold;

// Every line fits 80 columns, as a wrapped example cannot be copied.
const EXAMPLES: &str = "\
Examples:
  loadgen run -q 20                            # http://127.0.0.1:8000 for 30s
  loadgen run http://127.0.0.1:8000/api/users -q 80 --threshold 'p99<250ms'
  loadgen run --pattern error-storm            # trips HighErrorRate
  loadgen run --pattern wave -z 1m --out wave.json --out wave.html
  loadgen run http://127.0.0.1:8000/api/users -d '{}' --expect-status 422 -n 9
  loadgen run -q 10 --stage 30s:90 --stage 1m:90 --stage 30s:0
  loadgen run http://127.0.0.1:8000/api/error -q 5 --expect-status 5xx
  loadgen run http://127.0.0.1:8000/livez -c 8 -z 5s   # closed loop: no rate

Exit codes: 0 fine; 1 unexpected responses or errors; 2 bad arguments; 3 crossed
threshold; 4 INVALID, the generator could not keep up; 129, 130, 143 interrupted
by SIGHUP, SIGINT, SIGTERM, after the partial report. A second signal skips
waiting for responses, a third exits at once.";

/// Arguments of `loadgen run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, disable_help_flag = true)]
pub struct Args {
    /// Print help
    #[arg(short, long, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Target; with --pattern or --scenario only its host and port are used
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub url: String,

    /// Built-in load pattern (`loadgen patterns`); -q sets its peak, -z its length
    #[arg(long, value_name = "NAME", value_parser = pattern(), hide_possible_values = true, help_heading = "Load")]
    pub pattern: Option<Pattern>,
    /// Load from a scenario file; `loadgen patterns NAME` prints a template
    #[arg(long, value_name = "FILE.yaml", conflicts_with = "pattern", help_heading = "Load")]
    pub scenario: Option<PathBuf>,
    /// Total request rate: 500, 0.5, 90/m [default: 50/s]
    #[arg(
        short = 'q',
        long = "rate",
        value_name = "RATE",
        allow_hyphen_values = true,
        help_heading = "Load"
    )]
    pub rate: Option<Rate>,
    /// Duration of the load: 30s, 5m [default: 30s, or as long as -n takes]
    #[arg(short = 'z', long = "duration", value_name = "TIME", value_parser = positive, allow_hyphen_values = true, help_heading = "Load")]
    pub duration: Option<Duration>,
    /// Number of requests to send
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = |text: &str| count::<u64>(text, 1, 1_000_000_000_000), allow_hyphen_values = true, help_heading = "Load")]
    pub requests: Option<u64>,
    /// Ramp from the previous rate (first: -q or 0) to RATE within TIME; repeatable
    #[arg(long = "stage", value_name = "TIME:RATE", value_parser = stage, allow_hyphen_values = true, conflicts_with = "duration", help_heading = "Load")]
    pub stages: Vec<(Duration, f64)>,
    /// Spacing of requests: even, or random as from independent clients
    #[arg(long, value_enum, default_value = "even", help_heading = "Load")]
    pub arrivals: ArrivalsArg,
    /// Seed for arrival times and generated values (printed, to repeat a run)
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| count::<u32>(text, 0, u32::MAX.into()), allow_hyphen_values = true, help_heading = "Load")]
    pub seed: Option<u32>,

    /// Warm up for this long at the initial rate; not included in the report
    #[arg(long, value_name = "TIME", value_parser = positive, allow_hyphen_values = true, help_heading = "Load")]
    pub warmup: Option<Duration>,

    /// Maximum connections [default: 64]; without rate, pattern or stage the loop is closed
    #[arg(short = 'c', long, value_name = "COUNT", value_parser = |text: &str| count::<u16>(text, 1, u16::MAX.into()), allow_hyphen_values = true, help_heading = "Limits")]
    pub connections: Option<u16>,
    /// Maximum requests in flight; further requests are shed and counted
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = |text: &str| count::<u32>(text, 1, 1_000_000), allow_hyphen_values = true, help_heading = "Limits")]
    pub max_in_flight: u32,
    /// Timeout from the due time to the end of the response, 1ms to 1h
    #[arg(short = 't', long, value_name = "TIME", default_value = "30s", value_parser = timeout, allow_hyphen_values = true, help_heading = "Limits")]
    pub timeout: Duration,
    /// End the run after this time; requests in flight count as unfinished
    #[arg(long, value_name = "TIME", value_parser = positive, allow_hyphen_values = true, help_heading = "Limits")]
    pub deadline: Option<Duration>,
    /// Number of threads [default: by rate, at most one per processor]
    #[arg(long, value_name = "COUNT", value_parser = threads, allow_hyphen_values = true, help_heading = "Limits")]
    pub threads: Option<NonZero<u8>>,

    /// HTTP method [default: GET, or POST with a body]
    #[arg(short = 'm', long, value_name = "METHOD", conflicts_with_all = ["pattern", "scenario"], help_heading = "Request")]
    pub method: Option<Method>,
    /// Header 'Name: value', may contain placeholders; replaces the scenario's; repeatable
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header, help_heading = "Request")]
    pub headers: Vec<(String, String)>,
    /// Request body; JSON sets Content-Type: application/json
    #[arg(short = 'd', long, value_name = "BODY", conflicts_with_all = ["pattern", "scenario"], help_heading = "Request")]
    pub data: Option<String>,
    /// Request body from a file
    #[arg(short = 'D', long, value_name = "FILE", conflicts_with_all = ["pattern", "scenario", "data"], help_heading = "Request")]
    pub data_file: Option<PathBuf>,

    /// Use a new connection for every request
    #[arg(long, help_heading = "Connection")]
    pub disable_keepalive: bool,
    /// Connect to this Unix socket; path and Host are from the URL
    #[arg(long, value_name = "PATH", conflicts_with = "connect_to", help_heading = "Connection")]
    pub unix_socket: Option<PathBuf>,
    /// Connect to this address; path, Host and TLS name are from the URL
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port, help_heading = "Connection")]
    pub connect_to: Option<(String, u16)>,
    /// Trust the certificates in this file instead of the system's
    #[arg(long, value_name = "FILE.pem", conflicts_with = "insecure", help_heading = "Connection")]
    pub cacert: Option<PathBuf>,
    /// Accept any certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub insecure: bool,

    /// Expected statuses: 200,429, 2xx, 200-399 [default: 200-399 or the pattern's]
    #[arg(long, value_name = "LIST", help_heading = "Verdict")]
    pub expect_status: Option<Expect>,
    /// Exit with 3 if this threshold is crossed: p99<250ms, service.p999<=1s (99.9 %), failed<1%, rate>=95/s; repeatable
    #[arg(long = "threshold", value_name = "BOUND", help_heading = "Verdict")]
    pub thresholds: Vec<Threshold>,
    /// End the run as soon as an upper bound is crossed
    #[arg(long, requires = "thresholds", help_heading = "Verdict")]
    pub abort_on_fail: bool,
    /// Mark the run INVALID when pacer lag p99 exceeds this and 10 % of response time p99
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = positive, allow_hyphen_values = true, help_heading = "Verdict")]
    pub max_lag: Duration,

    /// Write the report as .json, self-contained .html or .csv (series); repeatable
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Vec<PathBuf>,
    /// Serve live metrics at http://HOST:PORT/metrics, such as 127.0.0.1:9464
    #[arg(long, value_name = "HOST:PORT", value_parser = listen::address, help_heading = "Output")]
    pub prometheus_addr: Option<SocketAddr>,
    /// Add alerts from this Prometheus to the report, such as http://127.0.0.1:9090
    #[arg(long, value_name = "URL", value_parser = Discreet(address::parse, address::redacted), help_heading = "Output")]
    pub alerts_from: Option<url::Url>,
    /// Print one line per second instead of the live view
    #[arg(long, help_heading = "Output")]
    pub no_tui: bool,
}

/// Spacing of arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ArrivalsArg {
    // Undocumented, as docs of the values would make the help longer.
    #[allow(missing_docs, reason = "the help of the argument describes the values")]
    Even,
    #[allow(missing_docs, reason = "the help of the argument describes the values")]
    Poisson,
}

fn positive(text: &str) -> Result<Duration, String> {
    let duration = duration::parse(text)?;
    if duration.is_zero() {
        Err(format!("invalid duration \"{text}\": must be at least 1ms"))
    } else {
        Ok(duration)
    }
}

/// Parses an integer within inclusive bounds.
fn count<T: TryFrom<u64>>(text: &str, min: u64, max: u64) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("`{text}` is not an integer from {min} to {max}"))
}

fn threads(text: &str) -> Result<NonZero<u8>, String> {
    text.parse().map_err(|_| format!("`{text}` is not an integer from 1 to 255"))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = positive(text)?;
    if timeout > Duration::from_secs(3_600) {
        Err(format!("`{text}` is too long: must be at most 1h"))
    } else {
        Ok(timeout)
    }
}

fn stage(text: &str) -> Result<(Duration, f64), String> {
    let (time, rate) = text
        .split_once(':')
        .ok_or_else(|| format!("`{text}` is not a stage: expected a time and a rate, such as 30s:100"))?;
    let rate = if rate.trim() == "0" { 0.0 } else { rate.parse::<Rate>()?.per_second() };
    Ok((positive(time)?, rate))
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    // curl and oha also accept HOST:PORT:TO_HOST:TO_PORT.
    let mut from_behind = text.rsplitn(2, ':');
    let port = from_behind.next().and_then(|port| port.parse::<u16>().ok()).filter(|&port| port > 0);
    let host = from_behind.next().map(|rest| match rest.rsplit_once(']') {
        Some((address, "")) => address.rsplit_once('[').map_or("", |(_, address)| address),
        _ => rest.rsplit_once(':').map_or(rest, |(_, host)| host),
    });
    match (host, port) {
        (Some(host), Some(port)) if !host.is_empty() => Ok((host.to_owned(), port)),
        _ => Err(format!("`{text}` is not a host and a port: expected an address such as 127.0.0.1:8443")),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| {
        format!("`{text}` is not a header: expected a name and a value, such as 'X-Key: 1'")
    })?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_values_and_rejects_others_by_name() {
        assert_eq!(stage("30s:100"), Ok((Duration::from_secs(30), 100.0)));
        assert_eq!(stage("1m:0"), Ok((Duration::from_secs(60), 0.0)));
        assert_eq!(header("X-Key: a:b"), Ok(("X-Key".into(), "a:b".into())));
        for (text, host, port) in [
            ("127.0.0.1:8443", "127.0.0.1", 8443),
            ("[::1]:80", "::1", 80),
            ("a.example:443:localhost:8443", "localhost", 8443),
            ("a.example:443:[::1]:8443", "::1", 8443),
        ] {
            assert_eq!(host_and_port(text), Ok((host.to_owned(), port)), "{text}");
        }
        for (error, words) in [
            (host_and_port("localhost").unwrap_err(), "`localhost` is not a host and a port"),
            (host_and_port(":80").unwrap_err(), "`:80`"),
            (stage("30s").unwrap_err(), "such as 30s:100"),
            (stage("30:100").unwrap_err(), "`30` is not a duration"),
            (stage("30s:-5").unwrap_err(), "`-5` is not a rate"),
            (header("nothing").unwrap_err(), "`nothing` is not a header"),
            (positive("0").unwrap_err(), "invalid duration \"0\""),
            (timeout("2h").unwrap_err(), "`2h` is too long"),
        ] {
            assert!(error.contains(words), "{error}");
        }
    }
}
