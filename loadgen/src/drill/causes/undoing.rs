//! What has to be undone, written down before it is done: a run that was killed, or could not undo, leaves its list
//! behind, and the next one goes through it.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
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
    /// Why this stack must not be drilled: what earlier runs left on it and could not be undone.
    barred: Vec<String>,
    /// Whether something that was to be undone is not.
    stuck: bool,
}

/// A list of an earlier run that could not be gone through to its end; it stays where it is.
#[derive(Debug)]
pub struct Leftover {
    place: Place,
    /// What could not be undone and why, and what to do.
    pub said: String,
}

impl Undoing {
    /// An empty list in `dir`; `number` tells the lists of one process apart.
    ///
    /// # Errors
    /// When the directory or file cannot be made.
    pub fn new(dir: &Path, place: Place, number: usize) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", dir.display());
        fs::create_dir_all(dir).map_err(failed)?;
        let (file, path) = create(dir, number).map_err(failed)?;
        let state = State { file, open: Vec::new(), held: Vec::new(), barred: Vec::new(), stuck: false };
        Ok(Self { place, path, state: Mutex::new(state) })
    }

    /// Bars the stack from being drilled if it is the one that an earlier run has left in disorder: the one of the same
    /// Prometheus.
    pub fn bar(&self, leftovers: &[Leftover]) {
        let here = leftovers.iter().filter(|leftover| leftover.place.prometheus == self.place.prometheus);
        self.state().barred.extend(here.map(|leftover| leftover.said.clone()));
    }

    /// Whether the stack is as a drill needs it, as far as is known: nothing on it is left to be undone in vain.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let state = self.state();
        state.barred.is_empty() && !state.stuck
    }

    /// Has the stack be as a drill needs it: what an earlier drill left is tried again.
    ///
    /// # Errors
    /// What is still not undone.
    pub async fn make_sound(&self) -> Result<(), String> {
        let mut left = self.state().barred.clone();
        if self.state().stuck {
            left.extend(self.undo_all().await);
        }
        if left.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the stack is not in a state to be drilled: an earlier drill's cause is left on it: {}",
            left.join("; ")
        ))
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
        rewrite(&state.file, &Written { place: self.place.clone(), undo: state.open.clone() })
    }

    /// Undoes everything, the last first, and says what could not be undone and how to do it by hand; that stays on the
    /// list. May be dropped and called again.
    pub async fn undo_all(&self) -> Vec<String> {
        self.state().held.clear();
        let mut failed = Vec::new();
        let mut left = self.state().open.len();
        while left > 0 {
            left -= 1;
            let Some(undo) = self.state().open.get(left).cloned() else { continue };
            // Until it is known to be undone it counts as not, so that being dropped in between is safe.
            self.state().stuck = true;
            let mut done = undo.perform(&self.place).await;
            for _ in 1..ATTEMPTS {
                if done.is_ok() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
                done = undo.perform(&self.place).await;
            }
            match done {
                Ok(()) => {
                    let mut state = self.state();
                    state.open.remove(left);
                    let _ = self.write(&mut state); // what is undone twice does no harm
                }
                Err(reason) => failed.push(not_done(&undo, &self.place, &reason)),
            }
        }
        if !failed.is_empty() {
            failed.push(kept(&self.path));
        }
        self.state().stuck = !failed.is_empty();
        failed
    }
}

/// That something could not be undone, why, and what a person can do.
fn not_done(undo: &Undo, place: &Place, reason: &str) -> String {
    let reason = reason.trim_end_matches([':', ' ']);
    format!("could not {undo}: {reason}; by hand: {}", undo.by_hand(place))
}

fn kept(path: &Path) -> String {
    format!("the next start tries again, until that works or {} is deleted", path.display())
}

