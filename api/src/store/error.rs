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
    /// The database is unreachable, out of space or closed; a retry may succeed later.
    #[error("the database is unavailable: {0}")]
    Away(String),
    /// Another connection was in the way; a retry may succeed.
    #[error("the database is busy: {0}")]
    Busy(String),
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

/// Whether a code is one of these: classes of PostgreSQL (of five characters), or codes of SQLite.
fn is_one_of(code: &str, classes: &[&str], codes: &[u32]) -> bool {
    match code.len() {
        5 => classes.contains(&&code[..2]),
        // The low byte of an extended SQLite code is the plain code.
        _ => code.parse::<u32>().is_ok_and(|code| codes.contains(&(code & 0xff))),
    }
}

/// Codes of an outage. SQLite: 10 I/O, 13 disk full, 14 cannot open (a full disk has no room for the log). PostgreSQL:
/// 08 connection, 53 out of resources, 57 cancelled, shutting down, starting up, 58 I/O.
fn is_away(code: &str) -> bool {
    is_one_of(code, &["08", "53", "57", "58"], &[10, 13, 14])
}

/// Codes of a conflict with another connection. SQLite: 5 busy, 6 locked. PostgreSQL: 40 rolled back (deadlock,
/// serialization), 55 lock not available.
fn is_busy(code: &str) -> bool {
    is_one_of(code, &["40", "55"], &[5, 6])
}

/// Whether a SQLite code means that another connection has locked the file or a table.
pub(super) fn is_locked(code: &str) -> bool {
    is_one_of(code, &[], &[5, 6])
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::EmailTaken,
            sqlx::Error::Database(cause) if cause.code().is_some_and(|code| is_away(&code)) => {
                Self::Away(error.to_string())
            }
            sqlx::Error::Database(cause) if cause.code().is_some_and(|code| is_busy(&code)) => {
                Self::Busy(error.to_string())
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
    fn distinguishes_outages_conflicts_and_bugs() {
        for code in ["10", "13", "14", "778", "08006", "53100", "53300", "57P01", "58030"] {
            assert!(is_away(code) && !is_busy(code), "{code}");
        }
        for code in ["5", "6", "261", "517", "40P01", "40001", "55P03"] {
            assert!(is_busy(code) && !is_away(code), "{code}");
        }
        for code in ["", "1", "19", "2067", "26", "42P01", "23505", "22001", "XX000"] {
            assert!(!is_away(code) && !is_busy(code), "{code}");
        }
    }
}
