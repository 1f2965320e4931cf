//! The history on disk: one line of JSON per notification, appended on arrival.
//!
//! A notification is in the history, and acknowledged, only once its line is on disk. What a failed write left behind, for
//! example on a full disk, is cut off before the next line. A line truncated by a crash is skipped at the next start. The
//! file is rewritten when it has twice the history's limit of notifications or bytes, so it stays bounded; reading and
//! writing it takes no more memory than the history. A lock, which ends with the process, prevents two inboxes from
//! truncating each other's lines.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::config::MAX_WEBHOOK_LIMIT;
use crate::store::history::{Entry, History, Limits};
use clients::inbox::Notification;

/// The files in the data directory.
const FILE: &str = "notifications.jsonl";
const LOCK: &str = "lock";
/// Upper bound of a line's length: a body of maximum size with every character escaped, twice.
const LONGEST: u64 = 16 * MAX_WEBHOOK_LIMIT as u64;

/// An unusable data directory.
#[derive(Debug, thiserror::Error)]
#[error("--data-dir: {}: {reason}", path.display())]
pub struct JournalError {
    /// The file or directory.
    pub path: PathBuf,
    /// Why it cannot be used.
    pub reason: String,
}

pub(crate) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> JournalError + '_ {
    move |error| JournalError { path: path.to_owned(), reason: error.to_string() }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    lines: usize,
    /// Length of the complete lines. Whatever follows them in the file is the rest of a failed write.
    bytes: u64,
    /// Whether a write has failed since the last complete line.
    torn: bool,
    /// The lock of the directory, held while the journal is open.
    _lock: File,
}

impl Journal {
    /// Opens or creates the journal in `dir`, and returns its history.
    ///
    /// # Errors
    /// When the directory cannot be created or is used by another inbox, or the file cannot be read or written.
    pub fn open(dir: &Path, limits: Limits) -> Result<(Self, History), JournalError> {
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let lock = lock(dir)?;
        let path = dir.join(FILE);
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed(&path))?;
        let mut history = History::new(limits);
        let mut journal = Self { path, file, lines: 0, bytes: 0, torn: false, _lock: lock };
        if journal.read(&mut history)? {
            journal.rewrite(history.all())?;
        }
        Ok((journal, history))
    }

    /// Reads every line into the history. Returns whether the file has content that the history has not.
    fn read(&mut self, history: &mut History) -> Result<bool, JournalError> {
        let (mut line, mut more, mut skipped) = (Vec::new(), false, false);
        let mut reader = BufReader::new(&self.file);
        loop {
            line.clear();
            let read =
                (&mut reader).take(LONGEST).read_until(b'\n', &mut line).map_err(failed(&self.path))?;
            if read == 0 {
                break;
            }
            // Truncated and overlong lines are skipped, including their rest.
            let json = line.strip_suffix(b"\n").unwrap_or(&line);
            match serde_json::from_slice::<Notification>(json) {
                Ok(Notification { id, .. }) if history.last_id() < id => {
                    self.lines += 1;
                    self.bytes += read as u64;
                    let dropped = history.push(Entry { id, json: json.to_vec().into() });
                    more |= skipped || dropped || json.len() == line.len();
                }
                _ => skipped = true,
            }
        }
        // Only the end is bad: it is cut off before the next line, which needs no space, unlike writing the file anew.
        self.torn = skipped && !more;
        Ok(more)
    }

    /// Appends the next entry of `history`. When the file is twice the history's limit, it is replaced by the history. After
    /// an error the file has the notifications that it had before.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, entry: &Entry, history: &History) -> Result<(), JournalError> {
        let Limits { count, bytes } = history.limits();
        if self.lines >= count.saturating_mul(2) || self.bytes >= bytes.saturating_mul(2) as u64 {
            return self.rewrite(history.all().chain(std::iter::once(entry)));
        }
        if std::mem::replace(&mut self.torn, true) {
            self.file.set_len(self.bytes).map_err(failed(&self.path))?;
        }
        let line = [&entry.json[..], b"\n"].concat();
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(failed(&self.path))?;
        self.torn = false;
        self.lines += 1;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rewrite<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>) -> Result<(), JournalError> {
        let temporary = self.path.with_extension("jsonl.new");
        let written = replace(&temporary, &self.path, entries);
        if written.is_err() {
            // It would take up the space that the next attempt needs.
            let _ = fs::remove_file(&temporary);
        }
        (self.file, self.lines, self.bytes) = written.map_err(failed(&self.path))?;
        self.torn = false;
        Ok(())
    }
}

/// Writes the entries to `temporary` and moves it to `path`. Returns the file, open for appending, with its lines and bytes.
fn replace<'a>(
    temporary: &Path,
    path: &Path,
    entries: impl Iterator<Item = &'a Entry>,
) -> std::io::Result<(File, usize, u64)> {
    drop(File::create(temporary)?); // `append` cannot be opened together with `truncate`
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(temporary)?);
    let (mut lines, mut bytes) = (0, 0);
    for entry in entries {
        file.write_all(&entry.json)?;
        file.write_all(b"\n")?;
        lines += 1;
        bytes += entry.json.len() as u64 + 1;
    }
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    Ok((file, lines, bytes))
}