/// A file of its own for a list, locked. One that an earlier process of this number has left is not touched.
fn create(dir: &Path, number: usize) -> std::io::Result<(File, PathBuf)> {
    for turn in 0.. {
        let path = dir.join(format!("{}-{number}-{turn}.json", std::process::id()));
        match File::options().create_new(true).read(true).write(true).mode(0o600).open(&path) {
            // Somebody who goes through what is left may have it locked, or gone, already.
            Ok(file) if file.try_lock().is_ok() && file.metadata()?.nlink() > 0 => return Ok((file, path)),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

impl Drop for Undoing {
    fn drop(&mut self) {
        if self.state().open.is_empty() {
            let _ = fs::remove_file(&self.path); // an empty list that stays is undone by doing nothing
        }
    }
}

/// Undoes what earlier runs have left in `dir`; says what it did, and gives what could not be done.
pub async fn leftovers(dir: &Path) -> (Vec<String>, Vec<Leftover>) {
    let (mut said, mut left) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(file) = File::options().read(true).write(true).open(&path) else { continue };
        if file.try_lock().is_err() {
            continue; // its run is alive
        }
        let written = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Written>(&text).ok());
        let Some(Written { place, mut undo }) = written else {
            let _ = fs::remove_file(&path);
            continue;
        };
        let mut failed = Vec::new();
        for index in (0..undo.len()).rev() {
            match undo[index].perform(&place).await {
                Ok(()) => {
                    said.push(format!("left over from an earlier run, now done: {}", undo[index]));
                    undo.remove(index);
                }
                Err(reason) => failed.push(not_done(&undo[index], &place, &reason)),
            }
        }
        if failed.is_empty() {
            let _ = fs::remove_file(&path);
            continue;
        }
        // A list that still holds what was done is only gone through once more than needed.
        let _ = rewrite(&file, &Written { place: place.clone(), undo });
        let told = format!("left over from an earlier run, {}; {}", failed.join("; "), kept(&path));
        said.push(told.clone());
        left.push(Leftover { place, said: told });
    }
    (said, left)
}

/// In place, since the lock is on this very file; a torn write is read as nothing to undo only when it is torn before
/// anything was done.
fn rewrite(mut file: &File, written: &Written) -> std::io::Result<()> {
    let text = serde_json::to_vec_pretty(written)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    file.sync_data()
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
        assert_eq!(failed.len(), 2, "what failed, and where that is kept: {failed:?}");
        assert!(failed[0].starts_with("could not start redis: `false start redis` failed"), "{failed:?}");
        assert!(failed[0].ends_with("; by hand: false start redis"), "{failed:?}");
        drop(undoing);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "the mark, and what is still to be undone");
    }

    /// Something that cannot be undone until `key` exists.
    fn locked(key: &Path, mark: &Path) -> Undo {
        let script = format!("test -e '{}' || exit 3; touch '{}'", key.display(), mark.display());
        Undo::Run(vec!["sh".into(), "-c".into(), script])
    }

    #[tokio::test]
    async fn what_cannot_be_undone_bars_the_stack_until_it_can() {
        let dir = tempfile::tempdir().unwrap();
        let [key, mark] = ["key", "mark"].map(|name| dir.path().join(name));
        let undoing = Undoing::new(&dir.path().join("lists"), place(), 0).unwrap();
        undoing.promise(locked(&key, &mark)).unwrap();
        undoing.promise(Undo::Run(touch(&dir.path().join("other")))).unwrap();
        assert!(undoing.is_sound(), "a cause that is at work is none that was left");
        assert!(undoing.undo_all().await[0].contains("exit status: 3"));
        assert!(!undoing.is_sound());
        let said = undoing.make_sound().await.unwrap_err();
        assert!(
            said.contains("not in a state to be drilled") && said.contains("by hand: sh -c 'test"),
            "{said}"
        );
        assert!(!said.contains("other"), "that was undone: {said}");
        fs::write(&key, "").unwrap();
        assert_eq!(undoing.make_sound().await, Ok(()));
        assert!(undoing.is_sound() && mark.exists());
        drop(undoing);
        assert_eq!(fs::read_dir(dir.path().join("lists")).unwrap().count(), 0);
    }

    /// The lists that nobody holds any more. A child that another test is just starting may hold a lock with its copy of
    /// the file until it is a program.
    async fn eventually(lists: &Path) -> (Vec<String>, Vec<Leftover>) {
        for _ in 0..100 {
            let found = leftovers(lists).await;
            if !found.0.is_empty() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        (Vec::new(), Vec::new())
    }

    #[tokio::test]
    async fn a_list_that_cannot_be_undone_is_kept_for_every_start_until_it_can() {
        let dir = tempfile::tempdir().unwrap();
        let [lists, key, mark] = ["lists", "key", "mark"].map(|name| dir.path().join(name));
        let undoing = Undoing::new(&lists, place(), 0).unwrap();
        undoing.promise(locked(&key, &mark)).unwrap();
        undoing.promise(Undo::Run(touch(&dir.path().join("other")))).unwrap();
        undoing.undo_all().await;
        drop(undoing);
        for _ in 0..2 {
            let (said, left) = eventually(&lists).await;
            assert!(
                said.len() == 1 && left.len() == 1 && said[0].contains("the next start tries again"),
                "{said:?}"
            );
            // A new list takes no other's place, though it is the same process's.
            let (here, mut elsewhere) = (Undoing::new(&lists, place(), 0).unwrap(), place());
            here.bar(&left);
            assert!(!here.is_sound() && here.make_sound().await.unwrap_err().contains("exit status: 3"));
            elsewhere.prometheus = "http://127.0.0.1:2".parse().unwrap();
            let other = Undoing::new(&lists, elsewhere, 1).unwrap();
            other.bar(&left);
            assert!(other.is_sound(), "it was left on another stack");
        }
        fs::write(&key, "").unwrap();
        let (said, left) = eventually(&lists).await;
        assert!(
            said.len() == 1 && said[0].contains("now done") && left.is_empty() && mark.exists(),
            "{said:?}"
        );
        assert_eq!(fs::read_dir(&lists).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn the_list_of_a_run_that_lives_is_its_own_and_that_of_a_dead_one_is_undone() {
        let dir = tempfile::tempdir().unwrap();
        let lists = dir.path().join("lists");
        let mark = dir.path().join("mark");
        let undoing = Undoing::new(&lists, place(), 0).unwrap();
        undoing.promise(Undo::Run(touch(&mark))).unwrap();
        assert!(leftovers(&lists).await.0.is_empty() && !mark.exists());
        drop(undoing); // as when it is killed: the list stays, the lock goes
        let (said, _) = eventually(&lists).await;
        assert!(mark.exists() && said.len() == 1 && said[0].contains("now done: run `touch"), "{said:?}");
        assert!(leftovers(&lists).await.0.is_empty());
    }
}
