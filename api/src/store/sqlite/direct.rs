//! Reads single rows on the caller's own thread.
//!
//! sqlx keeps every SQLite connection on a separate thread, and its pool checks a connection when it is lent and when
//! it comes back: three thread switches for a row that SQLite finds in two microseconds. So each serving thread has its
//! own read-only connection here. In WAL mode such a read waits for no writer, and it sees every earlier commit.
//! Anything unusual is left to the pool: this module returns nothing then, and the pool reports the error.

use super::snapshot::Reader;
use crate::store::user::User;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::runtime::{Handle, RuntimeFlavor};

/// Databases a thread keeps open; more than one only in tests.
const MAX: usize = 4;
/// The same row as `Statements::user` returns.
const USER: &str = "SELECT id, name, email, created_at, updated_at, version FROM users WHERE id = ?1";

thread_local! {
    /// This thread's connections, by the database's number.
    static OPEN: RefCell<Vec<(u64, Reader)>> = const { RefCell::new(Vec::new()) };
}

/// A database file that threads read directly.
#[derive(Debug, Clone)]
pub(in crate::store) struct Direct(Arc<File>);

#[derive(Debug)]
struct File {
    path: PathBuf,
    number: u64,
    /// Groups of writes committed so far.
    commits: AtomicU64,
    closed: AtomicBool,
}

impl Direct {
    pub(in crate::store) fn new(path: &Path) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let (commits, closed) = (AtomicU64::new(0), AtomicBool::new(false));
        Self(Arc::new(File { path: path.to_owned(), number, commits, closed }))
    }

    /// Must be called before the responses when something was committed.
    pub(in crate::store) fn committed(&self) {
        self.0.commits.fetch_add(1, Ordering::Release);
    }

    /// One user, if it exists; `None` when it cannot be read here.
    pub(in crate::store) fn user(&self, id: i64) -> Option<Option<User>> {
        if self.0.closed.load(Ordering::Relaxed) {
            return None;
        }
        // On a thread with an event loop, the reads of one turn share a snapshot; elsewhere each read is separate.
        let turns = Handle::try_current().ok().filter(|h| h.runtime_flavor() == RuntimeFlavor::CurrentThread);
        let read = |reader: &mut Reader| {
            let Some(turns) = turns else { return row(reader.alone()?, id) };
            let (connection, began) = reader.shared(self.0.commits.load(Ordering::Acquire))?;
            if began {
                let number = self.0.number;
                turns.spawn(async move { end_turn(number) });
            }
            row(connection, id)
        };
        OPEN.with_borrow_mut(|open| {
            let number = self.0.number;
            let at = match open.iter().position(|(known, _)| *known == number) {
                Some(at) => at,
                None => {
                    let connection = connect(&self.0.path).ok()?;
                    if open.len() >= MAX {
                        open.remove(0);
                    }
                    open.push((number, Reader::new(connection)));
                    open.len() - 1
                }
            };
            let read = read(&mut open[at].1);
            if read.is_err() {
                open.remove(at);
            }
            read.ok()
        })
    }

    /// Stops reading. A thread's connection is closed with the thread.
    pub(in crate::store) fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }
}

/// Ends the snapshot of this thread's turn. A task queued at the first read of a turn runs after the tasks that were
/// ready by then, and before the loop looks for new work.
fn end_turn(number: u64) {
    OPEN.with_borrow_mut(|open| {
        if let Some(at) = open.iter().position(|(known, _)| *known == number)
            && open[at].1.end().is_err()
        {
            open.remove(at);
        }
    });
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Never used by two threads at once, so SQLite need not lock.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // A serving thread must not wait; the pool can.
    connection.busy_timeout(std::time::Duration::ZERO)?;
    Ok(connection)
}

