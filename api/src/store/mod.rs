//! Where users are kept. Handlers know this boundary only; what lies behind it is chosen by `DATABASE_URL`.

mod sqlite;

use sqlite::Sqlite;

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct User {
    /// Never given out twice.
    pub id: i64,
    /// 1 to 200 characters.
    pub name: String,
    /// Unique, whatever its case.
    pub email: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// Goes up by one with every change; the ETag.
    #[serde(skip)]
    pub version: i64,
}

/// New values of a user's fields; `None` keeps the old one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The new name.
    pub name: Option<String>,
    /// The new e-mail address.
    pub email: Option<String>,
}

/// What became of a conditional write.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Done.
    Done(T),
    /// There is no such user.
    Missing,
    /// The user is no longer at the version the caller expects.
    Changed,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another user has this e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The database cannot be reached or is too busy.
    #[error("the database is away: {0}")]
    Away(#[source] sqlx::Error),
    /// Anything else.
    #[error("the database failed: {0}")]
    Failed(#[source] sqlx::Error),
}

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL={value}: {reason}; {remedy}")]
pub struct OpenError {
    /// The URL as given; a SQLite URL holds no secret, others are cut at the scheme.
    pub value: String,
    /// What went wrong.
    pub reason: String,
    /// The way out.
    pub remedy: &'static str,
}

/// The users' store.
#[derive(Debug, Clone)]
pub struct Store(Sqlite);

impl Store {
    /// Opens the database, creates its file when missing and runs the migrations.
    ///
    /// # Errors
    /// [`OpenError`] naming variable, value, reason and remedy.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        if !url.starts_with("sqlite:") {
            let scheme = url.split_once("://").map_or("…", |(scheme, _)| scheme);
            return Err(OpenError {
                value: format!("{scheme}://…"),
                reason: "this database is not supported".to_owned(),
                remedy: "use sqlite://FILE, such as sqlite://firedrill.db",
            });
        }
        Ok(Self(Sqlite::open(url).await?))
    }

    /// Up to `limit` users with ids above `after`, by id.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn list(&self, after: i64, limit: u32) -> Result<Vec<User>, StoreError> {
        self.0.list(after, limit).await
    }

    /// One user.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn get(&self, id: i64) -> Result<Option<User>, StoreError> {
        self.0.get(id).await
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`], or the database's.
    pub async fn create(&self, name: &str, email: &str) -> Result<User, StoreError> {
        self.0.create(name, email).await
    }

    /// Changes a user, if it is still at version `expected` (where one is given).
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`], or the database's.
    pub async fn update(
        &self,
        id: i64,
        changes: &Changes,
        expected: Option<i64>,
    ) -> Result<Outcome<User>, StoreError> {
        self.0.update(id, changes, expected).await
    }

    /// Deletes a user, if it is still at version `expected` (where one is given).
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn delete(&self, id: i64, expected: Option<i64>) -> Result<Outcome<()>, StoreError> {
        self.0.delete(id, expected).await
    }

    /// Whether data can be served now.
    ///
    /// # Errors
    /// [`StoreError::Away`] or [`StoreError::Failed`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }

    /// Waits for running calls and closes the database.
    pub async fn close(&self) {
        self.0.close().await;
    }
}
