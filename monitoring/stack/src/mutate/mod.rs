//! Checks whether the drills notice a broken rule or route.
//!
//! In the order data flows: [`rules`] and [`routes`] make broken copies of the monitoring files, one change each,
//! [`drills`] finds the drills that must notice, [`trial`] runs such a drill on a separate stack with the broken files,
//! [`fate`] evaluates its result, [`summary`] counts. Only [`trial`] does I/O beyond reading files.

pub mod drills;
pub mod fate;
pub mod mutant;
pub mod routes;
pub mod rules;
pub mod summary;
pub mod trial;

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
use drills::{Drill, read};
use mutant::Mutant;

/// Every mutant of the monitoring files in `monitoring`.
///
/// # Errors
/// When a file cannot be read or parsed, or a rule or route has no drill.
pub fn all(monitoring: &Path, drills: &[Drill]) -> Result<Vec<Mutant>, Error> {
    let mut files = BTreeMap::new();
    let folder = monitoring.join("alert_rules");
    let entries = std::fs::read_dir(&folder).map_err(Error::io(format!("listing {}", folder.display())))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|it| it.ends_with(".yml"))
        {
            files.insert(format!("alert_rules/{name}"), read(&path)?);
        }
    }
    let mut found = rules::mutants(&files, drills)?;
    found.extend(routes::mutants("alertmanager.yml", &read(&monitoring.join("alertmanager.yml"))?, drills)?);
    Ok(found)
}

#[cfg(test)]
#[path = "shipped_tests.rs"]
mod tests;
