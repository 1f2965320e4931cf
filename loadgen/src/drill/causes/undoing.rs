//! What has to be undone, written down before it is done: a run that was killed leaves its list behind, and the next
//! one goes through it.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::place::{Held, Place};
use super::undo::Undo;

/// How often undoing a thing is tried: what it disturbed may be disturbed itself for a moment.
const ATTEMPTS: u32 = 3;
/// Between the attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    place: Place,
    undo: Vec<Undo>,
}

/// The list of one stack: kept in a file that is locked for as long as this process lives.
#[derive(Debug)]
pub struct Undoing {
    place: Place,
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    open: Vec<Undo>,
    held: Vec<Held>,
}

impl Undoing {
    /// An empty list in `dir`; `number` tells the lists of one process apart.
    ///
    /// # Errors
    /// When the directory or file cannot be made.
    pub fn new(dir: &Path, place: Place, number: usize) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", dir.display());
        fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.join(format!("{}-{number}.json", std::process::id()));
        let mut options = File::options();
        options.create(true).truncate(true).read(true).write(true);
        options.mode(0o600); // the addresses in it may hold passwords
        let file = options.open(&path).map_err(failed)?;
        file.try_lock().map_err(|_| format!("{}: somebody else has it locked", path.display()))?;
        Ok(Self { place, path, state: Mutex::new(State { file, open: Vec::new(), held: Vec::new() }) })
    }

    /// Where causes act.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what will have to be undone; to be called before the thing is done.
    ///
    /// # Errors
    /// When it cannot be written: then the thing must not be done.
    pub fn promise(&self, undo: Undo) -> Result<(), String> {
        let mut state = self.state();
        state.open.push(undo);
        self.write(&mut state).map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Takes charge of a command that goes on.
    pub fn hold(&self, held: Held) {
        self.state().held.push(held);
    }

    fn write(&self, state: &mut State) -> std::io::Result<()> {
        let written = Written { place: self.place.clone(), undo: state.open.clone() };
        let text = serde_json::to_vec_pretty(&written)?;
        // In place, since the lock is on this very file; a torn write is read as nothing to undo only when it is
        // torn before anything was done.
        state.file.seek(SeekFrom::Start(0))?;
        state.file.write_all(&text)?;
        state.file.set_len(text.len() as u64)?;
        state.file.sync_data()
    }

    /// Undoes everything, the last first, and says what could not be undone. May be dropped and called again.
    pub async fn undo_all(&self) -> Vec<String> {
        self.state().held.clear();
        let mut failed = Vec::new();
        loop {
            let Some(undo) = self.state().open.last().cloned() else { return failed };
            let mut done = undo.perform(&self.place).await;
            for _ in 1..ATTEMPTS {
                if done.is_ok() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
                done = undo.perform(&self.place).await;
            }
            if let Err(reason) = done {
                failed.push(format!("could not {undo}: {reason}"));
            }
            let mut state = self.state();
            state.open.pop();
            let _ = self.write(&mut state); // what is undone twice does no harm
        }
    }
}

impl Drop for Undoing {
    fn drop(&mut self) {
        if self.state().open.is_empty() {
            let _ = fs::remove_file(&self.path); // an empty list that stays is undone by doing nothing
        }
    }
}

/// Undoes what runs that were killed have left in `dir`; says what it did.
pub async fn leftovers(dir: &Path) -> Vec<String> {
    let mut said = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(file) = File::options().read(true).write(true).open(&path) else { continue };
        if file.try_lock().is_err() {
            continue; // its run is alive
        }
        let written = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Written>(&text).ok());
        if let Some(Written { place, undo }) = written {
            for undo in undo.iter().rev() {
                match undo.perform(&place).await {
                    Ok(()) => said.push(format!("left over from a run that was killed, now done: {undo}")),
                    Err(reason) => said.push(format!(
                        "left over from a run that was killed, could not {undo}: {reason}; do so by hand if it still \
                         matters"
                    )),
                }
            }
        }
        let _ = fs::remove_file(&path);
    }
    said
}

/// Where lists are kept unless said otherwise.
#[must_use]
pub fn default_dir() -> PathBuf {
    std::env::temp_dir().join(format!("loadgen-leftovers-{}", nix::unistd::getuid()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place() -> Place {
        let url = || "http://127.0.0.1:1".parse().unwrap();
        Place {
            target: url(),
            admin: url(),
            prometheus: url(),
            alertmanager: url(),
            inbox: Some(url()),
            control: vec!["false".into()],
            http: crate::systems::HttpConfig::default(),
            env: std::collections::BTreeMap::new(),
        }
    }

    fn touch(path: &Path) -> Vec<String> {
        vec!["touch".into(), path.display().to_string()]
    }

    #[tokio::test]
    async fn everything_is_undone_the_last_first_and_failures_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let undoing = Undoing::new(dir.path(), place(), 0).unwrap();
        let mark = dir.path().join("mark");
        undoing.promise(Undo::Run(touch(&mark))).unwrap();
        undoing.promise(Undo::Start("redis".into())).unwrap();
        let mode = fs::metadata(&undoing.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "addresses may hold passwords");
        let failed = undoing.undo_all().await;
        assert!(mark.exists());
        assert_eq!(failed.len(), 1);
        assert!(failed[0].starts_with("could not start redis: `false start redis` failed"), "{failed:?}");
        assert!(undoing.undo_all().await.is_empty());
        drop(undoing);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the mark is left");
    }

    #[tokio::test]
    async fn the_list_of_a_run_that_lives_is_its_own_and_that_of_a_dead_one_is_undone() {
        let dir = tempfile::tempdir().unwrap();
        let lists = dir.path().join("lists");
        let mark = dir.path().join("mark");
        let undoing = Undoing::new(&lists, place(), 0).unwrap();
        undoing.promise(Undo::Run(touch(&mark))).unwrap();
        assert!(leftovers(&lists).await.is_empty() && !mark.exists());
        drop(undoing); // as when it is killed: the list stays, the lock goes
        // A child that another test is just starting may hold the lock with its copy of the file until it is a program.
        let mut said = Vec::new();
        for _ in 0..100 {
            said = leftovers(&lists).await;
            if !said.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(mark.exists() && said.len() == 1 && said[0].contains("now done: run `touch"), "{said:?}");
        assert!(leftovers(&lists).await.is_empty());
    }
}
