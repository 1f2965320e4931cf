//! ONNX models: files in the models folder, loaded by name, run by a fixed number of threads behind a bounded queue.
//!
//! A file goes folder → wire (its outline) → network (parsed and tried once) → registry; a request goes registry → queue → worker.
//! Whatever a file holds, loading it ends in a model or in a reason; the models loaded before serve on.
//!
//! The folder is the operator's: a model is a program, and though it cannot read or write anything of ours, the
//! time and memory it takes are bounded by the file's size, the rows of a request and the deadline only.

#[cfg(not(feature = "inference"))]
#[path = "absent.rs"]
mod network;
#[cfg(feature = "inference")]
mod network;

mod describe;
mod fault;
mod folder;
mod infer;
mod load;
mod loading;
mod metrics;
mod queue;
mod registry;
#[cfg(feature = "inference")]
mod wire;
mod worker;

pub use describe::{Description, Port};
pub use folder::ModelName;
pub use infer::{InferError, Inferred, Rows};
pub use load::LoadError;
pub use registry::LoadedModel;

use crate::{config::ModelSettings, fault::ModelFaults};
use fault::Faults;
use folder::Folder;
use loading::Loading;
use metrics::ModelMetrics;
use prometheus::Registry as MetricRegistry;
use queue::Queue;
use registry::Registry;
use std::{sync::Arc, time::Duration};
use worker::Job;

/// Whether this build can run models: the cargo feature `inference`.
pub const AVAILABLE: bool = cfg!(feature = "inference");

/// Most models loaded at once, and most names with a label of their own.
pub const MOST_MODELS: usize = 100;

/// The models part of the gateway.
#[derive(Debug)]
pub struct Models {
    folder: Folder,
    registry: Registry,
    queue: Arc<Queue<Job>>,
    faults: Arc<Faults>,
    metrics: ModelMetrics,
    loading: Loading,
    deadline: Duration,
}

impl Models {
    /// Looks at the folder, declares the metrics and starts the workers; loads nothing yet.
    ///
    /// # Errors
    /// When the folder named cannot be used, a metric is declared twice or the system gives no thread.
    pub fn open(settings: &ModelSettings, metrics: &MetricRegistry) -> Result<Arc<Self>, crate::StartError> {
        let folder = Folder::new(settings.folder()?);
        let failed = |error: &dyn std::fmt::Display| crate::StartError::Metrics(error.to_string());
        let metrics = ModelMetrics::register(metrics).map_err(|error| failed(&error))?;
        let queue = Arc::new(Queue::new(settings.inference_queue, metrics.queue_depth.clone()));
        let faults = Arc::new(Faults::default());
        if AVAILABLE {
            for number in 0..settings.workers() {
                worker::start(number, queue.clone(), faults.clone(), metrics.clone())?;
            }
        }
        Ok(Arc::new(Self {
            folder,
            registry: Registry::new(metrics.loaded.clone()),
            queue,
            faults,
            metrics,
            loading: Loading::new(settings.model_load_timeout),
            deadline: settings.inference_deadline,
        }))
    }

    /// Every loaded model, by name.
    pub fn list(&self) -> Vec<Arc<LoadedModel>> {
        self.registry.list()
    }

    /// A loaded model.
    pub fn get(&self, name: &str) -> Option<Arc<LoadedModel>> {
        self.registry.get(name)
    }

    /// Unloads a model; false when it was not loaded. Requests that have it already are still answered.
    pub fn unload(&self, name: &str) -> bool {
        let unloaded = self.registry.remove(name);
        if unloaded {
            tracing::info!(model = name, "unloaded");
        }
        unloaded
    }

    /// Slows or fails the models from now on; none lifts it, for those that are slowed right now too.
    pub fn set_faults(&self, faults: ModelFaults) {
        self.faults.set(faults);
    }

    /// Gives every model file in the folder its failure series at zero: a counter born at 5 has no increase.
    pub fn refresh_metrics(&self) {
        if AVAILABLE {
            self.folder.names().iter().for_each(|name| self.metrics.declare_failures(name));
        }
    }

    /// Ends the workers once they are done with what they run; requests still waiting are answered 503.
    pub fn close(&self) {
        self.queue.stop();
    }
}

impl Drop for Models {
    fn drop(&mut self) {
        self.close();
    }
}
