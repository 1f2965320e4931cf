//! What can go wrong with a database, and whose doing it is.

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another user has this e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// More writes wait than the queue holds.
    #[error("the queue of writes is full")]
    Full,
    /// The database cannot be reached, is too busy or is closed: worth another try.
    #[error("the database is away: {0}")]
    Away(String),
    /// Anything else: a fault of ours.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL={value}: {reason}; {remedy}")]
pub struct OpenError {
    /// The URL with its password masked.
    pub value: String,
    /// What went wrong.
    pub reason: String,
    /// The way out.
    pub remedy: &'static str,
}

/// Codes after which the same call may well succeed. SQLite: 5 busy, 6 locked, 10 I/O, 13 disk full. PostgreSQL, by
/// their class: 08 connection, 40 rolled back (deadlock, serialization), 53 out of resources, 55 lock not available,
/// 57 cancelled, shutting down, starting up.
fn passing(code: &str) -> bool {
    match code.len() {
        5 => ["08", "40", "53", "55", "57"].contains(&&code[..2]),
        // The low byte of an extended SQLite code is its plain one.
        _ => code.parse::<u32>().is_ok_and(|code| [5, 6, 10, 13].contains(&(code & 0xff))),
    }
}

/// Whether a SQLite code says that another connection has the file or a table.
pub(super) fn is_locked(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| [5, 6].contains(&(code & 0xff)))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::EmailTaken,
            sqlx::Error::Database(cause) if cause.code().is_some_and(|code| passing(&code)) => {
                Self::Away(error.to_string())
            }
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed => Self::Away(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_troubles_are_told_from_faults() {
        for code in ["5", "6", "261", "517", "13", "08006", "40P01", "40001", "53300", "55P03", "57P01"] {
            assert!(passing(code), "{code}");
        }
        for code in ["", "1", "19", "2067", "26", "42P01", "23505", "22001", "XX000"] {
            assert!(!passing(code), "{code}");
        }
    }
}
