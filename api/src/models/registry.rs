//! The models that are loaded now.

use super::{
    describe::Description,
    folder::{MOST_MODELS, ModelName},
    network::Network,
};
use prometheus::IntGauge;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

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

    /// What it takes and gives.
    pub fn description(&self) -> &Description {
        self.network.description()
    }
}

/// Why a sound model was not taken in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// As many are loaded as may be.
    TooMany,
    /// Those who use the model of this name send and expect another shape.
    OtherShape(Arc<LoadedModel>),
}

/// Loaded models by name. Who runs one holds it, so replacing or removing it disturbs nobody.
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
        self.models.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<LoadedModel>> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Takes a model in; true when none of its name was loaded.
    pub(super) fn insert(&self, model: Arc<LoadedModel>) -> Result<bool, Refusal> {
        let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
        let shape = |model: &LoadedModel| {
            let description = model.description();
            (description.features, description.predictions, description.rows)
        };
        match models.get(&model.name) {
            Some(old) if shape(old) != shape(&model) => return Err(Refusal::OtherShape(old.clone())),
            None if models.len() >= MOST_MODELS => return Err(Refusal::TooMany),
            _ => {}
        }
        let old = models.insert(model.name.clone(), model);
        self.loaded.set(models.len() as i64);
        Ok(old.is_none())
    }

    /// Removes a model; false when there was none of this name.
    pub(super) fn remove(&self, name: &str) -> bool {
        let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
        let removed = models.remove(name).is_some();
        self.loaded.set(models.len() as i64);
        removed
    }
}
