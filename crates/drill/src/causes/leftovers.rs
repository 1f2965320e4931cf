//! The lists of what has to be undone, as they lie on the disk. Commands are run from them: only a directory and files
//! that nobody else could have written are taken, and no file but lists is touched.

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

/// How a list's name begins; what follows is process, number of the stack, and turn.
const NAME: &str = "loadgen-undo-";
const EXTENSION: &str = ".json";
/// Write permission of the group and of others.
const OTHERS_WRITE: u32 = 0o022;

/// What a list's file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub(crate) place: Stack,
    pub(crate) undo: Vec<Undo>,
}

/// A list that could not be gone through to its end; it stays where it is.
#[derive(Debug)]
pub struct Leftover {
    /// Where its causes acted.
    pub place: Stack,
    /// What could not be undone and why, and what to do.
    pub said: String,
}

/// What going through the lists came to.
#[derive(Debug, Default)]
pub struct Found {
    /// What was done and what was not, a line each.
    pub said: Vec<String>,
    /// What could not be undone.
    pub left: Vec<Leftover>,
}

/// Where lists are kept unless said otherwise.
#[must_use]
pub fn default_dir() -> PathBuf {
    std::env::temp_dir().join(format!("loadgen-leftovers-{}", geteuid()))
}

/// Makes the directory, for its owner alone, if there is none.
///
/// # Errors
/// When it cannot be made, or others could put commands into it, with the way out.
pub fn prepare(dir: &Path) -> Result<(), DrillError> {
    let failed = |error: std::io::Error| DrillError::Leftovers(format!("{}: {error}", dir.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    // Where everybody may make a link, one may lead from the default name to anywhere.
    let meta = if dir == default_dir() { fs::symlink_metadata(dir) } else { fs::metadata(dir) };
    let meta = meta.map_err(failed)?;
    if !meta.is_dir() {
        return Err(DrillError::Leftovers(format!(
            "{}: is not a directory; give --leftovers one of your own",
            dir.display()
        )));
    }
    private(dir, &meta)
}

/// Whether nobody but this process's user could have written it.
fn private(path: &Path, meta: &fs::Metadata) -> Result<(), DrillError> {
    let (owner, user) = (meta.uid(), geteuid().as_raw());
    let why = "commands are run from what lies there";
    if owner != user {
        return Err(DrillError::Leftovers(format!(
            "{}: belongs to user {owner}, and this is user {user}: {why}; give --leftovers a directory of your own",
            path.display()
        )));
    }
    if meta.mode() & OTHERS_WRITE != 0 {
        return Err(DrillError::Leftovers(format!(
            "{}: others may write to it (mode {:03o}): {why}; look at it, then `chmod go-w {0}`, or give --leftovers \
             a directory of your own",
            path.display(),
            meta.mode() & 0o777
        )));
    }
    Ok(())
}

/// A file of its own for a list, locked. One that an earlier process of this number has left is not touched.
pub fn create(dir: &Path, number: usize) -> std::io::Result<(File, PathBuf)> {
    for turn in 0.. {
        let path = dir.join(format!("{NAME}{}-{number}-{turn}{EXTENSION}", std::process::id()));
        let mut options = File::options();
        // Addresses and environment may hold passwords.
        match options.create_new(true).read(true).write(true).mode(0o600).open(&path) {
            // Somebody who goes through what is left may have it locked, or gone, already.
            Ok(file) if file.try_lock().is_ok() && file.metadata()?.nlink() > 0 => return Ok((file, path)),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Whether a file is called as lists are: `loadgen-undo-4711-0-0.json`.
fn is_list(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let numbers = name.strip_prefix(NAME).and_then(|rest| rest.strip_suffix(EXTENSION));
    numbers.is_some_and(|numbers| {
        let parts: Vec<_> = numbers.split('-').collect();
        parts.len() == 3
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// In place, since the lock is on this very file; a torn write is read as nothing to undo only when it is torn before
/// anything was done.
pub fn rewrite(mut file: &File, written: &Written) -> std::io::Result<()> {
    let text = serde_json::to_vec_pretty(written)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    file.sync_data()
}

/// Undoes what earlier runs have left in `dir`.
///
/// # Errors
/// When others could have put it there, with the way out; then nothing of it is done.
pub async fn go_through(dir: &Path) -> Result<Found, DrillError> {
    prepare(dir)?;
    let listed =
        fs::read_dir(dir).map_err(|error| DrillError::Leftovers(format!("{}: {error}", dir.display())))?;
    let mut paths: Vec<_> = listed.flatten().map(|entry| entry.path()).filter(|path| is_list(path)).collect();
    paths.sort();
    // All are looked at before the first command is run.
    let mut lists = Vec::new();
    for path in paths {
        // A link is nothing that was written here; a pipe of that name does not hold the start up.
        let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
        let file = match File::options().read(true).write(true).custom_flags(flags).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue, // its run has just ended
            Err(error) => {
                return Err(DrillError::Leftovers(format!(
                    "{}: {error}; delete it, or give --leftovers another directory",
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
            one(&path, &file, &mut found).await; // otherwise its run is alive
        }
    }
    Ok(found)
}

/// Undoes one list, which is locked.
async fn one(path: &Path, mut file: &File, found: &mut Found) {
    let mut text = String::new();
    let written =
        file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str::<Written>(&text).ok());
    let Some(Written { place, mut undo }) = written else {
        if text.is_empty() {
            let _ = fs::remove_file(path); // its run ended before it had anything to undo
        } else {
            found.said.push(format!("{}: is no list of what is to be undone; left as it is", path.display()));
        }
        return;
    };
    let mut failed = Vec::new();
    for index in (0..undo.len()).rev() {
        match undo[index].perform(&place).await {
            Ok(()) => {
                found.said.push(format!("left over from an earlier run, now done: {}", undo[index]));
                undo.remove(index);
            }
            Err(reason) => failed.push(not_done(&undo[index], &place, &reason.to_string())),
        }
    }
    if failed.is_empty() {
        let _ = fs::remove_file(path);
        return;
    }
    // A list that still holds what was done is only gone through once more than needed.
    let _ = rewrite(file, &Written { place: place.clone(), undo });
    let said = format!("left over from an earlier run, {}; {}", failed.join("; "), kept(path));
    found.said.push(said.clone());
    found.left.push(Leftover { place, said });
}

/// That something could not be undone, why, and what a person can do.
pub fn not_done(undo: &Undo, place: &Stack, reason: &str) -> String {
    let reason = reason.trim_end_matches([':', ' ']);
    format!("could not {undo}: {reason}; by hand: {}", undo.by_hand(place))
}

/// Until when a list is kept.
pub fn kept(path: &Path) -> String {
    format!("the next start tries again, until that works or {} is deleted", path.display())
}

#[cfg(test)]
#[path = "leftovers_tests.rs"]
mod tests;
