//! How well the systems answered: what was not seen may have happened all the same.

use std::collections::BTreeMap;

use serde::Serialize;

/// How well the systems could be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// Questions asked since the cause began.
    pub asked: u32,
    /// Questions that got no usable answer.
    pub failed: u32,
    /// What the last of those said.
    pub last_error: Option<String>,
    /// Whether the latest question of a kind failed, by kind; those that matter are judged.
    #[serde(skip)]
    pub blind: BTreeMap<&'static str, String>,
}

impl Gaps {
    /// Takes note of an answer; `kind` names the question.
    pub fn note<T, E: ToString>(&mut self, kind: &'static str, answer: Result<T, E>) -> Option<T> {
        self.asked += 1;
        match answer {
            Ok(answer) => {
                self.blind.remove(kind);
                Some(answer)
            }
            Err(error) => {
                self.failed += 1;
                self.last_error = Some(error.to_string());
                self.blind.insert(kind, error.to_string());
                None
            }
        }
    }

    /// Why a thing that was not seen may have happened all the same, if so: the latest question of some kind
    /// failed, or more than a fifth of all did.
    #[must_use]
    pub fn too_many(&self) -> Option<String> {
        let (asked, failed) = (self.asked, self.failed);
        if let Some(error) = self.blind.values().next() {
            return Some(format!(
                "{failed} of {asked} questions went unanswered, the latest among them: {error}"
            ));
        }
        let error = self.last_error.as_deref().unwrap_or_default();
        (failed * 5 > asked)
            .then(|| format!("{failed} of {asked} questions went unanswered, such as: {error}"))
    }
}
