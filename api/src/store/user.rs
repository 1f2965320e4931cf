use sqlx::{Database, FromRow, Row};

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct User {
    /// Never reused.
    pub id: i64,
    /// 1 to 200 characters.
    pub name: String,
    /// Unique, ignoring the case of ASCII letters.
    pub email: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// Increases by one with every change; the ETag.
    #[serde(skip)]
    pub version: i64,
}

impl<'r, R: Row> FromRow<'r, R> for User
where
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    R::Database: Database,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            email: row.try_get(2)?,
            created_at: row.try_get(3)?,
            updated_at: row.try_get(4)?,
            version: row.try_get(5)?,
        })
    }
}

/// New values of a user's fields; `None` keeps the old one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The new name.
    pub name: Option<String>,
    /// The new e-mail address.
    pub email: Option<String>,
}

/// Result of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Done.
    Done(T),
    /// There is no such user.
    Missing,
    /// The user is no longer at the version the caller expects.
    Changed,
}
