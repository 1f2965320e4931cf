//! Errors of a database, and whether they are temporary.

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another user has this e-mail address.
    #[error("the e-mail address is already in use")]
    EmailTaken,
    /// The queue of writes is full.
    #[error("the write queue is full")]
    Full,
    /// The database is unreachable, too busy or closed; a retry may succeed.
    #[error("the database is unavailable: {0}")]
    Away(String),
    /// Anything else: a bug in the gateway.
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
    /// How to fix it.
    pub remedy: &'static str,
}

/// Codes after which a retry may succeed. SQLite: 5 busy, 6 locked, 10 I/O, 13 disk full. PostgreSQL, by class: 08
/// connection, 40 rolled back (deadlock, serialization), 53 out of resources, 55 lock not available, 57 cancelled,
/// shutting down, starting up.
fn is_temporary(code: &str) -> bool {
    match code.len() {
        5 => ["08", "40", "53", "55", "57"].contains(&&code[..2]),
        // The low byte of an extended SQLite code is the plain code.
        _ => code.parse::<u32>().is_ok_and(|code| [5, 6, 10, 13].contains(&(code & 0xff))),
    }
}

/// Whether a SQLite code means that another connection has locked the file or a table.
pub(super) fn is_locked(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| [5, 6].contains(&(code & 0xff)))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::EmailTaken,
            sqlx::Error::Database(cause) if cause.code().is_some_and(|code| is_temporary(&code)) => {
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
    fn distinguishes_temporary_errors_from_bugs() {
        for code in ["5", "6", "261", "517", "13", "08006", "40P01", "40001", "53300", "55P03", "57P01"] {
            assert!(is_temporary(code), "{code}");
        }
        for code in ["", "1", "19", "2067", "26", "42P01", "23505", "22001", "XX000"] {
            assert!(!is_temporary(code), "{code}");
        }
    }
}
