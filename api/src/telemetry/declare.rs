//! Structs of metrics: each field is one metric, and its comment is the HELP text.

use prometheus::{
    CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, core::Collector,
};

/// A type of metric that [`metrics!`] can declare. Only histograms have buckets.
pub(crate) trait Declare: Collector + Clone + Sized + 'static {
    fn declare(name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> prometheus::Result<Self>;
}

macro_rules! declare {
    ($($kind:ty),* => |$name:ident, $help:ident, $labels:pat_param, $buckets:pat_param| $new:expr) => {$(
        impl Declare for $kind {
            fn declare($name: &str, $help: &str, $labels: &[&str], $buckets: &[f64]) -> prometheus::Result<Self> {
                $new
            }
        }
    )*};
}
declare!(IntCounter, IntGauge, Gauge => |name, help, _, _| Self::with_opts(Opts::new(name, help)));
declare!(CounterVec, IntCounterVec, IntGaugeVec, GaugeVec => |name, help, labels, _| Self::new(Opts::new(name, help), labels));
declare!(Histogram => |name, help, _, buckets| {
    Self::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
});
declare!(HistogramVec => |name, help, labels, buckets| {
    Self::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)
});

/// Declares a struct: `/// HELP` `field: Type = "name" ["label", …] in BUCKETS;`.
macro_rules! metrics {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $struct:ident {
            $(#[doc = $help:literal]
            $field_visibility:vis $field:ident: $kind:ident = $name:literal [$($label:literal),*] $(in $buckets:expr)?;)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone)]
        $visibility struct $struct {
            $(#[doc = $help] $field_visibility $field: $kind,)*
        }

        impl $struct {
            /// Declares every metric and registers it.
            ///
            /// # Errors
            /// When a name is registered twice.
            $visibility fn register(registry: &prometheus::Registry) -> prometheus::Result<Self> {
                use $crate::telemetry::Declare;
                $(
                    let buckets: &[&[f64]] = &[$($buckets)?];
                    let $field = $kind::declare($name, $help.trim(), &[$($label),*], &buckets.concat())?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Self { $($field),* })
            }
        }
    };
}
pub(crate) use metrics;
