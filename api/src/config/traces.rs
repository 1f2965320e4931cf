use super::value::ValueError;
use std::path::{Path, PathBuf};
use url::Url;

/// Traces.
#[derive(Debug, Clone, clap::Args)]
pub struct TraceSettings {
    /// OTLP/HTTP collector that receives a span per request, such as http://127.0.0.1:4318; without it tracing is off
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "OTEL_EXPORTER_OTLP_ENDPOINT",
        hide_env_values = true,
        value_parser = endpoint
    )]
    pub otlp_endpoint: Option<OtlpEndpoint>,

    /// PEM file to verify an https collector with [default: the system's certificates]
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_CERTIFICATE",
        value_name = "OTEL_EXPORTER_OTLP_CERTIFICATE",
        value_parser = super::value::path
    )]
    pub otlp_certificate: Option<PathBuf>,

    /// Service name in traces
    #[arg(long, env, default_value = "firedrill-api")]
    pub otel_service_name: String,

    /// Share of the gateway's own traces to export, 0 to 1; for traces started by a caller, the caller's decision
    /// applies
    #[arg(long, env, default_value = "1", value_parser = share)]
    pub otel_traces_sampler_arg: f64,
}

/// A collector's base address; empty counts as unset, as compose files write it.
#[derive(Clone, PartialEq, Eq)]
pub struct OtlpEndpoint(Option<Url>);

impl std::fmt::Debug for OtlpEndpoint {
    // The address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref().and_then(Url::host_str).unwrap_or("none"))
    }
}

impl TraceSettings {
    /// URL to export spans to: the base address plus `v1/traces`, as the OTLP specification defines.
    /// `None` when traces are not exported.
    pub fn traces_url(&self) -> Option<String> {
        let base = self.otlp_endpoint.as_ref()?.0.as_ref()?;
        Some(format!("{}/v1/traces", base.as_str().trim_end_matches('/')))
    }

    /// Whether the collector is reached over https.
    pub fn is_encrypted(&self) -> bool {
        let base = self.otlp_endpoint.as_ref().and_then(|endpoint| endpoint.0.as_ref());
        base.is_some_and(|base| base.scheme() == "https")
    }

    /// The file to verify its certificate with; an empty variable counts as unset.
    pub fn certificate(&self) -> Option<&Path> {
        self.otlp_certificate.as_deref().filter(|path| !path.as_os_str().is_empty())
    }
}

fn endpoint(text: &str) -> Result<OtlpEndpoint, ValueError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(OtlpEndpoint(None));
    }
    let url = Url::parse(text).map_err(|reason| ValueError::Collector(format!(" ({reason})")))?;
    match url.scheme() {
        "http" | "https" if url.query().is_none() && url.fragment().is_none() => Ok(OtlpEndpoint(Some(url))),
        "http" | "https" => Err(ValueError::Collector(" (`?` and `#` are not allowed)".to_owned())),
        _ => Err(ValueError::Collector(String::new())),
    }
}

fn share(text: &str) -> Result<f64, ValueError> {
    match text.trim().parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(ValueError::Share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_base_addresses_only() {
        let settings = |text: &str| TraceSettings {
            otlp_endpoint: Some(endpoint(text).unwrap()),
            otlp_certificate: None,
            otel_service_name: String::new(),
            otel_traces_sampler_arg: 1.0,
        };
        for (text, url) in [
            ("http://127.0.0.1:4318", Some("http://127.0.0.1:4318/v1/traces")),
            (" http://collector:4318/ ", Some("http://collector:4318/v1/traces")),
            ("http://collector/otlp/", Some("http://collector/otlp/v1/traces")),
            ("https://collector:4318", Some("https://collector:4318/v1/traces")),
            ("", None),
        ] {
            assert_eq!(settings(text).traces_url().as_deref(), url, "{text}");
        }
        for text in ["127.0.0.1:4318", "https://x/#a", "grpc://collector", "http://", "http://x/?a=b"] {
            assert!(endpoint(text).unwrap_err().to_string().contains("http://127.0.0.1:4318"), "{text}");
        }
        assert_eq!(format!("{:?}", endpoint("http://me:secret@collector:4318").unwrap()), "collector");
    }
}
