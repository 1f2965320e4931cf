//! Group commits: one task takes what has queued up, runs it in one transaction and answers once that is durable. A
//! disk flush costs the same for one write as for hundreds.

use super::{
    database::{Database, Tx},
    error::StoreError,
    queue::{Queue, Refusal},
};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// Longest a caller waits for its write to be durable.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Longest one group may take; below [`PATIENCE`], so that the reason reaches the callers.
const GROUP_LIMIT: Duration = Duration::from_secs(9);
/// Longest the queue may take to empty at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// Something to be written.
pub(super) trait Write: Send + 'static {
    /// What the caller learns.
    type Done: Send + 'static;

    /// Does it. May be called again after a rollback.
    fn apply(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Done, StoreError>> + Send;

    /// Whether it may fail by a clash with what is there, in the ordinary course of things.
    fn may_clash(&self) -> bool {
        false
    }

    /// What it weighs in the queue and in a group.
    fn weight(&self) -> usize {
        1
    }
}

/// A write with its caller, whatever its type.
trait Job: Send {
    fn apply<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), StoreError>>;
    fn may_clash(&self) -> bool;
    /// Notes that it failed alone.
    fn fail(&mut self, error: StoreError);
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    /// Tells the caller: its own result, or what the whole group failed of.
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

    fn may_clash(&self) -> bool {
        self.write.may_clash()
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Some(Err(error));
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn settle(self: Box<Self>, group: Option<&StoreError>) {
        let result = match (group, self.result) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(result)) => result,
            (None, None) => Err(StoreError::Failed("a write was left out of its group".to_owned())),
        };
        // Nobody there means that the client hung up meanwhile; the write stands.
        let _ = self.reply.send(result);
    }
}

type Jobs = Queue<Box<dyn Job>>;

/// A queue of writes and the task that commits them.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: Arc<Jobs>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Writer {
    /// Starts the task. The queue holds writes of `capacity` together; a group weighs at most `group`.
    pub(super) fn start(database: Database, capacity: usize, group: usize) -> Self {
        let queue = Arc::new(Jobs::new(capacity));
        let task = tokio::spawn(run(database, queue.clone(), group));
        Self { queue, task: Arc::new(Mutex::new(Some(task))) }
    }

    /// Queues a write and waits until it is durable.
    ///
    /// # Errors
    /// [`StoreError::Full`] without a wait when there is no room; [`StoreError::Away`] when it was not durable in
    /// time: it is then dropped, unless it is being written at that very moment; or its own.
    pub(super) async fn submit<W: Write + Sync>(&self, write: W) -> Result<W::Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        let weight = write.weight();
        let pending = Pending { write, result: None, reply };
        self.queue.push(Box::new(pending), weight).map_err(|refusal| match refusal {
            Refusal::Full => StoreError::Full,
            Refusal::Closed => StoreError::Away("closed".to_owned()),
        })?;
        match timeout(PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Away("the writer has stopped".to_owned())),
            Err(_) => Err(StoreError::Away(format!("not committed within {PATIENCE:?}"))),
        }
    }

    /// While paused nothing is committed and the queue fills.
    pub(crate) fn pause(&self, paused: bool) {
        self.queue.pause(paused);
    }

    /// The weight of what waits.
    pub(crate) fn depth(&self) -> usize {
        self.queue.weight()
    }

    /// How long the oldest write in the queue has waited.
    pub(crate) fn oldest_age(&self) -> Duration {
        self.queue.oldest_age()
    }

    /// Takes nothing more in and commits what is there, within a limit.
    pub(crate) async fn close(&self) {
        self.queue.close();
        let task = self.task.lock().take();
        if let Some(mut task) = task
            && timeout(FLUSH_LIMIT, &mut task).await.is_err()
        {
            task.abort();
            tracing::error!(left = self.depth(), "the queue of writes was not empty after {FLUSH_LIMIT:?}");
        }
    }
}

async fn run(database: Database, queue: Arc<Jobs>, group: usize) {
    while let Some(mut jobs) = queue.take(group).await {
        // Whoever was told 503 may send it again; it must not be written behind their back.
        jobs.retain(|job| !job.is_abandoned());
        if jobs.is_empty() {
            continue;
        }
        let outcome = match timeout(GROUP_LIMIT, commit(&database, &mut jobs)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Away(format!("a group was not committed within {GROUP_LIMIT:?}"))),
        };
        if let Err(error) = &outcome {
            tracing::error!(writes = jobs.len(), cause = %error, "a group of writes was not committed");
        }
        let failure = outcome.err();
        database.committed();
        for job in jobs {
            job.settle(failure.as_ref());
        }
    }
}

/// Why a group was not committed.
enum Trouble {
    /// A statement failed outside a savepoint; nothing was committed.
    Statement,
    /// The group as a whole.
    Group(sqlx::Error),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Group(error)
    }
}

/// Commits a group. Only writes that clash in the ordinary course of things pay for a savepoint; should another one
/// fail, everything is done again with a savepoint each, so that it fails alone.
async fn commit(database: &Database, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let outcome = match attempt(database, jobs, false).await {
        Err(Trouble::Statement) => attempt(database, jobs, true).await,
        outcome => outcome,
    };
    outcome.map_err(|trouble| match trouble {
        Trouble::Group(error) => error.into(),
        Trouble::Statement => StoreError::Failed("a statement failed in spite of its savepoint".to_owned()),
    })
}

async fn attempt(database: &Database, jobs: &mut [Box<dyn Job>], careful: bool) -> Result<(), Trouble> {
    let mut tx = database.begin().await?;
    for job in jobs {
        let marked = careful || job.may_clash();
        if marked {
            tx.mark().await?;
        }
        match job.apply(&mut tx).await {
            Ok(()) if marked => tx.keep().await?,
            Ok(()) => {}
            Err(error) if marked => {
                tx.undo().await?;
                job.fail(error);
            }
            Err(_) => {
                tx.rollback().await?;
                return Err(Trouble::Statement);
            }
        }
    }
    Ok(tx.commit().await?)
}
