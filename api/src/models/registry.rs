//! The loaded models.

use super::{
    describe::Description,
    folder::ModelName,
    loading::{LoadError, MAX_MODELS},
    network::Network,
};
use parking_lot::RwLock;
use prometheus::IntGauge;
use std::{collections::BTreeMap, sync::Arc};

/// A model that can be run.
#[derive(Debug)]
pub struct LoadedModel {
    name: ModelName,
    size: u64,
    pub(super) network: Network,
}

impl LoadedModel {
    pub(super) fn new(name: ModelName, size: u64, network: Network) -> Self {
        Self { name, size, network }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The size of its file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its inputs and outputs.
    pub fn description(&self) -> &Description {
        self.network.description()
    }
}

/// Loaded models by name. A run holds its model, so replacing or removing it does not affect the run.
#[derive(Debug)]
pub(super) struct Registry {
    models: RwLock<BTreeMap<ModelName, Arc<LoadedModel>>>,
    loaded: IntGauge,
}

impl Registry {
    pub(super) fn new(loaded: IntGauge) -> Self {
        Self { models: RwLock::default(), loaded }
    }

    pub(super) fn list(&self) -> Vec<Arc<LoadedModel>> {
        self.models.read().values().cloned().collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<LoadedModel>> {
        self.models.read().get(name).cloned()
    }

    /// Adds a model; true when none of its name was loaded. Clients of a name rely on its shape, so a replacement with
    /// another shape is [`LoadError::Unfit`].
    pub(super) fn insert(&self, model: Arc<LoadedModel>) -> Result<bool, LoadError> {
        let mut models = self.models.write();
        let shape = |model: &LoadedModel| {
            let description = model.description();
            (description.features, description.predictions, description.rows)
        };
        let written = |(features, predictions, rows)| {
            format!("(features {features}, predictions {predictions}, batch size {rows})")
        };
        match models.get(&model.name) {
            Some(old) if shape(old) != shape(&model) => {
                return Err(LoadError::Unfit(format!(
                    "the file has another shape {} than the loaded model of this name {}; unload that model first if \
                     its clients expect the change",
                    written(shape(&model)),
                    written(shape(old)),
                )));
            }
            None if models.len() >= MAX_MODELS => return Err(LoadError::TooMany),
            _ => {}
        }
        let old = models.insert(model.name.clone(), model);
        self.loaded.set(models.len() as i64);
        Ok(old.is_none())
    }

    /// Removes a model; false when there was none of this name.
    pub(super) fn remove(&self, name: &str) -> bool {
        let mut models = self.models.write();
        let removed = models.remove(name).is_some();
        self.loaded.set(models.len() as i64);
        removed
    }
}
