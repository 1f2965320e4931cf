//! A timer that wakes within a fraction of a millisecond.
//!
//! tokio's own timers round up to whole milliseconds, which at 1,000/s would be the largest part of the measured time.
//! On Linux a timerfd wakes the same event loop about 0.03 ms late; other systems use tokio's timers.

use std::io;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub use precise::Timer;

#[cfg(not(target_os = "linux"))]
pub use coarse::Timer;

#[cfg(target_os = "linux")]
mod precise {
    use std::os::fd::{AsFd, AsRawFd, RawFd};

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::unix::AsyncFd;

    use super::{Instant, io};

    /// Wakes at an instant. Needs a running tokio runtime with I/O.
    #[derive(Debug)]
    pub struct Timer {
        fd: AsyncFd<Descriptor>,
    }

    #[derive(Debug)]
    struct Descriptor(TimerFd);

    impl AsRawFd for Descriptor {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl Timer {
        /// # Errors
        /// When no file descriptor is available.
        pub fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let fd = Descriptor(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
            #[allow(
                deprecated,
                reason = "its replacement is `unsafe`, which this workspace denies; `Descriptor` owns the file \
                          descriptor and always returns the same one, as `AsyncFd` requires"
            )]
            let fd = AsyncFd::new(fd)?;
            Ok(Self { fd })
        }

        /// Returns at `instant` or shortly after it, immediately if it has passed. May be dropped before it completes.
        ///
        /// # Errors
        /// When the operating system rejects the timer, which is not expected.
        pub async fn until(&self, instant: Instant) -> io::Result<()> {
            loop {
                let left = instant.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(());
                }
                let alarm = Expiration::OneShot(TimeSpec::from_duration(left));
                self.fd.get_ref().0.set(alarm, TimerSetTimeFlags::empty())?;
                // Readiness may be from an earlier expiry; then the read would block, and the loop waits again.
                loop {
                    let mut ready = self.fd.readable().await?;
                    let read = |fd: &AsyncFd<Descriptor>| fd.get_ref().0.wait().map_err(io::Error::from);
                    match ready.try_io(read) {
                        Ok(read) => {
                            // It fires once: there is nothing more to read until it is set again.
                            ready.clear_ready();
                            break read?;
                        }
                        Err(_would_block) => {}
                    }
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod coarse {
    use super::{Instant, io};

    /// Wakes at an instant, with tokio's resolution of a millisecond.
    #[derive(Debug)]
    pub struct Timer;

    impl Timer {
        /// # Errors
        /// Never on this system.
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Returns at `instant` or shortly after it.
        ///
        /// # Errors
        /// Never on this system.
        pub async fn until(&self, instant: Instant) -> io::Result<()> {
            tokio::time::sleep_until(instant.into()).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn never_early_and_usable_again_after_being_dropped_half_way() {
        let timer = Timer::new().unwrap();
        for round in 0..20 {
            let instant = Instant::now() + Duration::from_micros(700);
            timer.until(instant).await.unwrap();
            assert!(Instant::now() >= instant, "round {round}");
            let far = timer.until(Instant::now() + Duration::from_secs(3_600));
            assert!(tokio::time::timeout(Duration::from_millis(1), far).await.is_err());
        }
        timer.until(Instant::now()).await.unwrap();
    }
}
