//! Reloads rate limits, API keys and the TLS certificate while requests are served.

use crate::{
    config::SettingError, limit::PolicySet, listen::Certificate, state::State, toml_file::FileError,
};
use actix_web::web::Data;
use std::{path::PathBuf, sync::Arc};

/// Applies the current content of the files on request.
#[derive(Clone)]
pub struct Reloader {
    pub(crate) state: Data<State>,
    pub(crate) limits: Option<PathBuf>,
    pub(crate) certificate: Option<Arc<Certificate>>,
}

/// Why a reload failed; what is in force stays.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// No file is configured.
    #[error("RATE_LIMITS_FILE is not set: the built-in policies cannot be reloaded; restart with a file")]
    NoFile,
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Certificate(#[from] SettingError),
    /// API keys would lose their plan.
    #[error(
        "RATE_LIMITS_FILE={path}: missing policy `{plan}` with `plan = true`, which keys in API_KEYS_FILE use; keep it, or \
         change those keys first"
    )]
    PlanMissing {
        /// The file.
        path: String,
        /// The plan.
        plan: String,
    },
}

/// What became of each part; `None` for a part without files.
#[derive(Debug)]
pub struct Reloaded {
    /// The number of policies.
    pub limits: Option<Result<usize, ReloadError>>,
    /// The number of API keys.
    pub keys: Option<Result<usize, ReloadError>>,
    /// The certificate.
    pub certificate: Option<Result<(), ReloadError>>,
}

impl Reloader {
    /// Reads the files and applies each that can be used. Policies that keep their names keep their balances. Reads from
    /// disk, so it must not run on a serving thread.
    pub fn reload(&self) -> Reloaded {
        let certificate = self.certificate.as_ref().map(|certificate| Ok(certificate.reload()?));
        let access = &self.state.access;
        let limits = self.limits.as_deref().map(|file| (file, PolicySet::load(Some(file))));
        // Keys are read for the policies that will be in force, and without new keys the policies must have the plans of
        // the current ones.
        let keys = match &limits {
            Some((_, Ok(policies))) => access.read_keys(policies),
            _ => access.read_keys(&self.state.limiter.policies()),
        };
        let limits = limits.map(|(file, policies)| {
            let policies = policies?;
            if !matches!(keys, Some(Ok(_)))
                && let Some(plan) = access.plan_missing(&policies)
            {
                return Err(ReloadError::PlanMissing { path: file.display().to_string(), plan });
            }
            let count = policies.policies().len();
            self.state.limiter.replace(policies);
            Ok(count)
        });
        let keys = keys.map(|keys| Ok(access.replace_keys(keys?)));
        let nothing = limits.is_none() && keys.is_none() && certificate.is_none();
        Reloaded { limits: if nothing { Some(Err(ReloadError::NoFile)) } else { limits }, keys, certificate }
    }
}
