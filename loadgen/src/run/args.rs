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

// In lines that 80 columns hold: one that is wrapped cannot be copied.
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

Exit codes: 0 fine; 1 unexpected answers or errors; 2 bad arguments; 3 threshold
crossed; 4 INVALID, the generator could not keep up; 129, 130, 143 interrupted
(SIGHUP, SIGINT, SIGTERM), after the partial report: a second signal waits for
no answer, a third for nothing.";

/// Arguments of `loadgen run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, disable_help_flag = true)]
pub struct Args {
    /// Print this
    #[arg(short, long, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Where to; with --pattern or --scenario only its host and port count
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub url: String,

    /// Built-in load (`loadgen patterns`); -q sets its peak, -z its length
    #[arg(long, value_name = "NAME", value_parser = pattern(), hide_possible_values = true, help_heading = "Load")]
    pub pattern: Option<Pattern>,
    /// The same from a file of your own; begin with `loadgen patterns NAME`
    #[arg(long, value_name = "FILE.yaml", conflicts_with = "pattern", help_heading = "Load")]
    pub scenario: Option<PathBuf>,
    /// Requests per time, all connections together: 500, 0.5, 90/m [default: 50/s]
    #[arg(
        short = 'q',
        long = "rate",
        value_name = "RATE",
        allow_hyphen_values = true,
        help_heading = "Load"
    )]
    pub rate: Option<Rate>,
    /// How long to send: 30s, 5m [default: 30s, or as long as -n takes]
    #[arg(short = 'z', long = "duration", value_name = "TIME", value_parser = positive, allow_hyphen_values = true, help_heading = "Load")]
    pub duration: Option<Duration>,
    /// How many requests to send
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = |text: &str| whole::<u64>(text, 1, 1_000_000_000_000), allow_hyphen_values = true, help_heading = "Load")]
    pub requests: Option<u64>,
    /// Ramp from the rate before (at first -q, else 0) to RATE within TIME; repeatable
    #[arg(long = "stage", value_name = "TIME:RATE", value_parser = stage, allow_hyphen_values = true, conflicts_with = "duration", help_heading = "Load")]
    pub stages: Vec<(Duration, f64)>,
    /// Spaced exactly by the rate, or as from many independent clients
    #[arg(long, value_enum, default_value = "even", help_heading = "Load")]
    pub arrivals: ArrivalsArg,
    /// Of Poisson arrivals and random values; printed, to repeat a run
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| whole::<u32>(text, 0, u32::MAX.into()), allow_hyphen_values = true, help_heading = "Load")]
    pub seed: Option<u32>,

    /// Send this long beforehand, at the first rate of the schedule; in no figure
    #[arg(long, value_name = "TIME", value_parser = positive, allow_hyphen_values = true, help_heading = "Load")]
    pub warmup: Option<Duration>,

    /// Connections at most [default: 64]; without rate, pattern or stage a closed loop
    #[arg(short = 'c', long, value_name = "COUNT", value_parser = |text: &str| whole::<u16>(text, 1, u16::MAX.into()), allow_hyphen_values = true, help_heading = "Limits")]
    pub connections: Option<u16>,
    /// Waiting or sent at most; arrivals beyond are shed and counted
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = |text: &str| whole::<u32>(text, 1, 1_000_000), allow_hyphen_values = true, help_heading = "Limits")]
    pub max_in_flight: u32,
    /// From when a request is due to the end of its answer, 1ms to 1h
    #[arg(short = 't', long, value_name = "TIME", default_value = "30s", value_parser = timeout, allow_hyphen_values = true, help_heading = "Limits")]
    pub timeout: Duration,
    /// End the whole run by then; what is in flight counts as unfinished
    #[arg(long, value_name = "TIME", value_parser = positive, allow_hyphen_values = true, help_heading = "Limits")]
    pub deadline: Option<Duration>,
    /// Threads that send [default: by rate, at most one a processor]
    #[arg(long, value_name = "COUNT", value_parser = threads, allow_hyphen_values = true, help_heading = "Limits")]
    pub threads: Option<NonZero<u8>>,

    /// The method [default: GET, or POST with a body]
    #[arg(short = 'm', long, value_name = "METHOD", conflicts_with_all = ["pattern", "scenario"], help_heading = "Request")]
    pub method: Option<Method>,
    /// A header, 'Name: value', {{n}} as in files; in place of the file's; repeatable
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header, help_heading = "Request")]
    pub headers: Vec<(String, String)>,
    /// The body; JSON gets its Content-Type
    #[arg(short = 'd', long, value_name = "BODY", conflicts_with_all = ["pattern", "scenario"], help_heading = "Request")]
    pub data: Option<String>,
    /// The body from a file
    #[arg(short = 'D', long, value_name = "FILE", conflicts_with_all = ["pattern", "scenario", "data"], help_heading = "Request")]
    pub data_file: Option<PathBuf>,

    /// A new connection for every request
    #[arg(long, help_heading = "Connection")]
    pub disable_keepalive: bool,
    /// Connect to this Unix socket; the URL still gives path and Host
    #[arg(long, value_name = "PATH", conflicts_with = "connect_to", help_heading = "Connection")]
    pub unix_socket: Option<PathBuf>,
    /// Connect there; the URL still gives path, Host and the certificate's name
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port, help_heading = "Connection")]
    pub connect_to: Option<(String, u16)>,
    /// Trust the certificates of this file instead of the system's
    #[arg(long, value_name = "FILE.pem", conflicts_with = "insecure", help_heading = "Connection")]
    pub cacert: Option<PathBuf>,
    /// Accept any certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub insecure: bool,

    /// Such as 200,429, 2xx or 200-399 [default: 200-399, or the pattern's]
    #[arg(long, value_name = "LIST", help_heading = "Verdict")]
    pub expect_status: Option<Expect>,
    /// Exit 3 unless it holds: p99<250ms, service.p999<=1s (99.9 %), failed<1%, rate>=95/s; repeatable
    #[arg(long = "threshold", value_name = "BOUND", help_heading = "Verdict")]
    pub thresholds: Vec<Threshold>,
    /// End the run as soon as an upper bound is crossed
    #[arg(long, requires = "thresholds", help_heading = "Verdict")]
    pub abort_on_fail: bool,
    /// INVALID beyond this pacer lag p99, if it is over a tenth of response time p99
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = positive, allow_hyphen_values = true, help_heading = "Verdict")]
    pub max_lag: Duration,

    /// Write the report: .json, one offline .html, or its series as .csv; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Vec<PathBuf>,
    /// Live figures at http://HOST:PORT/metrics, such as 127.0.0.1:9464
    #[arg(long, value_name = "HOST:PORT", value_parser = listen::address, help_heading = "Output")]
    pub prometheus_addr: Option<SocketAddr>,
    /// Put this Prometheus's alerts on the report's time axis, such as http://127.0.0.1:9090
    #[arg(long, value_name = "URL", value_parser = Discreet(address::parse), help_heading = "Output")]
    pub alerts_from: Option<url::Url>,
    /// A plain line a second instead of the live view
    #[arg(long, help_heading = "Output")]
    pub no_tui: bool,
}

