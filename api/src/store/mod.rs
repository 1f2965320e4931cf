//! Storage. Handlers use this interface only; `DATABASE_URL` selects the database behind it. Reads use a pool of
//! connections; writes go through a bounded queue to one task that commits them in groups.

mod database;
mod error;
mod migrations;
mod once;
mod orders;
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
pub use once::{CreationResponse, Digest, InFlightGuard, LARGEST_KEPT, Once, Sent, StoredResponse};
pub use orders::{Currency, Moved, Order, OrderStatus, writes::OrderResponse};
pub use reading::{Cursor, Reading, ReadingsQuery, Stream};
pub use user::{Changes, Outcome, User};

pub(crate) use writer::Writer;

use database::{Database, read};
use once::InFlight;
use orders::writes::{MoveOrder, PlaceOrder};
use std::{sync::Arc, time::Duration};
use tokio::task::AbortHandle;
use writes::{CreateUser, DeleteUser, KeepResponse, PutReadings, UpdateUser};

/// Maximum number of writes in one commit.
const GROUP: usize = 512;
/// Maximum number of readings in one commit.
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
    /// Opens the database, creates its file if missing (SQLite), runs the migrations and starts the writer with a queue
    /// of `queue` writes. Readings are kept forever. The writer runs on the caller's runtime, which must outlive the
    /// store.
    ///
    /// # Errors
    /// [`OpenError`] naming variable, value, reason and fix.
    pub async fn open(url: &str, queue: usize) -> Result<Self, OpenError> {
        Self::open_keeping(url, queue, None).await
    }

    /// Like [`Self::open`], but readings are deleted `kept` after they arrived.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_keeping(url: &str, queue: usize, kept: Option<Duration>) -> Result<Self, OpenError> {
        let database = Database::open(url).await?;
        let writer = Writer::start(database.clone(), queue, GROUP);
        let sweeper = Arc::new(tokio::spawn(sweeper::run(writer.clone(), kept)).abort_handle());
        Ok(Self { database, writer, in_flight: InFlight::default(), sweeper })
    }

    /// The number of users.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn count_users(&self) -> Result<i64, StoreError> {
        read!(&self.database, c => c.count_users())
    }

    /// A separate writer for readings with a queue of `queue`, so that neither they nor a pause delay users.
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
        // Boxed: it is large and rarely needed.
        Box::pin(async { read!(&self.database, c => c.user(id)) }).await
    }

    /// Adds a user. With a claim it does so at most once, and stores the response that the given function creates.
    /// `None` when another user has the e-mail address.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn create(
        &self,
        name: String,
        email: String,
        once: Option<(Once, CreationResponse)>,
    ) -> Result<Sent<Option<User>>, StoreError> {
        self.writer.submit(CreateUser { name, email, once }).await
    }

    /// Changes a user, if it is still at version `expected` (when given).
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

    /// Deletes a user, if it is still at version `expected` (when given).
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn delete(&self, id: i64, expected: Option<i64>) -> Result<Outcome<()>, StoreError> {
        self.writer.submit(DeleteUser { id, expected }).await
    }

    /// Adds readings through their writer, no two for one device, stream and second; existing ones get the new value.
    /// With a claim at most once, with the response stored.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub(crate) async fn put_readings(
        writer: &Writer,
        readings: Vec<Reading>,
        once: Option<(Once, StoredResponse)>,
    ) -> Result<Sent<()>, StoreError> {
        writer.submit(PutReadings { readings, once }).await
    }

    /// Readings ordered by device, stream and time.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn readings(&self, query: ReadingsQuery) -> Result<Vec<Reading>, StoreError> {
        read!(&self.database, c => c.readings(&query))
    }

    /// Places an order of `amount` cents. With a claim it does so at most once, and stores the response.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn place_order(
        &self,
        amount: i64,
        currency: Currency,
        once: Option<(Once, OrderResponse)>,
    ) -> Result<Sent<Order>, StoreError> {
        self.writer.submit(PlaceOrder { amount, currency, once }).await
    }

    /// One order.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn order(&self, id: i64) -> Result<Option<Order>, StoreError> {
        read!(&self.database, c => c.order(id))
    }

    /// Changes the status of an order, if its own allows that.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn move_order(&self, id: i64, to: OrderStatus) -> Result<Moved, StoreError> {
        self.writer.submit(MoveOrder { id, to }).await
    }

    /// The number of orders that are placed or paid.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn orders_in_progress(&self) -> Result<i64, StoreError> {
        read!(&self.database, c => c.orders_in_progress())
    }

    /// The response stored under a key; `None` when the key is free. Used before any work.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn kept(&self, once: Once) -> Result<Option<Sent<()>>, StoreError> {
        let now = once::unix_now();
        let claim = read!(&self.database, c => c.kept(&once, now))?;
        Ok(claim.verdict(&once))
    }

    /// Stores a response without another write, unless one is already stored.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn keep(&self, once: Once, response: StoredResponse) -> Result<Sent<()>, StoreError> {
        self.writer.submit(KeepResponse { once, response }).await
    }

    /// Holds a key for a request in progress; `None` while another request holds it.
    pub fn hold(&self, id: Digest) -> Option<InFlightGuard> {
        self.in_flight.enter(id)
    }

    /// Checks whether data can be served now.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        read!(&self.database, c => c.ping())
    }

    /// Why writes of users fail now; `None` when the last ones were committed.
    pub(crate) fn write_failure(&self) -> Option<StoreError> {
        self.writer.failure()
    }

    /// Commits the queued writes, waits for running calls and closes the database. The owner of the readings' writer
    /// closes that one before.
    pub async fn close(&self) {
        self.sweeper.abort();
        self.writer.close().await;
        self.database.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orders::writes::TrimOrders;

    #[tokio::test]
    async fn the_oldest_of_too_many_orders_are_deleted() {
        let store = Store::open("sqlite::memory:", 16).await.unwrap();
        for _ in 0..5 {
            store.place_order(1, Currency::Eur, None).await.unwrap();
        }
        let left = async || {
            let mut left = Vec::new();
            for id in 1..=6 {
                left.extend(store.order(id).await.unwrap().map(|order| order.id));
            }
            left
        };
        store.writer.submit(TrimOrders { most: 5 }).await.unwrap();
        assert_eq!(left().await, [1, 2, 3, 4, 5]);
        assert!(!store.writer.submit(TrimOrders { most: 3 }).await.unwrap(), "there are no more");
        assert_eq!(left().await, [3, 4, 5]);
        store.close().await;
    }
}
