//! Group commits: one task runs all queued writes in one transaction, and responds once that is durable. A disk flush
//! costs the same for one write as for hundreds.

use super::{
    database::{Database, Tx, on},
    error::StoreError,
    once::unix_now,
    queue::{Queue, Refusal},
};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// Maximum time a caller waits until its write is durable.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Time limit of one group; shorter than [`PATIENCE`], so that the reason reaches the callers.
const GROUP_LIMIT: Duration = Duration::from_secs(9);
/// How often a writer whose last group failed tries whether it can write again.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Time limit for emptying the queue at shutdown.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// A write.
pub(super) trait Write: Send + 'static {
    /// Its result.
    type Done: Send + 'static;

    /// Runs it. May be called again after a rollback.
    fn apply(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Done, StoreError>> + Send;

    /// Whether it may conflict with existing data in normal operation.
    fn may_conflict(&self) -> bool {
        false
    }

    /// Its weight in the queue and in a group.
    fn weight(&self) -> usize {
        1
    }
}

/// A write with its caller, of any type.
trait Job: Send {
    fn apply<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), StoreError>>;
    fn may_conflict(&self) -> bool;
    /// Records its own failure.
    fn fail(&mut self, error: StoreError);
    /// Its own failure, if that is an outage of the database.
    fn outage(&self) -> Option<&StoreError>;
    /// Whether its caller has left.
    fn is_abandoned(&self) -> bool;
    /// Sends the caller its own result, or the failure of the group.
    fn settle(self: Box<Self>, group: Option<&StoreError>);
}

struct Pending<W: Write> {
    write: W,
    result: Option<Result<W::Done, StoreError>>,
    reply: oneshot::Sender<Result<W::Done, StoreError>>,
}

impl<W: Write + Sync> Job for Pending<W> {
    fn apply<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.result = Some(Ok(self.write.apply(tx).await?));
            Ok(())
        })
    }

    fn may_conflict(&self) -> bool {
        self.write.may_conflict()
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(error));
    }

    fn outage(&self) -> Option<&StoreError> {
        match &self.result {
            Some(Err(error @ StoreError::Away(_))) => Some(error),
            _ => None,
        }
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn settle(self: Box<Self>, group: Option<&StoreError>) {
        let result = match (group, self.result) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(result)) => result,
            (None, None) => Err(StoreError::Failed("the group was committed without this write".to_owned())),
        };
        // An error means that the client disconnected; the write stands.
        let _ = self.reply.send(result);
    }
}

type Jobs = Queue<Box<dyn Job>>;
/// Why the last group failed; `None` when it was committed.
type Failure = Arc<Mutex<Option<StoreError>>>;

/// A queue of writes and the task that commits them.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: Arc<Jobs>,
    failure: Failure,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Writer {
    /// Starts the task. The queue holds writes with a total weight of `capacity`; a group weighs at most `group`.
    pub(super) fn start(database: Database, capacity: usize, group: usize) -> Self {
        let queue = Arc::new(Jobs::new(capacity));
        let failure = Failure::default();
        let task = tokio::spawn(run(database, queue.clone(), group, failure.clone()));
        Self { queue, failure, task: Arc::new(Mutex::new(Some(task))) }
    }

    /// Queues a write and waits until it is durable.
    ///
    /// # Errors [`StoreError::Full`] at once when the queue is full; [`StoreError::Away`] when it was not durable in
    /// time, and is then dropped unless it is being written at that moment; or its own error.
    pub(super) async fn submit<W: Write + Sync>(&self, write: W) -> Result<W::Done, StoreError> {
        let (reply, result) = oneshot::channel();
        let weight = write.weight();
        let pending = Pending { write, result: None, reply };
        self.queue.push(Box::new(pending), weight).map_err(|refusal| match refusal {
            Refusal::Full => StoreError::Full,
            Refusal::Closed => StoreError::Away("closed".to_owned()),
        })?;
        match timeout(PATIENCE, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Away("the writer has stopped".to_owned())),
            Err(_) => Err(StoreError::Away(format!("not committed within {PATIENCE:?}"))),
        }
    }

    /// While paused nothing is committed and the queue fills up.
    pub(crate) fn pause(&self, paused: bool) {
        self.queue.pause(paused);
    }

    /// Why writes fail now; `None` when the last ones were committed.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        self.failure.lock().clone()
    }

    /// Total weight of the queue.
    pub(crate) fn depth(&self) -> usize {
        self.queue.weight()
    }

    /// Age of the oldest write in the queue.
    pub(crate) fn oldest_age(&self) -> Duration {
        self.queue.oldest_age()
    }

    /// Accepts nothing more and commits the queue, within a limit.
    pub(crate) async fn close(&self) {
        self.queue.close();
        let task = self.task.lock().take();
        if let Some(mut task) = task
            && timeout(FLUSH_LIMIT, &mut task).await.is_err()
        {
            task.abort();
            tracing::error!(left = self.depth(), limit = ?FLUSH_LIMIT, "write queue was not flushed in time");
        }
    }
}

