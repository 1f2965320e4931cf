//! A request for predictions: from its rows to its answer.

use super::{LoadedModel, Models, queue::Refusal, worker::Job};
use std::sync::Arc;
use tokio::{sync::oneshot, time::timeout};

/// Rows of input, checked against a model's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// How many.
    pub count: usize,
    /// Their numbers, row after row.
    pub values: Vec<f32>,
}

/// What a model says.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// For each row of input its predictions.
    pub rows: Vec<Vec<f32>>,
    /// Whether a fault delayed them.
    pub injected: bool,
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
    ///
    /// # Errors
    /// [`InferError`].
    pub async fn infer(&self, model: Arc<LoadedModel>, rows: Rows) -> Result<Predictions, InferError> {
        let (reply, answer) = oneshot::channel();
        let _ticket = self.queue.push(Job { model, rows, reply }).map_err(|refusal| match refusal {
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
