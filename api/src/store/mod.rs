//! Where data is kept. Handlers know this boundary only; what lies behind it is chosen by `DATABASE_URL`. Reads go to
//! a pool of connections; writes go through a bounded queue to one task that commits them in groups.

mod database;
mod error;
mod migrations;
mod once;
mod postgres;
mod queue;
mod reading;
mod sqlite;
mod statements;
mod sweeper;
mod url;
mod user;
mod writer;
mod writes;

pub use error::{OpenError, StoreError};
pub use once::{Answer, CreationAnswer, Digest, InFlightGuard, Once, Sent};
pub use reading::{Cursor, Reading, ReadingsQuery, Stream};
pub use user::{Changes, Outcome, User};

pub(crate) use writer::Writer;

use database::{Database, read};
use once::InFlight;
use std::{sync::Arc, time::Duration};
use tokio::task::AbortHandle;
use writes::{CreateUser, DeleteUser, KeepAnswer, PutReadings, UpdateUser};

/// Most writes committed together.
const GROUP: usize = 512;
/// Most readings committed together.
const READINGS_GROUP: usize = 10_000;

/// The store.
#[derive(Clone)]
pub struct Store {
    database: Database,
    writer: Writer,
    in_flight: InFlight,
    sweeper: Arc<AbortHandle>,
}

impl Store {
    /// Opens the database, creates its file when missing (SQLite), runs the migrations and starts the writer, whose
    /// queue holds `queue` writes. Readings are kept for ever. The caller's runtime carries the writer and must outlive
    /// the store.
    ///
    /// # Errors
    /// [`OpenError`] naming variable, value, reason and remedy.
    pub async fn open(url: &str, queue: usize) -> Result<Self, OpenError> {
        Self::open_keeping(url, queue, None).await
    }

    /// The same with readings deleted `kept` after they came in.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_keeping(url: &str, queue: usize, kept: Option<Duration>) -> Result<Self, OpenError> {
        let database = Database::open(url).await?;
        let writer = Writer::start(database.clone(), queue, GROUP);
        let sweeper = Arc::new(tokio::spawn(sweeper::run(writer.clone(), kept)).abort_handle());
        Ok(Self { database, writer, in_flight: InFlight::default(), sweeper })
    }

    /// A writer of its own for readings, whose queue holds `queue` of them: neither they nor a pause hold up users.
    pub(crate) fn readings_writer(&self, queue: usize) -> Writer {
        Writer::start(self.database.clone(), queue, READINGS_GROUP)
    }

    /// Up to `limit` users with ids above `after`, by id.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn list(&self, after: i64, limit: u32) -> Result<Vec<User>, StoreError> {
        read!(&self.database, c => c.users(after, limit))
    }

    /// One user.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn get(&self, id: i64) -> Result<Option<User>, StoreError> {
        if let Database::Sqlite(sqlite) = &self.database
            && let Some(direct) = &sqlite.direct
            && let Some(user) = direct.user(id)
        {
            return Ok(user);
        }
        // Boxed: it is large, and as a rule it is not needed.
        Box::pin(async { read!(&self.database, c => c.user(id)) }).await
    }

    /// Adds a user; with a claim at most once, its answer made by the function given and kept. `None` where another
    /// user has the e-mail address.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn create(
        &self,
        name: String,
        email: String,
        once: Option<(Once, CreationAnswer)>,
    ) -> Result<Sent<Option<User>>, StoreError> {
        self.writer.submit(CreateUser { name, email, once }).await
    }

    /// Changes a user, if it is still at version `expected` (where one is given).
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`], [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn update(
        &self,
        id: i64,
        changes: Changes,
        expected: Option<i64>,
    ) -> Result<Outcome<User>, StoreError> {
        self.writer.submit(UpdateUser { id, changes, expected }).await
    }

    /// Deletes a user, if it is still at version `expected` (where one is given).
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn delete(&self, id: i64, expected: Option<i64>) -> Result<Outcome<()>, StoreError> {
        self.writer.submit(DeleteUser { id, expected }).await
    }

    /// Adds readings through their writer, no two of one device, stream and second; known ones take the new value.
    /// With a claim at most once, its answer kept.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub(crate) async fn put_readings(
        writer: &Writer,
        readings: Vec<Reading>,
        once: Option<(Once, Answer)>,
    ) -> Result<Sent<()>, StoreError> {
        writer.submit(PutReadings { readings, once }).await
    }

    /// Readings in the order device, stream, time.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn readings(&self, query: ReadingsQuery) -> Result<Vec<Reading>, StoreError> {
        read!(&self.database, c => c.readings(&query))
    }

    /// What was answered under a key, before anything is done; `None` when it is free.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn kept(&self, once: Once) -> Result<Option<Sent<()>>, StoreError> {
        let now = once::unix_now();
        let claim = read!(&self.database, c => c.kept(&once, now))?;
        Ok(claim.verdict(&once))
    }

    /// Keeps an answer that nothing else was written for, unless another was quicker.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn keep(&self, once: Once, answer: Answer) -> Result<Sent<()>, StoreError> {
        self.writer.submit(KeepAnswer { once, answer }).await
    }

    /// Holds a key for a request that is being answered; `None` while another request holds it.
    pub fn hold(&self, id: Digest) -> Option<InFlightGuard> {
        self.in_flight.enter(id)
    }

    /// Whether data can be served now.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        read!(&self.database, c => c.ping())
    }

    /// Commits the writes in the queue, waits for running calls and closes the database. The readings' writer is
    /// closed by its owner, before.
    pub async fn close(&self) {
        self.sweeper.abort();
        self.writer.close().await;
        self.database.close().await;
    }
}
