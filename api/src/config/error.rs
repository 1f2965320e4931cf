use crate::pem::Refusal;

/// A setting that parses but whose value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable}={value}: {reason}; {remedy}")]
pub struct SettingError {
    /// The environment variable, which also names the flag.
    pub variable: &'static str,
    /// The value as given; secrets are masked.
    pub value: String,
    /// Why it cannot be used.
    pub reason: String,
    /// How to fix it.
    pub remedy: &'static str,
}

impl From<Refusal> for SettingError {
    fn from(file: Refusal) -> Self {
        Self {
            variable: file.variable,
            value: file.path.display().to_string(),
            reason: file.reason,
            remedy: file.remedy,
        }
    }
}
