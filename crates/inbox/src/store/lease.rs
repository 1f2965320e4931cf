//! The lease of the inbox. Only one run of drills may use it at a time, as runs cannot tell their notifications apart.

use std::time::Duration;

use tokio::time::Instant;

use clients::inbox::Holder;

/// Maximum duration of a lease.
pub const LONGEST: Duration = Duration::from_secs(300);

/// The holder of the inbox, and the end of its lease.
#[derive(Debug, Default)]
pub struct Lease(Option<(Holder, Instant)>);

impl Lease {
    /// Grants the lease to `holder` for `ttl`, or renews it; a `ttl` of zero releases it. It can be taken over from
    /// `dead`, whose process is known to have ended.
    ///
    /// # Errors
    /// The current holder.
    pub fn take(
        &mut self,
        holder: Holder,
        ttl: Duration,
        dead: Option<&Holder>,
        now: Instant,
    ) -> Result<(), Holder> {
        if let Some((current, until)) = &self.0
            && *until > now
            && *current != holder
            && Some(current) != dead
        {
            return Err(current.clone());
        }
        self.0 = (!ttl.is_zero()).then(|| (holder, now + ttl.min(LONGEST)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn holder(pid: u32) -> Holder {
        Holder { host: "a".into(), pid, since: Timestamp::UNIX_EPOCH, processes: String::new() }
    }

    #[test]
    fn has_one_holder_until_release_or_expiry() {
        let (start, ttl) = (Instant::now(), Duration::from_secs(30));
        let mut lease = Lease::default();
        let mut take = |second, pid, ttl, dead: Option<u32>| {
            let dead = dead.map(holder);
            let taken = lease.take(holder(pid), ttl, dead.as_ref(), start + Duration::from_secs(second));
            taken.map_err(|other| other.pid)
        };
        assert_eq!(take(0, 1, ttl, None), Ok(()));
        assert_eq!(take(0, 2, ttl, None), Err(1));
        assert_eq!(take(20, 1, ttl, None), Ok(()), "renewed");
        assert_eq!(take(49, 2, ttl, None), Err(1));
        assert_eq!(take(49, 2, Duration::ZERO, None), Err(1), "only the holder can release it");
        assert_eq!(take(50, 2, ttl, None), Ok(()), "expired");
        assert_eq!(take(50, 3, ttl, Some(1)), Err(2), "another run holds it now");
        assert_eq!(take(50, 3, ttl, Some(2)), Ok(()), "its process has ended");
        assert_eq!(take(50, 3, Duration::ZERO, None), Ok(()));
        assert_eq!(take(50, 4, ttl, None), Ok(()), "given back");
    }
}
