//! A reading connection whose reads of one turn of the event loop see one snapshot.
//!
//! A read by itself takes a file lock and gives it back, two calls into the system that cost more than the row. So the
//! first read of a turn opens a transaction that the others of that turn use. It is opened anew when
//! something was committed since: no read misses a write that was answered before.

use rusqlite::Connection;

/// A connection of one thread.
pub(super) struct Reader {
    connection: Connection,
    /// The number of commits known when the open transaction began.
    since: Option<u64>,
}

impl Reader {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, since: None }
    }

    /// The connection, outside a transaction: what it reads next is all there is.
    pub(super) fn alone(&mut self) -> rusqlite::Result<&Connection> {
        self.end()?;
        Ok(&self.connection)
    }

    /// The connection, in a transaction that began no earlier than the last of `commits`. True when it began just
    /// now: the caller sees to it that [`Self::end`] is called.
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
