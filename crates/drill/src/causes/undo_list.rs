//! What has to be undone, written down before it is done: a run that was killed, or could not undo, leaves its list
//! behind, and the next one goes through it.

use crate::error::DrillError;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::causes::leftovers::{self, Leftover, Written};
use crate::causes::stack::{Broken, Held, Stack};
use crate::causes::undo::Undo;

/// How often undoing a thing is tried: what it disturbed may be disturbed itself for a moment.
const ATTEMPTS: u32 = 3;
/// Between the attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// The list of one stack: kept in a file that is locked for as long as this process lives.
#[derive(Debug)]
pub struct UndoList {
    place: Stack,
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

impl UndoList {
    /// An empty list in `dir`; `number` tells the lists of one process apart.
    ///
    /// # Errors
    /// When the directory or file cannot be made.
    pub fn new(dir: &Path, place: Stack, number: usize) -> Result<Self, DrillError> {
        let failed = |error: std::io::Error| DrillError::Leftovers(format!("{}: {error}", dir.display()));
        leftovers::prepare(dir)?;
        let (file, path) = leftovers::create(dir, number).map_err(failed)?;
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
    pub async fn make_sound(&self) -> Result<(), DrillError> {
        let mut left = self.state().barred.clone();
        if self.state().stuck {
            left.extend(self.undo_all().await);
        }
        if left.is_empty() {
            return Ok(());
        }
        Err(DrillError::Leftovers(format!(
            "the stack is not in a state to be drilled: an earlier drill's cause is left on it: {}",
            left.join("; ")
        )))
    }

    /// Where causes act.
    #[must_use]
    pub fn place(&self) -> &Stack {
        &self.place
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what will have to be undone; to be called before the thing is done.
    ///
    /// # Errors
    /// When it cannot be written: then the thing must not be done.
    pub fn promise(&self, undo: Undo) -> Result<(), DrillError> {
        let mut state = self.state();
        state.open.push(undo);
        self.write(&mut state)
            .map_err(|error| DrillError::Leftovers(format!("{}: {error}", self.path.display())))
    }

    /// Takes charge of a command that goes on.
    pub fn hold(&self, held: Held) {
        self.state().held.push(held);
    }

    /// The commands in its charge that have ended.
    #[must_use]
    pub fn broke_off(&self) -> Vec<Broken> {
        self.state().held.iter().filter_map(Held::ended).collect()
    }

    fn write(&self, state: &mut State) -> std::io::Result<()> {
        leftovers::rewrite(&state.file, &Written { place: self.place.clone(), undo: state.open.clone() })
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
                Err(reason) => failed.push(leftovers::not_done(&undo, &self.place, &reason.to_string())),
            }
        }
        if !failed.is_empty() {
            failed.push(leftovers::kept(&self.path));
        }
        self.state().stuck = !failed.is_empty();
        failed
    }
}

impl Drop for UndoList {
    fn drop(&mut self) {
        if self.state().open.is_empty() {
            let _ = fs::remove_file(&self.path); // an empty list that stays is undone by doing nothing
        }
    }
}

#[cfg(test)]
#[path = "undo_list_tests.rs"]
pub(crate) mod tests;
