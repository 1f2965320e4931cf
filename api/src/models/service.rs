use super::{
    fault::Faults,
    folder::Folder,
    loading::Loading,
    metrics::ModelMetrics,
    queue::Queue,
    registry::{LoadedModel, Registry},
    worker::{self, Job},
};
use crate::fault::ModelFaults;
use prometheus::Registry as MetricRegistry;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Whether this build can run models: the cargo feature `inference`.
pub const AVAILABLE: bool = cfg!(feature = "inference");

/// Settings of models and inference.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder of NAME.onnx files.
    pub folder: PathBuf,
    /// Threads that run models.
    pub workers: usize,
    /// Requests that may wait for a model.
    pub queue: usize,
    /// Maximum time a request waits for its predictions.
    pub deadline: Duration,
    /// Maximum time to load and test a model.
    pub load_timeout: Duration,
}

/// Why the models cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A metric was declared twice.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
    /// The system provides no thread.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
}

/// The models of the gateway.
#[derive(Debug)]
pub struct Models {
    pub(super) folder: Folder,
    pub(super) registry: Registry,
    pub(super) queue: Arc<Queue<Job>>,
    faults: Arc<Faults>,
    pub(super) metrics: ModelMetrics,
    pub(super) loading: Loading,
    pub(super) deadline: Duration,
}

impl Models {
    /// Opens the folder, declares the metrics and starts the workers; loads nothing yet.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(settings: Settings, metrics: &MetricRegistry) -> Result<Arc<Self>, OpenError> {
        let metrics = ModelMetrics::register(metrics)?;
        let queue = Arc::new(Queue::new(settings.queue, metrics.families.queue_depth.clone()));
        let faults = Arc::new(Faults::default());
        if AVAILABLE {
            for number in 0..settings.workers {
                worker::start(number, queue.clone(), faults.clone(), metrics.clone())?;
            }
        }
        Ok(Arc::new(Self {
            folder: Folder::new(settings.folder),
            registry: Registry::new(metrics.families.loaded.clone()),
            queue,
            faults,
            metrics,
            loading: Loading::new(settings.load_timeout),
            deadline: settings.deadline,
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

    /// Unloads a model; false when it was not loaded. Requests that already hold it are still served.
    pub fn unload(&self, name: &str) -> bool {
        let unloaded = self.registry.remove(name);
        if unloaded {
            tracing::info!(model = name, "model unloaded");
        }
        unloaded
    }

    /// Slows or fails the models from now on. An empty list ends that at once, even for delayed requests.
    pub fn set_faults(&self, faults: ModelFaults) {
        self.faults.set(faults);
    }

    /// Creates the failure series of every model file in the folder at zero: a counter that starts at 5 has no
    /// increase.
    pub fn refresh_metrics(&self) {
        if AVAILABLE {
            self.folder.names().iter().for_each(|name| self.metrics.declare_failures(name));
        }
    }

    /// Ends the workers once they have finished their current runs; waiting requests get 503.
    pub fn close(&self) {
        self.queue.stop();
    }
}

impl Drop for Models {
    fn drop(&mut self) {
        self.close();
    }
}
