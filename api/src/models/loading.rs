//! Loads models one after another, each on a separate thread. A load that takes too long is abandoned, because a thread
//! cannot be ended, and the next one starts. The number of abandoned loads is limited.

use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

/// Maximum number of models loaded at once, and of names with a label of their own.
pub const MAX_MODELS: usize = 100;
/// Maximum time a load waits for the previous one.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Maximum number of threads at once: one whose result is awaited, and abandoned ones.
const THREADS: usize = 4;

/// Stack size of a thread: graphs nest, and the reader follows them by recursion.
const STACK: usize = 16 * 1024 * 1024;

/// Why a model was not loaded. The messages may be sent to clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The folder has no such file.
    #[error("the models folder has no file of this name")]
    Missing,
    /// The file is not a usable model.
    #[error("{0}")]
    Unfit(String),
    /// [`MAX_MODELS`] are loaded.
    #[error("{MAX_MODELS} models are loaded, which is the maximum; unload one first")]
    TooMany,
    /// Other loads are in progress.
    #[error("another model is being loaded; try again shortly")]
    Busy,
    /// The load did not end in time.
    #[error(
        "loading took longer than {} and continues in the background; GET /models lists the model once it is loaded",
        humantime::format_duration(*.0)
    )]
    TooSlow(Duration),
}

/// Runs loads in order.
#[derive(Debug)]
pub(super) struct Loading {
    /// One at a time: each may hold a complete file in memory.
    turn: Arc<Semaphore>,
    threads: Arc<Semaphore>,
    limit: Duration,
}

impl Loading {
    /// `limit` is the longest wait for a load.
    pub(super) fn new(limit: Duration) -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), threads: Arc::new(Semaphore::new(THREADS)), limit }
    }

    /// Runs the work when it is its turn. A client that disconnects only gives up the result; the work is done anyway.
    ///
    /// # Errors
    /// [`LoadError::Busy`], [`LoadError::TooSlow`]; [`LoadError::Unfit`] when the work panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LoadError> {
        let turn = timeout(LONGEST_WAIT, self.turn.clone().acquire_owned());
        let Ok(Ok(turn)) = turn.await else { return Err(LoadError::Busy) };
        let Ok(thread) = self.threads.clone().try_acquire_owned() else { return Err(LoadError::Busy) };
        let (reply, done) = oneshot::channel();
        let work = move || {
            let outcome = work();
            drop(thread);
            // The caller may have disconnected.
            let _ = reply.send(outcome);
        };
        // Not a thread of a pool: the runtime would wait for it at its end.
        let started = std::thread::Builder::new().name("model-load".to_owned()).stack_size(STACK).spawn(work);
        if let Err(error) = started {
            tracing::error!(%error, "cannot start a thread to load a model");
            return Err(LoadError::Busy);
        }
        let limit = self.limit;
        // A separate task holds the turn, so a disconnect does not pass it on early.
        let outcome = tokio::spawn(async move {
            let outcome = timeout(limit, done).await;
            drop(turn);
            match outcome {
                Ok(Ok(outcome)) => Ok(outcome),
                Ok(Err(_)) => Err(LoadError::Unfit("loading the model failed".to_owned())),
                Err(_) => Err(LoadError::TooSlow(limit)),
            }
        });
        outcome.await.unwrap_or(Err(LoadError::Busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    const LONG: Duration = Duration::from_secs(60);

    /// Work that ends when released.
    fn stuck() -> (Sender<()>, impl FnOnce() -> u32 + Send) {
        let (end, ended) = channel();
        (end, move || ended.recv().map_or(1, |()| 2))
    }

    #[tokio::test]
    async fn slow_loads_block_others_only_beyond_the_thread_limit() {
        let loading = Loading::new(Duration::from_millis(20));
        let mut stuck_ones = Vec::new();
        for _ in 0..THREADS {
            let (end, work) = stuck();
            assert_eq!(loading.run(work).await, Err(LoadError::TooSlow(Duration::from_millis(20))));
            stuck_ones.push(end);
        }
        assert_eq!(loading.run(|| 7).await, Err(LoadError::Busy), "all threads are in use");
        stuck_ones.pop();
        // Its thread ends once released; a busy machine may take longer than the limit for the next.
        let next = async { while loading.run(|| 7).await != Ok(7) {} };
        timeout(LONG, next).await.expect("a thread is free again");
    }

    #[tokio::test]
    async fn loads_stay_in_order_when_a_caller_disconnects() {
        let loading = Arc::new(Loading::new(LONG));
        let (end, work) = stuck();
        let first = tokio::spawn({
            let loading = loading.clone();
            async move { loading.run(work).await }
        });
        while loading.threads.available_permits() == THREADS {
            tokio::task::yield_now().await;
        }
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let mut second = Box::pin(loading.run(|| 7));
        assert!(timeout(Duration::from_millis(20), &mut second).await.is_err(), "the first is still running");
        end.send(()).unwrap();
        assert_eq!(second.await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_counts_as_an_unusable_file() {
        let loading = Loading::new(LONG);
        let outcome = loading.run(|| -> u32 { panic!("on purpose") }).await;
        assert!(matches!(outcome, Err(LoadError::Unfit(_))), "{outcome:?}");
        assert_eq!(loading.run(|| 7).await, Ok(7));
    }
}
