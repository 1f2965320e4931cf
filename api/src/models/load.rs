//! Loads a file of the folder into the registry.

use super::{
    folder::ModelName, loading::LoadError, network::Network, registry::LoadedModel, service::Models,
};
use std::sync::Arc;

impl Models {
    /// Loads a model from the folder, replacing one of the same name and shape; true when none was loaded. The work
    /// runs on a separate thread. A failure changes nothing, and is counted when the file is the cause.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load(self: &Arc<Self>, name: ModelName) -> Result<(Arc<LoadedModel>, bool), LoadError> {
        let models = self.clone();
        self.loading.run(move || models.load_now(&name)).await?
    }

    /// Loads everything in the folder. Failures are logged and counted; the other models are served.
    pub async fn load_all(self: &Arc<Self>) {
        self.refresh_metrics();
        for name in self.folder.names() {
            // A failure is already logged.
            let _ = self.load(name).await;
        }
        let models = self.registry.list().len();
        tracing::info!(folder = %self.folder.path().display(), models, "models loaded");
    }

    fn load_now(&self, name: &ModelName) -> Result<(Arc<LoadedModel>, bool), LoadError> {
        let outcome = self.try_load(name);
        match &outcome {
            Ok((model, new)) => {
                tracing::info!(model = name.as_str(), bytes = model.size(), replaced = !new, "model loaded");
            }
            Err(LoadError::Unfit(reason)) => {
                self.metrics.failures(name).inc();
                tracing::warn!(model = name.as_str(), reason, "model load failed");
            }
            Err(error) => tracing::info!(model = name.as_str(), error = %error, "model load refused"),
        }
        outcome
    }

    #[cfg_attr(
        not(feature = "inference"),
        expect(
            unreachable_code,
            unused_variables,
            reason = "without the feature `inference`, `Network::parse` always fails"
        )
    )]
    fn try_load(&self, name: &ModelName) -> Result<(Arc<LoadedModel>, bool), LoadError> {
        let bytes = self.folder.read(name)?;
        let size = bytes.len() as u64;
        let network = Network::parse(bytes).map_err(|reason| LoadError::Unfit(reason.0))?;
        let model = Arc::new(LoadedModel::new(name.clone(), size, network));
        self.metrics.declare_failures(name);
        self.metrics.inference(name.as_str());
        let new = self.registry.insert(model.clone())?;
        Ok((model, new))
    }
}
