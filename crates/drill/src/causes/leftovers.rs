//! Undo lists on disk. Commands are run from them, so only a directory and files that no other user can write are accepted,
//! and no files except lists are touched.

use crate::error::DrillError;
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::causes::stack::Stack;
use crate::causes::undo::Undo;

/// Prefix of the file names of lists; process ID, stack number and a counter follow.
const NAME: &str = "loadgen-undo-";
const EXTENSION: &str = ".json";
/// Mode bits: write permission of the group and of others.
const OTHERS_WRITE: u32 = 0o022;

/// The content of a list's file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Version 0.1 wrote `place`.
    #[serde(alias = "place")]
    pub(crate) stack: Stack,
    pub(crate) undo: Vec<Undo>,
}

/// A list that could not be undone completely; its file stays.
#[derive(Debug)]
pub struct Leftover {
    /// The stack on which its causes acted.
    pub stack: Stack,
    /// What could not be undone, the reason, and what to do.
    pub message: String,
}

/// The result of undoing all lists.
#[derive(Debug, Default)]
pub struct Found {
    /// What was undone and what was not, one line each.
    pub messages: Vec<String>,
    /// Lists that could not be undone completely.
    pub left: Vec<Leftover>,
}

/// The default directory of undo lists.
#[must_use]
pub fn default_dir() -> PathBuf {
    std::env::temp_dir().join(format!("loadgen-leftovers-{}", geteuid()))
}

/// Creates the directory with access for its owner only, if it does not exist.
///
/// # Errors
/// The directory cannot be created, or others could write commands into it; the error says what to do.
pub fn prepare(dir: &Path) -> Result<(), DrillError> {
    let failed = |error: std::io::Error| DrillError::Leftovers(format!("{}: {error}", dir.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    // In a directory writable by everyone, the default name may be a link to anywhere.
    let meta = if dir == default_dir() { fs::symlink_metadata(dir) } else { fs::metadata(dir) };
    let meta = meta.map_err(failed)?;
    if !meta.is_dir() {
        return Err(DrillError::Leftovers(format!(
            "{}: is not a directory; set --leftovers to a directory that you own",
            dir.display()
        )));
    }
    private(dir, &meta)
}

/// Whether only the user of this process can have written the file.
fn private(path: &Path, meta: &fs::Metadata) -> Result<(), DrillError> {
    let (owner, user) = (meta.uid(), geteuid().as_raw());
    let why = "commands are read from it";
    if owner != user {
        return Err(DrillError::Leftovers(format!(
            "{}: belongs to user {owner}, but this process runs as user {user}, and {why}; set --leftovers to a \
             directory that you own",
            path.display()
        )));
    }
    if meta.mode() & OTHERS_WRITE != 0 {
        return Err(DrillError::Leftovers(format!(
            "{}: other users may write to it (mode {:03o}), and {why}; check its content and run `chmod go-w {0}`, or \
             set --leftovers to a directory that you own",
            path.display(),
            meta.mode() & 0o777
        )));
    }
    Ok(())
}

/// Creates and locks a new file for a list. A file that an earlier process with the same ID left is not touched.
pub fn create(dir: &Path, number: usize) -> std::io::Result<(File, PathBuf)> {
    for turn in 0.. {
        let path = dir.join(format!("{NAME}{}-{number}-{turn}{EXTENSION}", std::process::id()));
        let mut options = File::options();
        // URLs and environment may contain passwords.
        match options.create_new(true).read(true).write(true).mode(0o600).open(&path) {
            // Another run that undoes leftovers may have locked or removed the file already.
            Ok(file) if file.try_lock().is_ok() && file.metadata()?.nlink() > 0 => return Ok((file, path)),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Whether a file has the name of a list, such as `loadgen-undo-4711-0-0.json`.
fn is_list(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let numbers = name.strip_prefix(NAME).and_then(|rest| rest.strip_suffix(EXTENSION));
    numbers.is_some_and(|numbers| {
        let parts: Vec<_> = numbers.split('-').collect();
        parts.len() == 3
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Writes in place, since the lock is on this file. A file that was only partly written counts as empty, and that can happen
/// only before anything was done.
pub fn rewrite(mut file: &File, written: &Written) -> std::io::Result<()> {
    let text = serde_json::to_vec_pretty(written)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    file.sync_data()
}

/// Undoes what earlier runs left in `dir`.
///
/// # Errors
/// Others could have written a list; the error says what to do, and nothing is undone.
pub async fn go_through(dir: &Path) -> Result<Found, DrillError> {
    prepare(dir)?;
    let listed =
        fs::read_dir(dir).map_err(|error| DrillError::Leftovers(format!("{}: {error}", dir.display())))?;
    let mut paths: Vec<_> = listed.flatten().map(|entry| entry.path()).filter(|path| is_list(path)).collect();
    paths.sort();
    // All files are checked before the first command is run.
    let mut lists = Vec::new();
    for path in paths {
        // Links are not followed, and a pipe of that name must not block the start.
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        let file = match File::options().read(true).write(true).custom_flags(flags).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue, // its run has ended meanwhile
            Err(error) => {
                return Err(DrillError::Leftovers(format!(
                    "{}: {error}; delete it, or set --leftovers to another directory",
                    path.display()
                )));
            }
            Ok(file) => file,
        };
        let meta =
            file.metadata().map_err(|error| DrillError::Leftovers(format!("{}: {error}", path.display())))?;
        private(&path, &meta)?;
        lists.push((path, file));
    }
    let mut found = Found::default();
    for (path, file) in lists {
        if file.try_lock().is_ok() {
            one(&path, &file, &mut found).await; // a locked list belongs to a running process
        }
    }
    Ok(found)
}

/// Undoes one list, which this process has locked.
async fn one(path: &Path, mut file: &File, found: &mut Found) {
    let mut text = String::new();
    let written =
        file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str::<Written>(&text).ok());
    let Some(Written { stack, mut undo }) = written else {
        if text.is_empty() {
            let _ = fs::remove_file(path); // its run ended before there was anything to undo
        } else {
            found.messages.push(format!("{}: is not an undo list; left unchanged", path.display()));
        }
        return;
    };
    let mut failed = Vec::new();
    for index in (0..undo.len()).rev() {
        match undo[index].perform(&stack).await {
            Ok(()) => {
                found.messages.push(format!("left over from an earlier run, completed now: {}", undo[index]));
                undo.remove(index);
            }
            Err(reason) => failed.push(not_done(&undo[index], &stack, &reason.to_string())),
        }
    }
    if failed.is_empty() {
        let _ = fs::remove_file(path);
        return;
    }
    // If this fails, the list still contains what was undone, which is then undone again without harm.
    let _ = rewrite(file, &Written { stack: stack.clone(), undo });
    let message = format!("left over from an earlier run, {}; {}", failed.join("; "), kept(path));
    found.messages.push(message.clone());
    found.left.push(Leftover { stack, message });
}

/// The message that something could not be undone: the reason and what a person can do.
pub fn not_done(undo: &Undo, stack: &Stack, reason: &str) -> String {
    let reason = reason.trim_end_matches([':', ' ']);
    format!("cannot {undo}: {reason}; to do this by hand: {}", undo.by_hand(stack))
}

/// The message that the list is kept, and for how long.
pub fn kept(path: &Path) -> String {
    format!("each run tries again until this succeeds or {} is deleted", path.display())
}

#[cfg(test)]
#[path = "leftovers_tests.rs"]
mod tests;
