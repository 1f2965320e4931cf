//! The threads that run models.

use super::{
    describe::Rows,
    fault::{Fate, Faults},
    metrics::ModelMetrics,
    network::Pool,
    queue::Queue,
    registry::LoadedModel,
};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How often a delayed run looks whether it should go on: nobody waits any more, or the fault was lifted.
const LOOK: Duration = Duration::from_millis(10);

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

/// Rows to run and where the answer goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) model: Arc<LoadedModel>,
    pub(super) rows: Rows,
    /// Where the ids of faults go that act on it, before they do.
    pub(super) faults: Arc<OnceLock<Vec<String>>>,
    pub(super) reply: oneshot::Sender<Result<Vec<Vec<f32>>, InferError>>,
}

/// Starts a worker, which ends when the queue is stopped.
///
/// # Errors
/// When the system gives no further thread.
pub(super) fn start(
    number: usize,
    queue: Arc<Queue<Job>>,
    faults: Arc<Faults>,
    metrics: ModelMetrics,
) -> std::io::Result<()> {
    let work = move || {
        let pool = Pool::single();
        while let Some(job) = queue.pop() {
            // A client may hang up between the queue and here.
            if !job.reply.is_closed() {
                serve(job, &queue, &faults, &metrics, &pool);
            }
        }
    };
    std::thread::Builder::new().name(format!("inference-{number}")).spawn(work).map(|_| ())
}

fn serve(job: Job, queue: &Queue<Job>, in_force: &Faults, metrics: &ModelMetrics, pool: &Pool) {
    let Job { model, rows, faults, reply } = job;
    let started = Instant::now();
    let fate = in_force.decide();
    if let Some(Fate { delay, faults: acting, .. }) = &fate {
        // Only here it is set, once for each job.
        let _ = faults.set(acting.clone());
        let until = started + *delay;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if reply.is_closed() || queue.is_stopped() || in_force.are_lifted() {
                break;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
    let outcome = match fate {
        Some(Fate { fail: true, .. }) => Err(InferError::Injected),
        _ => run(&model, &rows, pool),
    };
    // Counted before it is answered, so that who has the answer finds it counted; and counted though nobody
    // waits any more, or the slowest would be missing.
    metrics.inference(model.name()).observe(started.elapsed().as_secs_f64());
    let _ = reply.send(outcome);
}

fn run(model: &LoadedModel, rows: &Rows, pool: &Pool) -> Result<Vec<Vec<f32>>, InferError> {
    let width = model.description().predictions;
    let values = model.network.run(rows, pool).map_err(InferError::Failed)?;
    let predictions: Vec<Vec<f32>> = values.chunks_exact(width).map(<[f32]>::to_vec).collect();
    match predictions.iter().position(|row| !row.iter().all(|value| value.is_finite())) {
        Some(row) => Err(InferError::NotFinite(row)),
        None => Ok(predictions),
    }
}
