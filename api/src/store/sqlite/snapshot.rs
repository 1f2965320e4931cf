//! A reading connection that shares one snapshot among the reads of one turn of the event loop.
//!
//! A single read takes and releases a file lock: two system calls that cost more than the row. So the first read of a
//! turn opens a transaction that the other reads of that turn use. After a commit a new one is opened, so no read
//! misses a write whose response was already sent.

use rusqlite::Connection;

/// A connection of one thread.
pub(super) struct Reader {
    connection: Connection,
    /// The number of known commits when the open transaction began.
    since: Option<u64>,
}

impl Reader {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, since: None }
    }

    /// The connection outside a transaction: the next read sees the latest state.
    pub(super) fn alone(&mut self) -> rusqlite::Result<&Connection> {
        self.end()?;
        Ok(&self.connection)
    }

    /// The connection in a transaction that began no earlier than the last of `commits`. True when it has just begun:
    /// the caller must then make sure that [`Self::end`] is called.
    pub(super) fn shared(&mut self, commits: u64) -> rusqlite::Result<(&Connection, bool)> {
        if self.since == Some(commits) {
            return Ok((&self.connection, false));
        }
        let was_open = self.since.is_some();
        self.end()?;
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        self.since = Some(commits);
        Ok((&self.connection, !was_open))
    }

    /// Ends the transaction, if one is open.
    pub(super) fn end(&mut self) -> rusqlite::Result<()> {
        if self.since.take().is_some() {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }
}