/// How arrivals are spaced along the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ArrivalsArg {
    // No sentences here: the help would spread over lines.
    #[allow(missing_docs, reason = "the argument says what they are")]
    Even,
    #[allow(missing_docs, reason = "the argument says what they are")]
    Poisson,
}

fn positive(text: &str) -> Result<Duration, String> {
    let duration = duration::parse(text)?;
    if duration.is_zero() {
        Err(format!("`{text}` is no time at all: give 1ms or more"))
    } else {
        Ok(duration)
    }
}

/// A whole number, both ends included.
fn whole<T: TryFrom<u64>>(text: &str, least: u64, most: u64) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("`{text}` is not a whole number from {least} to {most}"))
}

fn threads(text: &str) -> Result<NonZero<u8>, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number from 1 to 255"))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = positive(text)?;
    if timeout > Duration::from_secs(3_600) {
        Err(format!("`{text}` is over the limit of 1h"))
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
    // curl and oha write the URL's own host and port in front: HOST:PORT:TO_HOST:TO_PORT.
    let mut from_behind = text.rsplitn(2, ':');
    let port = from_behind.next().and_then(|port| port.parse::<u16>().ok()).filter(|&port| port > 0);
    let host = from_behind.next().map(|rest| match rest.rsplit_once(']') {
        Some((address, "")) => address.rsplit_once('[').map_or("", |(_, address)| address),
        _ => rest.rsplit_once(':').map_or(rest, |(_, host)| host),
    });
    match (host, port) {
        (Some(host), Some(port)) if !host.is_empty() => Ok((host.to_owned(), port)),
        _ => Err(format!("`{text}` is not a host and a port: expected such as 127.0.0.1:8443")),
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
    fn values_read_or_refuse_by_name() {
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
            (positive("0").unwrap_err(), "`0`"),
            (timeout("2h").unwrap_err(), "`2h`"),
        ] {
            assert!(error.contains(words), "{error}");
        }
    }
}
