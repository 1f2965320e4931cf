//! Checks whether the drills notice a broken rule or route.
//!
//! In the order data flows: [`rules`], [`routes`], [`inhibitions`] and [`receivers`] make broken copies of the monitoring
//! files, one change each, [`drills`] finds the drills that must notice, [`unnoticed`] lists what none can notice, [`trial`]
//! runs such a drill on a separate stack with the broken files, [`fate`] evaluates its result, [`summary`] counts. Only
//! [`trial`] does I/O beyond reading files.

pub mod drills;
pub mod expression;
pub mod fate;
pub mod inhibitions;
pub mod mutant;
pub mod receivers;
pub mod routes;
pub mod rules;
pub mod summary;
pub mod trial;
pub mod unnoticed;

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
use drills::{Drill, read};
use mutant::Mutant;
use routes::Routes;

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
    let (file, text) = ("alertmanager.yml", read(&monitoring.join("alertmanager.yml"))?);
    let routes = Routes::read(file, &text)?;
    found.extend(routes.mutants(drills)?);
    found.extend(inhibitions::mutants(file, &text, &rules::alerts(&files)?, drills)?);
    found.extend(receivers::mutants(file, &text, &routes, drills)?);
    let uncovered = |mutant: &&Mutant| mutant.drills.is_empty() && unnoticed::reason(mutant).is_none();
    match found.iter().find(uncovered) {
        Some(mutant) => Err(Error::Usage(format!(
            "{}: no drill can notice the mutant `{}`: add a drill, or give the reason in unnoticed.rs",
            mutant.file,
            mutant.title()
        ))),
        None => Ok(found),
    }
}

#[cfg(test)]
#[path = "shipped_tests.rs"]
mod tests;
