//! Renders `/metrics`.

use super::http::{HttpMetrics, REQUESTS};
use prometheus::{
    Encoder, Registry, TextEncoder,
    proto::{Counter, Metric, MetricFamily, MetricType},
};

/// The text format's media type.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Older names of the request counter, kept for dashboards that use them.
const OLDER_NAMES: &[&str] = &["app_requests_total", "request_count_total"];

/// Renders every family, sorted by name and labels.
///
/// # Errors
/// When a family is malformed, which is a bug in this program.
pub(crate) fn render(http: &HttpMetrics, registry: &Registry) -> prometheus::Result<Vec<u8>> {
    let mut families = http.gather();
    for family in &mut families {
        family.mut_metric().sort_by(|a, b| labels(a).cmp(labels(b)));
    }
    let total = families
        .iter()
        .filter(|family| family.name() == REQUESTS)
        .flat_map(MetricFamily::get_metric)
        .map(|metric| metric.get_counter().get_value())
        .sum();
    families.extend(OLDER_NAMES.iter().map(|name| older(name, total)));
    families.extend(registry.gather());
    families.sort_by(|a, b| a.name().cmp(b.name()));
    encode(&families)
}

/// Renders the custom metrics, which the admin listener serves.
///
/// # Errors
/// When a family is malformed, which is a bug in this program.
pub(crate) fn render_custom(custom: &Registry) -> prometheus::Result<Vec<u8>> {
    encode(&custom.gather())
}

fn encode(families: &[MetricFamily]) -> prometheus::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(32 * 1024);
    TextEncoder::new().encode(families, &mut text)?;
    Ok(text)
}

fn labels(metric: &Metric) -> impl Iterator<Item = (&str, &str)> {
    metric.get_label().iter().map(|pair| (pair.name(), pair.value()))
}

/// The sum over all labels under an older name. It is derived, so the two names always agree.
fn older(name: &str, total: f64) -> MetricFamily {
    let mut counter = Counter::default();
    counter.set_value(total);
    let mut metric = Metric::default();
    metric.set_counter(counter);
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(format!("Completed HTTP requests. Older name for the sum of {REQUESTS}."));
    family.set_field_type(MetricType::COUNTER);
    family.set_metric(vec![metric]);
    family
}
