//! Loads one after another, each on a thread of its own. One that takes too long is left to itself, as nothing can end a
//! thread, and the next begins; only so many are left to themselves at once.

use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

/// Most models loaded at once, and most names with a label of their own.
pub const MOST_MODELS: usize = 100;
/// Longest a load waits for the one before it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Most threads at once: one whose outcome is waited for, and others that took too long.
const THREADS: usize = 4;

/// Stack of a thread: graphs nest, and the reader follows them by recursion.
const STACK: usize = 16 * 1024 * 1024;

/// Why a model was not loaded. The texts are fit for the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The folder has no such file.
    #[error("the models folder has no file of this name")]
    Missing,
    /// The file holds nothing that can be served.
    #[error("{0}")]
    Unfit(String),
    /// [`MOST_MODELS`] are loaded.
    #[error("{MOST_MODELS} models are loaded, the most this server takes; unload one first")]
    TooMany,
    /// Other loads take their time.
    #[error("another model is being loaded; try again shortly")]
    Busy,
    /// The load did not end in time.
    #[error(
        "the model took longer than {} to load; it goes on, and GET /models shows it should it come to an end",
        humantime::format_duration(*.0)
    )]
    TooSlow(Duration),
}

/// The order of loads.
#[derive(Debug)]
pub(super) struct Loading {
    /// One at a time: each may hold a whole file in memory.
    turn: Arc<Semaphore>,
    threads: Arc<Semaphore>,
    limit: Duration,
}

impl Loading {
    /// Each load is waited for this long.
    pub(super) fn new(limit: Duration) -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), threads: Arc::new(Semaphore::new(THREADS)), limit }
    }

    /// Does the work when it is its turn. Who hangs up meanwhile gives up the outcome; the work is done all the same.
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
            // Who asked may have hung up.
            let _ = reply.send(outcome);
        };
        // No pool's thread: a runtime would wait for it when it ends.
        let started = std::thread::Builder::new().name("model-load".to_owned()).stack_size(STACK).spawn(work);
        if let Err(error) = started {
            tracing::error!(%error, "no thread to load a model");
            return Err(LoadError::Busy);
        }
        let limit = self.limit;
        // A task of its own holds the turn: who hangs up does not give it to the next.
        let outcome = tokio::spawn(async move {
            let outcome = timeout(limit, done).await;
            drop(turn);
            match outcome {
                Ok(Ok(outcome)) => Ok(outcome),
                Ok(Err(_)) => Err(LoadError::Unfit("the model could not be loaded".to_owned())),
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

    /// Work that ends when it is told to.
    fn stuck() -> (Sender<()>, impl FnOnce() -> u32 + Send) {
        let (end, ended) = channel();
        (end, move || ended.recv().map_or(1, |()| 2))
    }

    #[tokio::test]
    async fn what_takes_too_long_holds_up_nobody_until_there_are_too_many() {
        let loading = Loading::new(Duration::from_millis(20));
        let mut stuck_ones = Vec::new();
        for _ in 0..THREADS {
            let (end, work) = stuck();
            assert_eq!(loading.run(work).await, Err(LoadError::TooSlow(Duration::from_millis(20))));
            stuck_ones.push(end);
        }
        assert_eq!(loading.run(|| 7).await, Err(LoadError::Busy), "all threads are taken");
        stuck_ones.pop();
        // Its thread ends as soon as it is let; a busy machine may take longer than the limit for the next.
        let next = async { while loading.run(|| 7).await != Ok(7) {} };
        timeout(LONG, next).await.expect("there is a thread again");
    }

    #[tokio::test]
    async fn one_after_the_other_though_the_first_who_asked_hangs_up() {
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
        assert!(timeout(Duration::from_millis(20), &mut second).await.is_err(), "the first is at it");
        end.send(()).unwrap();
        assert_eq!(second.await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_is_an_unfit_file() {
        let loading = Loading::new(LONG);
        let outcome = loading.run(|| -> u32 { panic!("on purpose") }).await;
        assert!(matches!(outcome, Err(LoadError::Unfit(_))), "{outcome:?}");
        assert_eq!(loading.run(|| 7).await, Ok(7));
    }
}
