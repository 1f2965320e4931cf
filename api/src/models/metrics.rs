//! The models' metrics.

use super::{folder::ModelName, loading::MAX_MODELS};
use crate::telemetry::metrics;
use parking_lot::Mutex;
use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry};
use std::{collections::BTreeSet, sync::Arc};

/// Seconds. Small models take tens of microseconds, and the threshold of SlowInference is about one second.
const BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The `model` label of failures beyond the limit on names.
const OTHER: &str = "other";

metrics! {
    /// The registered metrics.
    pub(super) struct Families {
        /// Loaded models.
        pub(super) loaded: IntGauge = "models_loaded" [];
        /// Duration of a model run in seconds, including injected delays and excluding time in the queue.
        inference: HistogramVec = "inference_duration_seconds" ["model"] in BUCKETS;
        /// Inference requests waiting for a worker.
        pub(super) queue_depth: IntGauge = "inference_queue_depth" [];
        /// Failed model loads caused by the file, by model.
        failures: IntCounterVec = "model_load_failures_total" ["model"];
    }
}

/// The metrics of the models.
#[derive(Debug, Clone)]
pub(super) struct ModelMetrics {
    pub(super) families: Families,
    /// Names with a label: those of files that were in the folder.
    names: Arc<Mutex<BTreeSet<String>>>,
}

impl ModelMetrics {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let families = Families::register(registry)?;
        families.failures.with_label_values(&[OTHER]);
        Ok(Self { families, names: Arc::default() })
    }

    /// Creates the failure series of a model whose file is in the folder, at zero when it is new.
    pub(super) fn declare_failures(&self, name: &ModelName) {
        self.failures(name);
    }

    /// Counts a failure of a model whose file is in the folder. Names beyond the limit share one series.
    pub(super) fn failures(&self, name: &ModelName) -> IntCounter {
        let mut names = self.names.lock();
        let known = names.contains(name.as_str())
            || (names.len() < MAX_MODELS && names.insert(name.as_str().to_owned()));
        self.families.failures.with_label_values(&[if known { name.as_str() } else { OTHER }])
    }

    /// The run time of a loaded model. Bounded like the failures, which loading declares first.
    pub(super) fn inference(&self, name: &str) -> prometheus::Histogram {
        let names = self.names.lock();
        self.families.inference.with_label_values(&[if names.contains(name) { name } else { OTHER }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_a_series() {
        let registry = Registry::new();
        let metrics = ModelMetrics::register(&registry).unwrap();
        for number in 0..MAX_MODELS + 20 {
            let name = ModelName::parse(&format!("m{number}")).unwrap();
            metrics.failures(&name).inc();
            metrics.inference(name.as_str()).observe(0.1);
        }
        let count = |name: &str| {
            let families = registry.gather();
            families.iter().find(|family| family.name() == name).unwrap().get_metric().len()
        };
        assert_eq!(count("model_load_failures_total"), MAX_MODELS + 1);
        assert_eq!(count("inference_duration_seconds"), MAX_MODELS + 1);
        assert_eq!(metrics.families.failures.with_label_values(&[OTHER]).get(), 20);
        assert_eq!(metrics.families.failures.with_label_values(&["m0"]).get(), 1);
    }
}
