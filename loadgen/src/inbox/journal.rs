//! The history on disk: one JSON line per notification, appended as they arrive.
//!
//! A line that was cut off when the machine stopped is left out at the next start. The file is rewritten once it
//! holds twice what the history keeps, so it stays bounded. Lines are handed to the operating system at once, and
//! survive the end of the process, not the end of power.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::systems::inbox::Notification;

/// The file in the data directory.
const FILE: &str = "notifications.jsonl";

/// A data directory that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--data-dir: {}: {reason}", path.display())]
pub struct JournalError {
    /// The file or directory.
    pub path: PathBuf,
    /// What happened, in words.
    pub reason: String,
}

pub(super) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> JournalError + '_ {
    move |error| JournalError { path: path.to_owned(), reason: error.to_string() }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    lines: usize,
}

impl Journal {
    /// Opens or makes the journal in `dir`, and gives what it holds, in order of id.
    ///
    /// # Errors
    /// When the directory cannot be made, or the file not read or written.
    pub fn open(dir: &Path, capacity: usize) -> Result<(Self, Vec<Notification>), JournalError> {
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let path = dir.join(FILE);
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed(&path))?;
        let (mut held, mut torn) = (Vec::<Notification>::new(), false);
        for line in BufReader::new(&file).split(b'\n') {
            let line = line.map_err(failed(&path))?;
            match serde_json::from_slice::<Notification>(&line) {
                Ok(read) if held.last().is_none_or(|last| last.id < read.id) => held.push(read),
                _ => torn = true,
            }
        }
        let mut journal = Self { path, file, lines: held.len() };
        if torn || held.len() > capacity {
            let keep = held.len().saturating_sub(capacity);
            journal.rewrite(held[keep..].iter())?;
        }
        Ok((journal, held))
    }

    /// Appends one notification; `kept`, the history with it, takes the place of everything before when the file
    /// has grown to twice the history.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append<'a>(
        &mut self,
        notification: &Notification,
        capacity: usize,
        kept: impl Iterator<Item = &'a Notification>,
    ) -> Result<(), JournalError> {
        if self.lines >= capacity.saturating_mul(2) {
            return self.rewrite(kept);
        }
        self.file.write_all(&line(notification)?).map_err(failed(&self.path))?;
        self.lines += 1;
        Ok(())
    }

    fn rewrite<'a>(&mut self, kept: impl Iterator<Item = &'a Notification>) -> Result<(), JournalError> {
        let beside = self.path.with_extension("jsonl.new");
        let mut text = Vec::new();
        let mut lines = 0;
        for notification in kept {
            text.extend(line(notification)?);
            lines += 1;
        }
        fs::write(&beside, text).map_err(failed(&beside))?;
        fs::rename(&beside, &self.path).map_err(failed(&self.path))?;
        self.file = OpenOptions::new().append(true).open(&self.path).map_err(failed(&self.path))?;
        self.lines = lines;
        Ok(())
    }
}

fn line(notification: &Notification) -> Result<Vec<u8>, JournalError> {
    let mut line = serde_json::to_vec(notification)
        .map_err(|error| JournalError { path: FILE.into(), reason: error.to_string() })?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn notification(id: u64) -> Notification {
        Notification {
            id,
            received_at: Timestamp::UNIX_EPOCH,
            channel: "slack".into(),
            status: "firing".into(),
            alerts: Vec::new(),
            body: json!({"text": format!("line\n{id}")}),
        }
    }

    fn ids(dir: &Path, capacity: usize) -> Vec<u64> {
        Journal::open(dir, capacity).unwrap().1.iter().map(|it| it.id).collect()
    }

    #[test]
    fn survives_a_restart_and_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, held) = Journal::open(dir.path(), 10).unwrap();
        assert!(held.is_empty());
        for id in 1..=3 {
            journal.append(&notification(id), 10, [].into_iter()).unwrap();
        }
        drop(journal);
        assert_eq!(ids(dir.path(), 10), [1, 2, 3]);

        let path = dir.path().join(FILE);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let (mut journal, held) = Journal::open(dir.path(), 10).unwrap();
        assert_eq!(held.len(), 2);
        journal.append(&notification(7), 10, [].into_iter()).unwrap();
        assert_eq!(ids(dir.path(), 10), [1, 2, 7]);
        assert!(fs::read_to_string(&path).unwrap().lines().all(|line| line.ends_with('}')));
    }

    #[test]
    fn stays_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path(), 3).unwrap();
        let all: Vec<Notification> = (1..=50).map(notification).collect();
        for at in 0..all.len() {
            journal.append(&all[at], 3, all[at.saturating_sub(2)..=at].iter()).unwrap();
            let lines = fs::read_to_string(dir.path().join(FILE)).unwrap().lines().count();
            assert!(lines <= 6, "{lines}");
        }
        assert_eq!(ids(dir.path(), 3).last(), Some(&50));
        assert_eq!(ids(dir.path(), 3), [48, 49, 50]);
    }

    #[test]
    fn a_directory_that_cannot_be_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Journal::open(&file.path().join("below"), 3).unwrap_err().to_string();
        assert!(error.contains("--data-dir") && error.contains("below"), "{error}");
    }
}