fn row(connection: &Connection, id: i64) -> rusqlite::Result<Option<User>> {
    connection.prepare_cached(USER)?.query_row([id], user).optional()
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
        version: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Changes, Outcome, Store, database::Database};

    async fn store(dir: &Path) -> (Store, Direct) {
        let path = dir.join("users.db");
        let store = Store::open(&format!("sqlite://{}", path.display()), 16).await.unwrap();
        let Database::Sqlite(sqlite) = &store.database else { panic!("expected SQLite") };
        let direct = sqlite.direct.clone().expect("a file is read directly");
        (store, direct)
    }

    async fn ada(store: &Store) -> User {
        let name = |text: &str| text.to_owned();
        let created = store.create(name("Ada"), name("ada@example.com"), None).await.unwrap();
        let crate::store::Sent::First(Some(user)) = created else { panic!("{created:?}") };
        user
    }

    #[tokio::test]
    async fn sees_every_write_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (store, direct) = store(dir.path()).await;
        assert_eq!(direct.user(1), Some(None));
        let user = ada(&store).await;
        assert_eq!(direct.user(user.id), Some(Some(user.clone())));
        for round in 0..20 {
            let changes = Changes { name: Some(format!("Ada {round}")), email: None };
            let Outcome::Done(changed) = store.update(user.id, changes, None).await.unwrap() else {
                panic!()
            };
            assert_eq!(direct.user(user.id), Some(Some(changed)));
        }
        store.delete(user.id, None).await.unwrap();
        assert_eq!(direct.user(user.id), Some(None));
        store.close().await;
    }

    #[tokio::test]
    async fn reads_of_a_turn_share_a_snapshot_until_a_commit() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = store(dir.path()).await;
        let user = ada(&store).await;
        // Closed, because its tasks cannot run during this turn.
        store.close().await;
        let path = dir.path().join("users.db");
        let (direct, elsewhere) = (Direct::new(&path), Connection::open(&path).unwrap());
        let rename = |name: &str| elsewhere.execute("UPDATE users SET name = ?1", [name]).unwrap();
        let name = || direct.user(user.id).unwrap().unwrap().name;
        // No `await` from here on: this is one turn.
        assert_eq!(name(), "Ada");
        rename("Grace");
        assert_eq!(name(), "Ada", "written by another process during this turn");
        direct.committed();
        assert_eq!(name(), "Grace");
        rename("Mary");
        assert_eq!(name(), "Grace");
        tokio::task::yield_now().await;
        // No transaction stays open between turns, or the write-ahead log could not be checkpointed.
        let busy = elsewhere.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        assert_eq!(busy, Ok(0));
        assert_eq!(name(), "Mary");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn without_turns_each_read_is_separate() {
        let dir = tempfile::tempdir().unwrap();
        let (store, direct) = store(dir.path()).await;
        let user = ada(&store).await;
        let elsewhere = Connection::open(dir.path().join("users.db")).unwrap();
        assert_eq!(direct.user(user.id).unwrap().unwrap().name, "Ada");
        elsewhere.execute("UPDATE users SET name = 'Grace'", []).unwrap();
        assert_eq!(direct.user(user.id).unwrap().unwrap().name, "Grace");
        store.close().await;
    }

    #[tokio::test]
    async fn leaves_unreadable_databases_to_the_pool() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Direct::new(&dir.path().join("missing.db")).user(1), None);
        let (store, direct) = store(dir.path()).await;
        let user = ada(&store).await;
        assert!(direct.user(user.id).is_some());
        direct.close();
        assert_eq!(direct.user(user.id), None);
        assert_eq!(store.get(user.id).await.unwrap(), Some(user));
        store.close().await;
    }

    #[tokio::test]
    async fn a_thread_keeps_few_databases_open() {
        let dirs: Vec<_> = (0..=MAX).map(|_| tempfile::tempdir().unwrap()).collect();
        for dir in &dirs {
            let (store, direct) = store(dir.path()).await;
            assert_eq!(direct.user(1), Some(None));
            store.close().await;
        }
        assert!(OPEN.with_borrow(Vec::len) <= MAX);
    }
}
