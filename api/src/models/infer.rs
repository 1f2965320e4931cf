//! A request for predictions: from its rows to its answer.

use super::{LoadedModel, Models, queue::Refusal, worker::Job};
use std::sync::{Arc, OnceLock};
use tokio::{sync::oneshot, time::timeout};

/// Rows of input, checked against a model's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// How many.
    pub count: usize,
    /// Their numbers, row after row.
    pub values: Vec<f32>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// For each row of input its predictions.
    pub outcome: Result<Vec<Vec<f32>>, InferError>,
    /// Ids of the faults that acted on it.
    pub faults: Vec<String>,
}

/// Why there are no predictions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// As many requests wait as may.
    #[error("the queue is full")]
    Full,
    /// The gateway is about to end.
    #[error("the models are stopping")]
    Stopped,
    /// Not done within the deadline.
    #[error("the deadline has passed")]
    Late,
    /// A fault made it fail.
    #[error("failed by an injected fault")]
    Injected,
    /// The prediction for this row is no finite number: the row's numbers are beyond what the model can work with.
    #[error("row {0} has no finite prediction")]
    NotFinite(usize),
    /// The model broke, though it worked when it was tried at loading.
    #[error("the model failed: {0}")]
    Failed(String),
}

impl Models {
    /// Runs a model. Waiting in the queue counts towards the deadline; dropping the future gives the place up.
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
        let (reply, answer) = oneshot::channel();
        let _ticket =
            self.queue.push(Job { model, rows, faults, reply }).map_err(|refusal| match refusal {
                Refusal::Full => InferError::Full,
                Refusal::Stopped => InferError::Stopped,
            })?;
        match timeout(self.deadline, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(InferError::Stopped),
            Err(_) => Err(InferError::Late),
        }
    }
}
