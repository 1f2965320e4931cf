//! Reloads the policy file while requests are served.

use super::{limiter::Limiter, policy::set::PolicySet};
use crate::toml_file::FileError;
use std::{path::PathBuf, sync::Arc};

/// A plan that an API key uses and these policies lack.
type PlanMissing = dyn Fn(&PolicySet) -> Option<String> + Send + Sync;

/// Applies the current content of the policy file on request.
#[derive(Clone)]
pub struct Reloader {
    limiter: Arc<Limiter>,
    plan_missing: Arc<PlanMissing>,
    file: Option<PathBuf>,
}

/// Why a reload failed; the current policies stay.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// No file is configured.
    #[error("RATE_LIMITS_FILE is not set: the built-in policies cannot be reloaded; restart with a file")]
    NoFile,
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// API keys would lose their plan.
    #[error(
        "RATE_LIMITS_FILE={path}: missing policy `{plan}` with `plan = true`, which keys in API_KEYS_FILE use; keep it, or \
         change those keys and restart"
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

    /// Reads the file and applies its policies; policies that keep their names keep their balances. Returns the number
    /// of policies. Reads from disk, so it must not run on a serving thread.
    ///
    /// # Errors
    /// [`ReloadError`] when the file cannot be used; the current policies stay.
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
