//! All writes.

use super::{
    database::{Tx, on},
    error::StoreError,
    once::{
        CreationResponse, KEPT_SECONDS, LARGE, MAX_KEPT, MAX_LARGE, Once, Sent, StoredResponse, unix_now,
    },
    reading::Reading,
    user::{Changes, Outcome, User},
    writer::Write,
};
use std::time::Duration;

/// Keys deleted at once: few enough not to delay others.
const SWEPT_AT_ONCE: i64 = 5_000;
/// Readings deleted at once.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Creates a user; the result is empty when another has the address.
pub(super) struct CreateUser {
    pub(super) name: String,
    pub(super) email: String,
    /// The claim, and the function that creates the response.
    pub(super) once: Option<(Once, CreationResponse)>,
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
        if let Some((once, response)) = &self.once {
            keep(tx, once, &response(user.as_ref())).await?;
        }
        Ok(Sent::First(user))
    }
}

/// Changes a user.
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

    fn may_conflict(&self) -> bool {
        self.changes.email.is_some()
    }
}

/// Deletes a user.
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

/// Adds readings, no two for one device, stream and second.
pub(super) struct PutReadings {
    pub(super) readings: Vec<Reading>,
    /// The claim, and the response to store.
    pub(super) once: Option<(Once, StoredResponse)>,
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
        if let Some((once, response)) = &self.once {
            keep(tx, once, response).await?;
        }
        Ok(Sent::First(()))
    }

    fn weight(&self) -> usize {
        self.readings.len()
    }
}

/// Stores a response without another write.
pub(super) struct KeepResponse {
    pub(super) once: Once,
    pub(super) response: StoredResponse,
}

impl Write for KeepResponse {
    type Done = Sent<()>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Done, StoreError> {
        if let Some(verdict) = claim(tx, &self.once).await? {
            return Ok(verdict);
        }
        keep(tx, &self.once, &self.response).await?;
        Ok(Sent::First(()))
    }
}

/// Deletes some of the expired responses.
pub(super) struct Sweep;

impl Write for Sweep {
    /// Whether there may be more.
    type Done = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let swept = on!(tx, c => c.sweep(unix_now(), SWEPT_AT_ONCE))?;
        let trimmed = on!(tx, c => c.trim(MAX_KEPT, SWEPT_AT_ONCE))?;
        Ok(swept.max(trimmed) >= SWEPT_AT_ONCE as u64)
    }
}

/// Deletes some of the expired readings.
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

pub(super) async fn claim<T>(tx: &mut Tx, once: &Once) -> Result<Option<Sent<T>>, StoreError> {
    let now = unix_now();
    Ok(on!(tx, c => c.claim(once, now, now + KEPT_SECONDS))?.verdict(once))
}

/// Stores the response to a claim made in this transaction.
pub(super) async fn keep(tx: &mut Tx, once: &Once, response: &StoredResponse) -> Result<(), StoreError> {
    on!(tx, c => c.keep(once, response))?;
    if response.body.len() > LARGE {
        // One goes for each that comes; the second is for other gateways and for the past.
        on!(tx, c => c.trim_large(MAX_LARGE, 2))?;
    }
    Ok(())
}

async fn why_not<T>(tx: &mut Tx, id: i64) -> Result<Outcome<T>, StoreError> {
    Ok(if on!(tx, c => c.user(id))?.is_some() { Outcome::Changed } else { Outcome::Missing })
}