/// Locks the directory for this process.
fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join(LOCK);
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed(&path))?;
    match file.try_lock() {
        Ok(()) => {
            let pid = format!("{}\n", std::process::id());
            file.set_len(0).and_then(|()| file.write_all(pid.as_bytes())).map_err(failed(&path))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // The owner is only informative, so an unreadable PID is ignored.
            let _ = (&mut file).take(20).read_to_string(&mut pid);
            let owner = if pid.trim().is_empty() { String::new() } else { format!(" (pid {})", pid.trim()) };
            let reason = format!(
                "the directory is in use by another inbox{owner}: stop it, or choose another directory"
            );
            Err(JournalError { path: dir.to_owned(), reason })
        }
        Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::receivers::message::Message;
    use clients::inbox::Channel;

    fn limits(count: usize) -> Limits {
        Limits { count, bytes: 1 << 20 }
    }

    fn message(text: &str) -> Message {
        Message { status: "firing", alerts: Vec::new(), body: json!({"text": text}).into() }
    }

    /// Adds a message and journals it.
    fn add(journal: &mut Journal, history: &mut History, text: &str) {
        let entry = history.entry(Channel::Slack, message(text), Timestamp::UNIX_EPOCH);
        journal.append(&entry, history).unwrap();
        history.push(entry);
    }

    fn ids(dir: &Path, limits: Limits) -> Vec<u64> {
        Journal::open(dir, limits).unwrap().1.all().map(|it| it.id).collect()
    }

    #[test]
    fn survives_a_restart_and_a_truncated_line() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, mut history) = Journal::open(dir.path(), limits(10)).unwrap();
        assert_eq!(history.all().count(), 0);
        for id in 1..=3 {
            add(&mut journal, &mut history, &format!("line\n{id}"));
        }
        drop(journal);
        assert_eq!(ids(dir.path(), limits(10)), [1, 2, 3]);

        let path = dir.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
        let before = inode();
        let (mut journal, mut history) = Journal::open(dir.path(), limits(10)).unwrap();
        assert_eq!(history.all().count(), 2);
        assert_eq!(inode(), before, "a full disk has no space for a new file");
        add(&mut journal, &mut history, "after");
        drop(journal);
        assert_eq!(ids(dir.path(), limits(10)), [1, 2, 3]);
        assert!(fs::read_to_string(&path).unwrap().lines().all(|line| line.ends_with('}')));

        // Only the last line break is missing: the line counts, and the next one starts on its own line.
        fs::write(&path, fs::read_to_string(&path).unwrap().trim_end()).unwrap();
        let (mut journal, mut history) = Journal::open(dir.path(), limits(10)).unwrap();
        add(&mut journal, &mut history, "after");
        drop(journal);
        assert_eq!(ids(dir.path(), limits(10)), [1, 2, 3, 4]);
    }

    #[test]
    fn stays_bounded_in_number_and_bytes() {
        for (limits, text) in
            [(limits(3), "x".to_owned()), (Limits { count: 1_000, bytes: 3_300 }, "x".repeat(1_000))]
        {
            let dir = tempfile::tempdir().unwrap();
            let (mut journal, mut history) = Journal::open(dir.path(), limits).unwrap();
            for _ in 0..50 {
                add(&mut journal, &mut history, &text);
                let file = fs::read_to_string(dir.path().join(FILE)).unwrap();
                assert!(file.lines().count() <= 7 && file.len() <= 8_000, "{} bytes", file.len());
            }
            drop(journal);
            assert_eq!(ids(dir.path(), limits).last(), Some(&50));
            // With a smaller limit than before, only the newest are kept, in memory and on disk.
            let less = Limits { count: 2, ..limits };
            assert_eq!(ids(dir.path(), less), [49, 50]);
            assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap().lines().count(), 2);
        }
    }

    #[test]
    fn skips_an_overlong_line_completely() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, mut history) = Journal::open(dir.path(), limits(10)).unwrap();
        add(&mut journal, &mut history, "kept");
        drop(journal);
        let path = dir.path().join(FILE);
        let kept = fs::read(&path).unwrap();
        let endless = vec![b'['; usize::try_from(LONGEST).unwrap() + 5];
        fs::write(&path, [&endless[..], b"\n", &kept].concat()).unwrap();
        assert_eq!(ids(dir.path(), limits(10)), [1]);
        assert_eq!(fs::read(&path).unwrap(), kept, "the file is repaired");
    }

    #[test]
    fn locks_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let first = Journal::open(dir.path(), limits(3)).unwrap();
        let error = Journal::open(dir.path(), limits(3)).unwrap_err().to_string();
        let me = format!("(pid {})", std::process::id());
        assert!(
            error.contains("--data-dir") && error.contains("another inbox") && error.contains(&me),
            "{error}"
        );
        drop(first);
        Journal::open(dir.path(), limits(3)).unwrap();
    }

    #[test]
    fn names_an_unusable_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Journal::open(&file.path().join("below"), limits(3)).unwrap_err().to_string();
        assert!(error.contains("--data-dir") && error.contains("below"), "{error}");
    }
}
