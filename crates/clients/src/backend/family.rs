//! The kinds of servers that evaluate rules and store samples as Prometheus does.

use serde::{Deserialize, Serialize};

use crate::prometheus::Build;

/// A kind of server.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::EnumString, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Family {
    /// Prometheus.
    Prometheus,
    /// VictoriaMetrics, vmselect and vmalert.
    VictoriaMetrics,
    /// Thanos Querier and Ruler.
    Thanos,
    /// Mimir, Cortex and Grafana Cloud.
    Mimir,
    /// Alerts managed by Grafana.
    Grafana,
}

impl Family {
    /// Their names, for messages.
    pub const NAMES: &str = "prometheus, victoriametrics, thanos, mimir, grafana";

    /// The name of the product.
    #[must_use]
    pub fn product(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::VictoriaMetrics => "VictoriaMetrics",
            Self::Thanos => "Thanos",
            Self::Mimir => "Mimir",
            Self::Grafana => "Grafana",
        }
    }

    /// The family of a server by what it says of its build; `None` if it is of none of them.
    #[must_use]
    pub fn of(build: &Build) -> Option<Self> {
        let application = build.application.to_ascii_lowercase();
        if ["mimir", "cortex", "grafana enterprise metrics"].iter().any(|name| application.contains(name)) {
            return Some(Self::Mimir);
        }
        match build.numbers() {
            // VictoriaMetrics gives no version, or that of the Prometheus whose API it has, and nothing else.
            _ if build.go_version.is_empty() => Some(Self::VictoriaMetrics),
            Some((0, _)) => Some(Self::Thanos),
            Some(_) => Some(Self::Prometheus),
            None => None,
        }
    }

    /// Paths below the server's address at which the API may be, the usual one first.
    #[must_use]
    pub fn paths(self, base: &str) -> &'static [&'static str] {
        let base = base.trim_end_matches('/');
        match self {
            Self::Grafana => &["/api/prometheus/grafana"],
            Self::Mimir if base.ends_with("/prometheus") || base.ends_with("/api/prom") => &[""],
            Self::Mimir => &["/prometheus", ""],
            _ => &[""],
        }
    }

    /// Whether the rules are evaluated by the engine of Prometheus, with its `query_offset`.
    #[must_use]
    pub fn has_query_offset(self) -> bool {
        matches!(self, Self::Prometheus | Self::Thanos | Self::Mimir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_tell_the_family() {
        for (json, family) in [
            (r#"{"version":"2.42.0+ds","revision":"x","goVersion":"go1.19.8"}"#, Some(Family::Prometheus)),
            (r#"{"version":"3.5.0","revision":"x","goVersion":"go1.24.5"}"#, Some(Family::Prometheus)),
            (r#"{"version":"0.36.1","revision":"x","goVersion":"go1.21.7"}"#, Some(Family::Thanos)),
            ("{}", Some(Family::VictoriaMetrics)),
            (r#"{"version":"2.24.0"}"#, Some(Family::VictoriaMetrics)),
            (
                r#"{"application":"Grafana Mimir","version":"2.14.0","goVersion":"go1.22.5","features":{"ruler_config_api":"true"}}"#,
                Some(Family::Mimir),
            ),
            (r#"{"application":"Cortex","version":"1.18.1","goVersion":"go1.22"}"#, Some(Family::Mimir)),
            (r#"{"version":"main","goVersion":"go1.22"}"#, None),
        ] {
            assert_eq!(Family::of(&serde_json::from_str(json).unwrap()), family, "{json}");
        }
    }

    #[test]
    fn names_are_parsed_and_listed() {
        for name in Family::NAMES.split(", ") {
            let family: Family = name.parse().unwrap();
            assert_eq!(<&str>::from(family), name);
            assert_eq!(family.product().to_lowercase(), name);
        }
    }
}
