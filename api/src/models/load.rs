//! From a file in the folder to a model in the registry.

use super::{
    folder::ModelName, loading::LoadError, network::Network, registry::LoadedModel, service::Models,
};
use std::sync::Arc;

impl Models {
    /// Loads a model from the folder, in place of one of the same name and shape; true when none was there.
    /// The work is done on a thread of its own. A failure leaves everything as it was, and is counted when the
    /// file is to blame.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load(self: &Arc<Self>, name: ModelName) -> Result<(Arc<LoadedModel>, bool), LoadError> {
        let models = self.clone();
        self.loading.run(move || models.load_now(&name)).await?
    }

    /// Loads everything in the folder. What does not load is logged and counted; the rest serves.
    pub async fn load_all(self: &Arc<Self>) {
        self.refresh_metrics();
        for name in self.folder.names() {
            // The failure is logged where it happens.
            let _ = self.load(name).await;
        }
        let models = self.registry.list().len();
        tracing::info!(folder = %self.folder.path().display(), models, "models");
    }

    fn load_now(&self, name: &ModelName) -> Result<(Arc<LoadedModel>, bool), LoadError> {
        let outcome = self.try_load(name);
        match &outcome {
            Ok((model, new)) => {
                tracing::info!(model = name.as_str(), bytes = model.size(), replaced = !new, "loaded");
            }
            Err(LoadError::Unfit(reason)) => {
                self.metrics.failures(name).inc();
                tracing::warn!(model = name.as_str(), reason, "not loaded");
            }
            Err(error) => tracing::info!(model = name.as_str(), reason = %error, "not loaded"),
        }
        outcome
    }

    #[cfg_attr(
        not(feature = "inference"),
        expect(
            unreachable_code,
            unused_variables,
            reason = "without inference no network comes of any file"
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
