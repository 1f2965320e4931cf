//! Notifications as the inbox received them.

use clients::inbox::Notification;

/// The id of the last notification an inbox holds, 0 for none.
#[must_use]
pub fn last_id(notifications: &[Notification]) -> u64 {
    notifications.last().map_or(0, |last| last.id)
}
