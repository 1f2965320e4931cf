//! The history on disk: one JSON line per notification, appended as they arrive.
//!
//! A line that was cut off when the machine stopped is left out at the next start. The file is rewritten once it
//! holds twice what the history keeps, in number or in bytes, so it stays bounded; reading and writing it takes no more
//! memory than the history. Lines are handed to the operating system at once, and survive the end of the process, not the
//! end of power. Two inboxes would cut each other's lines off: a lock, which ends with its process, keeps the second out.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::config::MAX_WEBHOOK_LIMIT;
use crate::store::history::{Entry, History, Limits};
use clients::inbox::Notification;

/// The files in the data directory.
const FILE: &str = "notifications.jsonl";
const LOCK: &str = "lock";
/// More bytes than a line that was written here can have: what is taken, with every character of it escaped, twice.
const LONGEST: u64 = 16 * MAX_WEBHOOK_LIMIT as u64;

/// A data directory that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--data-dir: {}: {reason}", path.display())]
pub struct JournalError {
    /// The file or directory.
    pub path: PathBuf,
    /// What happened, in words.
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
    bytes: usize,
    /// Held for as long as the journal is open.
    _lock: File,
}

impl Journal {
    /// Opens or makes the journal in `dir`, and gives the history it holds.
    ///
    /// # Errors
    /// When the directory cannot be made or belongs to another inbox, or the file not read or written.
    pub fn open(dir: &Path, limits: Limits) -> Result<(Self, History), JournalError> {
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let lock = lock(dir)?;
        let path = dir.join(FILE);
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed(&path))?;
        let mut history = History::new(limits);
        let mut journal = Self { path, file, lines: 0, bytes: 0, _lock: lock };
        if journal.read(&mut history)? {
            journal.rewrite(&history)?;
        }
        Ok((journal, history))
    }

    /// Reads every line into the history; says whether the file holds anything that the history does not.
    fn read(&mut self, history: &mut History) -> Result<bool, JournalError> {
        let (mut line, mut more) = (Vec::new(), false);
        let mut reader = BufReader::new(&self.file);
        loop {
            line.clear();
            let read =
                (&mut reader).take(LONGEST).read_until(b'\n', &mut line).map_err(failed(&self.path))?;
            if read == 0 {
                return Ok(more);
            }
            // A line that is cut off, or longer than any of ours, is no notification; nor is the rest of it.
            let json = line.strip_suffix(b"\n").unwrap_or(&line);
            match serde_json::from_slice::<Notification>(json) {
                Ok(Notification { id, .. }) if history.last_id() < id => {
                    self.lines += 1;
                    self.bytes += read;
                    more |=
                        history.push(Entry { id, json: json.to_vec().into() }) || json.len() == line.len();
                }
                _ => more = true,
            }
        }
    }

    /// Appends one notification that `history` has taken in; once the file has grown to twice the history, that takes the
    /// place of everything in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, entry: &Entry, history: &History) -> Result<(), JournalError> {
        let Limits { count, bytes } = history.limits();
        if self.lines >= count.saturating_mul(2) || self.bytes >= bytes.saturating_mul(2) {
            return self.rewrite(history);
        }
        // In one piece, so that nothing is between a line and its end.
        let line = [&entry.json[..], b"\n"].concat();
        self.file.write_all(&line).map_err(failed(&self.path))?;
        self.lines += 1;
        self.bytes += line.len();
        Ok(())
    }

    fn rewrite(&mut self, history: &History) -> Result<(), JournalError> {
        let beside = self.path.with_extension("jsonl.new");
        let mut file = BufWriter::new(File::create(&beside).map_err(failed(&beside))?);
        let (mut lines, mut bytes) = (0, 0);
        for entry in history.all() {
            file.write_all(&entry.json).and_then(|()| file.write_all(b"\n")).map_err(failed(&beside))?;
            lines += 1;
            bytes += entry.json.len() + 1;
        }
        file.flush().map_err(failed(&beside))?;
        drop(file);
        fs::rename(&beside, &self.path).map_err(failed(&self.path))?;
        self.file = OpenOptions::new().append(true).open(&self.path).map_err(failed(&self.path))?;
        (self.lines, self.bytes) = (lines, bytes);
        Ok(())
    }
}

/// Takes the directory for this process.
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
            // Who it is only helps; that it is taken is known.
            let _ = (&mut file).take(20).read_to_string(&mut pid);
            let owner = if pid.trim().is_empty() { String::new() } else { format!(" (pid {})", pid.trim()) };
            let reason =
                format!("another inbox{owner} keeps its history here: stop it, or choose another directory");
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
        Message { status: "firing", alerts: Vec::new(), body: json!({"text": text}) }
    }

    /// Takes in a message and journals it.
    fn add(journal: &mut Journal, history: &mut History, text: &str) {
        let entry = history.add(Channel::Slack, message(text), Timestamp::UNIX_EPOCH).clone();
        journal.append(&entry, history).unwrap();
    }

    fn ids(dir: &Path, limits: Limits) -> Vec<u64> {
        Journal::open(dir, limits).unwrap().1.all().map(|it| it.id).collect()
    }

    #[test]
    fn survives_a_restart_and_a_torn_line() {
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
        let (mut journal, mut history) = Journal::open(dir.path(), limits(10)).unwrap();
        assert_eq!(history.all().count(), 2);
        add(&mut journal, &mut history, "after");
        drop(journal);
        assert_eq!(ids(dir.path(), limits(10)), [1, 2, 3]);
        assert!(fs::read_to_string(&path).unwrap().lines().all(|line| line.ends_with('}')));

        // The end of the last line alone is missing: it counts, and the next one does not run into it.
        fs::write(&path, fs::read_to_string(&path).unwrap().trim_end()).unwrap();
        let (mut journal, mut history) = Journal::open(dir.path(), limits(10)).unwrap();
        add(&mut journal, &mut history, "after");
        drop(journal);
        assert_eq!(ids(dir.path(), limits(10)), [1, 2, 3, 4]);
    }

    #[test]
    fn stays_bounded_in_number_and_in_bytes() {
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
            // Of a file of more than it keeps, as with a smaller bound than before, the newest are kept, here and on disk.
            let less = Limits { count: 2, ..limits };
            assert_eq!(ids(dir.path(), less), [49, 50]);
            assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap().lines().count(), 2);
        }
    }

    #[test]
    fn a_line_without_end_is_left_out_and_the_rest_of_it_too() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, mut history) = Journal::open(dir.path(), limits(10)).unwrap();
        add(&mut journal, &mut history, "kept");
        drop(journal);
        let path = dir.path().join(FILE);
        let kept = fs::read(&path).unwrap();
        let endless = vec![b'['; usize::try_from(LONGEST).unwrap() + 5];
        fs::write(&path, [&endless[..], b"\n", &kept].concat()).unwrap();
        assert_eq!(ids(dir.path(), limits(10)), [1]);
        assert_eq!(fs::read(&path).unwrap(), kept, "and the file is mended");
    }

    #[test]
    fn a_directory_has_one_inbox_at_a_time() {
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
    fn a_directory_that_cannot_be_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Journal::open(&file.path().join("below"), limits(3)).unwrap_err().to_string();
        assert!(error.contains("--data-dir") && error.contains("below"), "{error}");
    }
}
