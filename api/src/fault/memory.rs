//! Memory held on purpose.

use memmap2::MmapMut;
use std::io;

/// Resident memory; given back to the system when dropped. A mapping of its own, because what goes through the
/// allocator may stay with it after being freed, and the alert would never resolve.
pub(super) struct Hold(MmapMut);

impl Hold {
    /// Takes `bytes` and writes to all of them: a page nobody wrote to is not resident.
    ///
    /// # Errors
    /// When the system does not give that much.
    pub(super) fn take(bytes: u64) -> io::Result<Self> {
        let length = usize::try_from(bytes).map_err(io::Error::other)?;
        let mut map = MmapMut::map_anon(length)?;
        map.fill(1);
        Ok(Self(map))
    }

    /// Bytes held.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_is_resident_and_leaves_again() {
        // The size of a mapping's resident part, in kB, as the kernel counts it: other tests run in this process, so
        // its total says nothing.
        fn resident(of: *const u8) -> Option<u64> {
            let start = format!("{:x}-", of as usize);
            let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
            let mut lines = maps.lines().skip_while(|line| !line.starts_with(&start));
            let rss = lines.find(|line| line.starts_with("Rss:"))?;
            rss.split_whitespace().nth(1)?.parse().ok()
        }
        let hold = Hold::take(64_000_000).unwrap();
        assert_eq!(hold.len(), 64_000_000);
        let start = hold.0.as_ptr();
        // The kernel may join neighbouring mappings; then the address starts none.
        if let Some(kilobytes) = resident(start) {
            assert!(kilobytes >= 62_500, "{kilobytes}");
        }
        drop(hold);
        assert!(resident(start).is_none_or(|kilobytes| kilobytes < 62_500));
    }

    #[test]
    fn what_the_system_does_not_have_is_an_error() {
        assert!(Hold::take(1 << 50).is_err());
    }
}