async fn run(database: Database, queue: Arc<Jobs>, group: usize, last: Failure) {
    loop {
        let probing = last.lock().is_some();
        let taken = if probing {
            // Without a client's write, an empty group tells when writes succeed again.
            timeout(PROBE_EVERY, queue.take(group)).await.unwrap_or_else(|_| Some(Vec::new()))
        } else {
            queue.take(group).await
        };
        let Some(mut jobs) = taken else { return };
        // A client that got 503 may retry; its write must not happen in the background.
        jobs.retain(|job| !job.is_abandoned());
        if jobs.is_empty() && !probing {
            continue;
        }
        let outcome = match timeout(GROUP_LIMIT, commit(&database, &mut jobs, probing)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Away(format!("a group was not committed within {GROUP_LIMIT:?}"))),
        };
        let failure = outcome.err();
        if let Some(error) = &failure {
            if !(probing && jobs.is_empty()) {
                tracing::error!(writes = jobs.len(), error = %error, "commit of a group of writes failed");
            }
            database.distrust_writer();
        }
        database.committed();
        let outage = failure.clone().or_else(|| jobs.iter().find_map(|job| job.outage().cloned()));
        if probing && outage.is_none() {
            tracing::info!("writes to the database succeed again");
        }
        // Before the responses: a client that knows of the failure finds it at `/health`.
        *last.lock() = outage;
        for job in jobs {
            job.settle(failure.as_ref());
        }
    }
}

/// Why a group was not committed.
enum GroupError {
    /// A statement failed outside a savepoint; nothing was committed.
    Statement,
    /// The whole group failed.
    Group(StoreError),
}

impl From<sqlx::Error> for GroupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Group(error.into())
    }
}

/// Commits a group. Only writes that may conflict in normal operation cost a savepoint. If another write fails, the
/// group is repeated with a savepoint for each, so that it fails alone. With `probing` the group also writes something of
/// its own: a success must mean that the database takes writes, and those of clients may change nothing.
async fn commit(database: &Database, jobs: &mut [Box<dyn Job>], probing: bool) -> Result<(), StoreError> {
    let outcome = match attempt(database, jobs, probing, false).await {
        Err(GroupError::Statement) => attempt(database, jobs, probing, true).await,
        outcome => outcome,
    };
    outcome.map_err(|trouble| match trouble {
        GroupError::Group(error) => error,
        GroupError::Statement => StoreError::Failed("a statement failed despite its savepoint".to_owned()),
    })
}

async fn attempt(
    database: &Database,
    jobs: &mut [Box<dyn Job>],
    probing: bool,
    careful: bool,
) -> Result<(), GroupError> {
    let mut tx = database.begin().await?;
    if probing {
        on!(&mut tx, c => c.probe(unix_now()))?;
    }
    for job in jobs {
        let marked = careful || job.may_conflict();
        if marked {
            tx.mark().await?;
        }
        match job.apply(&mut tx).await {
            Ok(()) if marked => tx.keep().await?,
            Ok(()) => {}
            // After some errors, such as a full disk, SQLite has ended the transaction by itself; that cannot be undone,
            // and the group fails for this reason.
            Err(error) if marked => match tx.undo().await {
                Ok(()) => job.fail(error),
                Err(_) => return Err(GroupError::Group(error)),
            },
            Err(error) => {
                let undone = tx.rollback().await;
                return Err(undone.map_or(GroupError::Group(error), |()| GroupError::Statement));
            }
        }
    }
    Ok(tx.commit().await?)
}
