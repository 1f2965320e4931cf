//! The undo list: each action is recorded before its cause is applied. A run that was killed, or that could not undo
//! everything, leaves its list behind, and the next run performs it.

use crate::error::DrillError;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::causes::leftovers::{self, Leftover, Written};
use crate::causes::stack::{Broken, Held, Stack};
use crate::causes::undo::Undo;

/// Number of attempts per action: a system that the cause disturbed may fail for a moment.
const ATTEMPTS: u32 = 3;
/// Pause between attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// The undo list of one stack, in a file that this process keeps locked.
#[derive(Debug)]
pub struct UndoList {
    stack: Stack,
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
    /// Whether some action failed and is still to be performed.
    stuck: bool,
}

impl UndoList {
    /// Creates an empty list in `dir`; `number` distinguishes the lists of one process.
    ///
    /// # Errors
    /// The directory or the file cannot be created.
    pub fn new(dir: &Path, stack: Stack, number: usize) -> Result<Self, DrillError> {
        let failed = |error: std::io::Error| DrillError::Leftovers(format!("{}: {error}", dir.display()));
        leftovers::prepare(dir)?;
        let (file, path) = leftovers::create(dir, number).map_err(failed)?;
        let state = State { file, open: Vec::new(), held: Vec::new(), barred: Vec::new(), stuck: false };
        Ok(Self { stack, path, state: Mutex::new(state) })
    }

    /// Prevents drills on this stack if an earlier run left it with a cause in effect. Stacks are compared by the URL of
    /// Prometheus.
    pub fn bar(&self, leftovers: &[Leftover]) {
        let here = leftovers.iter().filter(|leftover| leftover.stack.prometheus == self.stack.prometheus);
        self.state().barred.extend(here.map(|leftover| leftover.message.clone()));
    }

    /// Whether the stack is ready for a drill, as far as known: no undo action on it has failed.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let state = self.state();
        state.barred.is_empty() && !state.stuck
    }

    /// Makes the stack ready for a drill by retrying the undo actions that failed.
    ///
    /// # Errors
    /// The actions that still fail.
    pub async fn make_sound(&self) -> Result<(), DrillError> {
        let mut left = self.state().barred.clone();
        if self.state().stuck {
            left.extend(self.undo_all().await);
        }
        if left.is_empty() {
            return Ok(());
        }
        Err(DrillError::Leftovers(format!(
            "the stack is not ready for a drill: the cause of an earlier drill is still in effect: {}",
            left.join("; ")
        )))
    }

    /// The stack of this list.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an undo action; call this before the cause is applied.
    ///
    /// # Errors
    /// The list cannot be written; the cause must not be applied then.
    pub fn promise(&self, undo: Undo) -> Result<(), DrillError> {
        let mut state = self.state();
        state.open.push(undo);
        self.write(&mut state)
            .map_err(|error| DrillError::Leftovers(format!("{}: {error}", self.path.display())))
    }

    /// Keeps a command running until the cause is lifted.
    pub fn hold(&self, held: Held) {
        self.state().held.push(held);
    }

    /// The held commands that ended by themselves.
    #[must_use]
    pub fn broke_off(&self) -> Vec<Broken> {
        self.state().held.iter().filter_map(Held::ended).collect()
    }

    fn write(&self, state: &mut State) -> std::io::Result<()> {
        leftovers::rewrite(&state.file, &Written { stack: self.stack.clone(), undo: state.open.clone() })
    }

    /// Performs all actions, the last first, and returns those that failed with the way to do them by hand; they stay on
    /// the list. The future may be dropped and the method called again.
    pub async fn undo_all(&self) -> Vec<String> {
        self.state().held.clear();
        let mut failed = Vec::new();
        let mut left = self.state().open.len();
        while left > 0 {
            left -= 1;
            let Some(undo) = self.state().open.get(left).cloned() else { continue };
            // Until success is known the state counts as not undone, so that dropping the future in between is safe.
            self.state().stuck = true;
            let mut done = undo.perform(&self.stack).await;
            for _ in 1..ATTEMPTS {
                if done.is_ok() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
                done = undo.perform(&self.stack).await;
            }
            match done {
                Ok(()) => {
                    let mut state = self.state();
                    state.open.remove(left);
                    let _ = self.write(&mut state); // performing an action twice is harmless
                }
                Err(reason) => failed.push(leftovers::not_done(&undo, &self.stack, &reason.to_string())),
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
            let _ = fs::remove_file(&self.path); // an empty list that remains is harmless
        }
    }
}

#[cfg(test)]
#[path = "undo_list_tests.rs"]
pub(crate) mod tests;
