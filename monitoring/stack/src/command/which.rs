//! Selects the stack of a command.

use std::path::PathBuf;

use clap::Args;

use crate::{error::Error, settings::Settings};

/// Selects a stack.
#[derive(Debug, Args)]
pub struct Which {
    /// Add N to every port; each N is a separate stack
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) port_offset: u16,
}

impl Which {
    pub(super) fn settings(&self, scale: f64) -> Result<Settings, Error> {
        Settings::new(self.port_offset, scale)
    }

    pub(super) fn dir(&self) -> Result<PathBuf, Error> {
        self.settings(1.0).map(|settings| settings.dir)
    }
}
