//! Reads of a single row on the caller's own thread.
//!
//! sqlx keeps every SQLite connection on a thread of its own, and its pool asks a connection whether it is well when it
//! is lent and again when it comes back: three changes of thread for a row that SQLite finds in two microseconds. So
//! each thread that serves has a connection of its own here, which only reads. In WAL mode such a read waits for no
//! writer, and it sees every commit that came before it. Whatever is out of the ordinary is left to the pool: this
//! says nothing then, and the pool finds out and tells.

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
const MOST: usize = 4;
/// The same row as `Statements::user` gives.
const USER: &str = "SELECT id, name, email, created_at, updated_at, version FROM users WHERE id = ?1";

thread_local! {
    /// This thread's connections, by the database's number.
    static OPEN: RefCell<Vec<(u64, Reader)>> = const { RefCell::new(Vec::new()) };
}

/// A database file that threads read by themselves.
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

    /// Something was committed: to be called before it is answered.
    pub(in crate::store) fn committed(&self) {
        self.0.commits.fetch_add(1, Ordering::Release);
    }

    /// One user, if there is one; nothing when it cannot be read here.
    pub(in crate::store) fn user(&self, id: i64) -> Option<Option<User>> {
        if self.0.closed.load(Ordering::Relaxed) {
            return None;
        }
        // Where the thread's loop takes turns, so can the reads; elsewhere each is by itself.
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
                    if open.len() >= MOST {
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

    /// Reads no more. A thread's connection goes with the thread.
    pub(in crate::store) fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }
}

/// Lets the snapshot of this thread's turn go. A task that is queued when the turn's first read was made runs after those
/// that were ready by then and before the loop looks for new work.
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
    // Never used by two threads at once, so SQLite need not see to it.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // A server's thread must not wait; the pool can.
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
        let Database::Sqlite(sqlite) = &store.database else { panic!("SQLite was asked for") };
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
    async fn every_write_is_seen_at_once() {
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
    async fn reads_of_a_turn_share_a_snapshot_until_something_is_committed() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = store(dir.path()).await;
        let user = ada(&store).await;
        // Closed, as its tasks cannot run while this turn lasts.
        store.close().await;
        let path = dir.path().join("users.db");
        let (direct, elsewhere) = (Direct::new(&path), Connection::open(&path).unwrap());
        let rename = |name: &str| elsewhere.execute("UPDATE users SET name = ?1", [name]).unwrap();
        let name = || direct.user(user.id).unwrap().unwrap().name;
        // No `await` from here on: one turn.
        assert_eq!(name(), "Ada");
        rename("Grace");
        assert_eq!(name(), "Ada", "by another process, and not answered here");
        direct.committed();
        assert_eq!(name(), "Grace");
        rename("Mary");
        assert_eq!(name(), "Grace");
        tokio::task::yield_now().await;
        // Nothing is held open between turns, or the write-ahead log could not be taken into the file.
        let busy = elsewhere.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        assert_eq!(busy, Ok(0));
        assert_eq!(name(), "Mary");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn where_no_turns_are_taken_each_read_is_by_itself() {
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
    async fn what_cannot_be_read_here_is_left_to_the_pool() {
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
        let dirs: Vec<_> = (0..=MOST).map(|_| tempfile::tempdir().unwrap()).collect();
        for dir in &dirs {
            let (store, direct) = store(dir.path()).await;
            assert_eq!(direct.user(1), Some(None));
            store.close().await;
        }
        assert!(OPEN.with_borrow(Vec::len) <= MOST);
    }
}
