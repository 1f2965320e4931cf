//! Settings of the evaluation of rules, from the configuration as returned by Prometheus.
//!
//! Source: <https://prometheus.io/docs/prometheus/latest/configuration/configuration/>.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Reason;
use common::{duration, source_error};

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    global: Global,
}

#[derive(Deserialize, Default)]
struct Global {
    #[serde(default, deserialize_with = "duration::deserialize")]
    rule_query_offset: Duration,
}

/// `global.rule_query_offset`; zero when missing.
///
/// # Errors
/// When the configuration is not understood.
pub fn query_offset(yaml: &str) -> Result<Duration, Reason> {
    let file: ConfigFile = serde_saphyr::from_str(yaml)
        .map_err(|error| Reason::Configuration(source_error::plain(&error, true)))?;
    Ok(file.global.rule_query_offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_offset_of_all_groups() {
        for (yaml, expected) in [
            ("global:\n  scrape_interval: 1s\n  rule_query_offset: 1m30s\nscrape_configs: []\n", Some(90)),
            ("global: {rule_query_offset: 0s}\n", Some(0)),
            ("global: {scrape_interval: 1s}\n", Some(0)),
            ("scrape_configs: []\n", Some(0)),
            ("global: {rule_query_offset: soon}\n", None),
        ] {
            assert_eq!(query_offset(yaml).ok(), expected.map(Duration::from_secs), "{yaml}");
        }
    }
}
