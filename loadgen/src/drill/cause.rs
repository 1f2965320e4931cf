//! Causes: applied for real, and undone on every way out.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::clock;
use super::file::Cause;
use super::record::Applied;
use crate::run::engine::{self, Running};
use crate::run::spec::LoadSpec;

/// How long answers in flight are waited for when load is stopped.
pub const GRACE: Duration = Duration::from_secs(2);

/// One thing to do. A drill may have several at once; each knows how to be undone.
#[derive(Debug)]
enum Kind<'a> {
    Load(&'a LoadSpec),
}

/// What a cause consists of, in the order it is applied.
fn kinds(cause: &Cause) -> Vec<Kind<'_>> {
    cause.load.iter().map(Kind::Load).collect()
}

/// One thing done. Dropping it undoes it.
#[derive(Debug)]
enum Undo {
    Load { running: Running, rate: f64, since: Timestamp },
}

/// A cause that is being applied. Dropping it undoes everything, also when the drill is interrupted or panics.
#[derive(Debug)]
pub struct Caused(Vec<Undo>);

/// Whether this cause sends traffic of its own in place of the baseline's.
#[must_use]
pub fn replaces_baseline(cause: &Cause) -> bool {
    cause.load.is_some()
}

/// Applies a cause.
///
/// # Errors
/// When a part of it cannot be started; the parts before it are undone.
pub fn apply(target: &Url, cause: &Cause) -> Result<Caused, String> {
    let mut done = Vec::new();
    for kind in kinds(cause) {
        match kind {
            Kind::Load(load) => {
                let running = engine::start_endless(target, load)?;
                done.push(Undo::Load { running, rate: load.rate.per_second(), since: Timestamp::now() });
            }
        }
    }
    Ok(Caused(done))
}

impl Caused {
    /// Undoes everything, the last first, and says what the generator did if it was part of the cause.
    pub async fn lift(mut self) -> Option<Applied> {
        let mut applied = None;
        while let Some(undo) = self.0.pop() {
            match undo {
                Undo::Load { running, rate, since } => {
                    let seconds = clock::seconds(since, Timestamp::now());
                    let counts = running.stop(GRACE).await;
                    let answers = counts.expected + counts.unexpected;
                    applied = Some(Applied {
                        stated_rate: rate,
                        achieved_rate: if seconds > 0.0 { answers as f64 / seconds } else { 0.0 },
                        seconds,
                        unexpected: counts.unexpected,
                        transport_errors: counts.transport_errors,
                        own_errors: counts.local_errors + counts.shed,
                    });
                }
            }
        }
        applied
    }
}
