//! Process metrics in `/metrics`, as exported by all Prometheus client libraries:
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>.

use jiff::Timestamp;

use crate::error::SystemError;
use crate::http::Http;

/// Start time of the process, from its `/metrics`; `None` if missing.
pub async fn started(http: &Http) -> Result<Option<Timestamp>, SystemError> {
    http.get("/metrics", &[], |text| Ok(start(text))).await
}

fn start(text: &str) -> Option<Timestamp> {
    let value = text.lines().find_map(|line| line.strip_prefix("process_start_time_seconds "))?;
    let seconds: f64 = value.split_whitespace().next()?.parse().ok()?;
    Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_start_time_of_go_and_rust_processes() {
        for (text, expected) in [
            (
                "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.79595337025e+09\n",
                Some(1_795_953_370_250),
            ),
            ("process_start_time_seconds 1795953370\nup 1", Some(1_795_953_370_000)),
            ("process_start_time_seconds{job=\"a\"} 5\n", None),
            ("process_start_time_seconds soon\n", None),
            ("", None),
        ] {
            assert_eq!(start(text).map(Timestamp::as_millisecond), expected, "{text}");
        }
    }
}
