//! The policy file once more, while requests are served.

use super::{limiter::Limiter, policy::set::PolicySet};
use crate::toml_file::FileError;
use std::{path::PathBuf, sync::Arc};

/// A plan that an API key in use has and these policies do not.
type PlanMissing = dyn Fn(&PolicySet) -> Option<String> + Send + Sync;

/// Puts the policy file's present content in force, on request.
#[derive(Clone)]
pub struct Reloader {
    limiter: Arc<Limiter>,
    plan_missing: Arc<PlanMissing>,
    file: Option<PathBuf>,
}

/// Why the policies in force stay.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// There is nothing to read.
    #[error("RATE_LIMITS_FILE is not set: the built-in policies cannot change; start again with a file")]
    NoFile,
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// API keys in use would lose their plan.
    #[error(
        "RATE_LIMITS_FILE={path}: no policy `{plan}` with `plan = true`, which keys in API_KEYS_FILE have; keep it, or \
         change those keys and start again"
    )]
    PlanMissing {
        /// The file.
        path: String,
        /// The plan.
        plan: String,
    },
}

impl Reloader {
    pub(crate) fn new(
        limiter: Arc<Limiter>,
        plan_missing: impl Fn(&PolicySet) -> Option<String> + Send + Sync + 'static,
        file: Option<PathBuf>,
    ) -> Self {
        Self { limiter, plan_missing: Arc::new(plan_missing), file }
    }

    /// Reads the file and puts its policies in force; policies that keep their names keep their balances. Gives how many
    /// there are. Reads from disk: not for a thread that serves.
    ///
    /// # Errors
    /// [`ReloadError`] when the file cannot be used; the policies in force then stay.
    pub fn reload(&self) -> Result<usize, ReloadError> {
        let file = self.file.as_deref().ok_or(ReloadError::NoFile)?;
        let policies = PolicySet::load(Some(file))?;
        if let Some(plan) = (self.plan_missing)(&policies) {
            return Err(ReloadError::PlanMissing { path: file.display().to_string(), plan });
        }
        let count = policies.policies().len();
        self.limiter.replace(policies);
        Ok(count)
    }
}
