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

/// Where models come from and how inference is bounded.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder of NAME.onnx files.
    pub folder: PathBuf,
    /// Threads that run models.
    pub workers: usize,
    /// Requests that may wait for a model.
    pub queue: usize,
    /// Longest a request waits for its predictions.
    pub deadline: Duration,
    /// Longest a model may take to be loaded and tried.
    pub load_timeout: Duration,
}

/// Why the models cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A metric is declared twice.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
    /// The system gives no thread.
    #[error(transparent)]
    Thread(#[from] std::io::Error),
}

/// The models part of the gateway.
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
    /// Looks at the folder, declares the metrics and starts the workers; loads nothing yet.
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
