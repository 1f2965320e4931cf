//! A prediction request, from its rows to its result.

use super::{
    describe::Rows,
    queue::Refusal,
    registry::LoadedModel,
    service::Models,
    worker::{InferError, Job},
};
use std::sync::{Arc, OnceLock};
use tokio::{sync::oneshot, time::timeout};

/// Result of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// The predictions for each input row.
    pub outcome: Result<Vec<Vec<f32>>, InferError>,
    /// Ids of the faults that acted on it.
    pub faults: Vec<String>,
}

impl Models {
    /// Runs a model. Time in the queue counts towards the deadline; dropping the future leaves the queue.
    pub async fn infer(&self, model: Arc<LoadedModel>, rows: Rows) -> Inferred {
        let faults = Arc::new(OnceLock::new());
        let outcome = self.run(model, rows, faults.clone()).await;
        Inferred { outcome, faults: faults.get().cloned().unwrap_or_default() }
    }

    async fn run(
        &self,
        model: Arc<LoadedModel>,
        rows: Rows,
        faults: Arc<OnceLock<Vec<String>>>,
    ) -> Result<Vec<Vec<f32>>, InferError> {
        let (reply, result) = oneshot::channel();
        let _ticket =
            self.queue.push(Job { model, rows, faults, reply }).map_err(|refusal| match refusal {
                Refusal::Full => InferError::Full,
                Refusal::Stopped => InferError::Stopped,
            })?;
        match timeout(self.deadline, result).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(InferError::Stopped),
            Err(_) => Err(InferError::Late),
        }
    }
}
