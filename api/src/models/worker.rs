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

/// How often a delayed run checks whether it should go on: the client may have left, or the fault been lifted.
const LOOK: Duration = Duration::from_millis(10);

/// Why there are no predictions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// The queue is full.
    #[error("the queue is full")]
    Full,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopped,
    /// Not finished within the deadline.
    #[error("the deadline has passed")]
    Late,
    /// A fault made it fail.
    #[error("failed by an injected fault")]
    Injected,
    /// The prediction for this row is not finite: its numbers are out of range for the model.
    #[error("row {0} has no finite prediction")]
    NotFinite(usize),
    /// The model failed, although its test run at loading succeeded.
    #[error("the model failed: {0}")]
    Failed(String),
}

/// Rows to run, and where the result goes.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) model: Arc<LoadedModel>,
    pub(super) rows: Rows,
    /// Receives the ids of faults before they act on the job.
    pub(super) faults: Arc<OnceLock<Vec<String>>>,
    pub(super) reply: oneshot::Sender<Result<Vec<Vec<f32>>, InferError>>,
}

/// Starts a worker, which ends when the queue is stopped.
///
/// # Errors
/// When the system provides no more threads.
pub(super) fn start(
    number: usize,
    queue: Arc<Queue<Job>>,
    faults: Arc<Faults>,
    metrics: ModelMetrics,
) -> std::io::Result<()> {
    let work = move || {
        let pool = Pool::single();
        while let Some(job) = queue.pop() {
            // A client may disconnect between the queue and here.
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
        // The only place that sets it, once per job.
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
    // Counted before the response, so that a client that has the response finds it counted. Also counted when the
    // client has left, or the slowest runs would be missing.
    metrics.inference(model.name()).observe(started.elapsed().as_secs_f64());
    let _ = reply.send(outcome);
}

fn run(model: &LoadedModel, rows: &Rows, pool: &Pool) -> Result<Vec<Vec<f32>>, InferError> {
    let width = model.description().predictions;
    let values = model.network.run(rows, pool).map_err(|reason| InferError::Failed(reason.0))?;
    let predictions: Vec<Vec<f32>> = values.chunks_exact(width).map(<[f32]>::to_vec).collect();
    match predictions.iter().position(|row| !row.iter().all(|value| value.is_finite())) {
        Some(row) => Err(InferError::NotFinite(row)),
        None => Ok(predictions),
    }
}
