//! The writes there are.

use super::{
    database::{Tx, on},
    error::StoreError,
    once::{Answer, CreationAnswer, KEPT_SECONDS, MOST_KEPT, Once, Sent, unix_now},
    reading::Reading,
    user::{Changes, Outcome, User},
    writer::Write,
};
use std::time::Duration;

/// Keys deleted in one go: few enough not to hold others up.
const SWEPT_AT_ONCE: i64 = 5_000;
/// Readings deleted in one go.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// A new user, or none where another has the address.
pub(super) struct CreateUser {
    pub(super) name: String,
    pub(super) email: String,
    /// The claim, and how the outcome is answered.
    pub(super) once: Option<(Once, CreationAnswer)>,
}

impl Write for CreateUser {
    type Done = Sent<Option<User>>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Done, StoreError> {
        if let Some((once, _)) = &self.once
            && let Some(verdict) = claim(tx, once).await?
        {
            return Ok(verdict);
        }
        let user = on!(tx, c => c.create_user(&self.name, &self.email))?;
        if let Some((once, answer)) = &self.once {
            on!(tx, c => c.keep(once, &answer(user.as_ref())))?;
        }
        Ok(Sent::First(user))
    }
}

/// New values for a user.
pub(super) struct UpdateUser {
    pub(super) id: i64,
    pub(super) changes: Changes,
    pub(super) expected: Option<i64>,
}

impl Write for UpdateUser {
    type Done = Outcome<User>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Done, StoreError> {
        match on!(tx, c => c.update_user(self.id, &self.changes, self.expected))? {
            Some(user) => Ok(Outcome::Done(user)),
            None => why_not(tx, self.id).await,
        }
    }

    fn may_clash(&self) -> bool {
        self.changes.email.is_some()
    }
}

/// The end of a user.
pub(super) struct DeleteUser {
    pub(super) id: i64,
    pub(super) expected: Option<i64>,
}

impl Write for DeleteUser {
    type Done = Outcome<()>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Done, StoreError> {
        if on!(tx, c => c.delete_user(self.id, self.expected))? {
            Ok(Outcome::Done(()))
        } else {
            why_not(tx, self.id).await
        }
    }
}

/// A batch of readings, no two of one device, stream and second.
pub(super) struct PutReadings {
    pub(super) readings: Vec<Reading>,
    /// The claim, and the answer to keep.
    pub(super) once: Option<(Once, Answer)>,
}

impl Write for PutReadings {
    type Done = Sent<()>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Done, StoreError> {
        if let Some((once, _)) = &self.once
            && let Some(verdict) = claim(tx, once).await?
        {
            return Ok(verdict);
        }
        on!(tx, c => c.put_readings(&self.readings, unix_now()))?;
        if let Some((once, answer)) = &self.once {
            on!(tx, c => c.keep(once, answer))?;
        }
        Ok(Sent::First(()))
    }

    fn weight(&self) -> usize {
        self.readings.len()
    }
}

/// An answer that nothing else was written for.
pub(super) struct KeepAnswer {
    pub(super) once: Once,
    pub(super) answer: Answer,
}

impl Write for KeepAnswer {
    type Done = Sent<()>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Done, StoreError> {
        if let Some(verdict) = claim(tx, &self.once).await? {
            return Ok(verdict);
        }
        on!(tx, c => c.keep(&self.once, &self.answer))?;
        Ok(Sent::First(()))
    }
}

/// Deletes answers that have been kept long enough, some at a time.
pub(super) struct Sweep;

impl Write for Sweep {
    /// Whether there may be more.
    type Done = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let swept = on!(tx, c => c.sweep(unix_now(), SWEPT_AT_ONCE))?;
        let trimmed = on!(tx, c => c.trim(MOST_KEPT, SWEPT_AT_ONCE))?;
        Ok(swept.max(trimmed) >= SWEPT_AT_ONCE as u64)
    }
}

/// Deletes readings that came in longer ago than they are kept, some at a time.
pub(super) struct ForgetReadings {
    pub(super) kept: Duration,
}

impl Write for ForgetReadings {
    /// Whether there may be more.
    type Done = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let kept = i64::try_from(self.kept.as_secs()).unwrap_or(i64::MAX);
        let forgotten = on!(tx, c => c.forget_readings(unix_now() - kept, FORGOTTEN_AT_ONCE))?;
        Ok(forgotten >= FORGOTTEN_AT_ONCE as u64)
    }
}

async fn claim<T>(tx: &mut Tx, once: &Once) -> Result<Option<Sent<T>>, StoreError> {
    let now = unix_now();
    Ok(on!(tx, c => c.claim(once, now, now + KEPT_SECONDS))?.verdict(once))
}

async fn why_not<T>(tx: &mut Tx, id: i64) -> Result<Outcome<T>, StoreError> {
    Ok(if on!(tx, c => c.user(id))?.is_some() { Outcome::Changed } else { Outcome::Missing })
}
