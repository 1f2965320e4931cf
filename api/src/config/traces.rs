use std::path::{Path, PathBuf};
use url::Url;

/// Where traces go.
#[derive(Debug, Clone, clap::Args)]
pub struct TraceSettings {
    /// Collector that is sent a span per request over OTLP/HTTP, such as http://127.0.0.1:4318; without it none is made
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "OTEL_EXPORTER_OTLP_ENDPOINT",
        hide_env_values = true,
        value_parser = endpoint
    )]
    pub otlp_endpoint: Option<OtlpEndpoint>,

    /// PEM file to check an https collector's certificate by [default: the system's authorities]
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_CERTIFICATE",
        value_name = "OTEL_EXPORTER_OTLP_CERTIFICATE",
        value_parser = super::value::path
    )]
    pub otlp_certificate: Option<PathBuf>,

    /// Name of this service in its traces
    #[arg(
        long,
        env = "OTEL_SERVICE_NAME",
        value_name = "OTEL_SERVICE_NAME",
        default_value = "firedrill-api"
    )]
    pub otel_service_name: String,

    /// Share, 0 to 1, of the traces begun here that are exported; a caller's own decision is followed
    #[arg(
        long,
        env = "OTEL_TRACES_SAMPLER_ARG",
        value_name = "OTEL_TRACES_SAMPLER_ARG",
        default_value = "1",
        value_parser = share
    )]
    pub otel_traces_sampler_arg: f64,
}

/// A collector's base address; an empty text counts as none, as compose files write it.
#[derive(Clone, PartialEq, Eq)]
pub struct OtlpEndpoint(Option<Url>);

impl std::fmt::Debug for OtlpEndpoint {
    // The address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref().and_then(Url::host_str).unwrap_or("none"))
    }
}

impl TraceSettings {
    /// The address spans are posted to, by the OTLP specification the base address with `v1/traces`; `None` when
    /// traces are not exported.
    pub fn traces_url(&self) -> Option<String> {
        let base = self.otlp_endpoint.as_ref()?.0.as_ref()?;
        Some(format!("{}/v1/traces", base.as_str().trim_end_matches('/')))
    }

    /// Whether the collector is spoken to over https.
    pub fn is_encrypted(&self) -> bool {
        let base = self.otlp_endpoint.as_ref().and_then(|endpoint| endpoint.0.as_ref());
        base.is_some_and(|base| base.scheme() == "https")
    }

    /// The file to check its certificate by, an empty variable counting as unset.
    pub fn certificate(&self) -> Option<&Path> {
        self.otlp_certificate.as_deref().filter(|path| !path.as_os_str().is_empty())
    }
}

fn endpoint(text: &str) -> Result<OtlpEndpoint, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(OtlpEndpoint(None));
    }
    let expected =
        "expected the http:// or https:// address of an OTLP/HTTP collector, such as http://127.0.0.1:4318";
    let url = Url::parse(text).map_err(|reason| format!("{expected} ({reason})"))?;
    match url.scheme() {
        "http" | "https" if url.query().is_none() && url.fragment().is_none() => Ok(OtlpEndpoint(Some(url))),
        "http" | "https" => Err(format!("{expected} (an address has no `?` or `#`)")),
        _ => Err(expected.to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1, such as 0.1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_base_addresses() {
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
            assert!(endpoint(text).unwrap_err().contains("http://127.0.0.1:4318"), "{text}");
        }
        assert_eq!(format!("{:?}", endpoint("http://me:secret@collector:4318").unwrap()), "collector");
    }
}
