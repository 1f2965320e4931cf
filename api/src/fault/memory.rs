//! Memory held by a fault.

use memmap2::MmapMut;
use std::io;

/// Resident memory, returned to the system on drop. It is a mapping of its own: the allocator may keep freed memory
/// resident, and the alert would never resolve.
pub(super) struct Hold(MmapMut);

impl Hold {
    /// Maps `bytes` and writes to every page, because only written pages are resident.
    ///
    /// # Errors
    /// When the system cannot provide the memory.
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
    fn is_resident_until_dropped() {
        // The resident part of this mapping in kB. The total of the process is no use: other tests run in it too.
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
        // The kernel may merge neighbouring mappings; then none starts at this address.
        if let Some(kilobytes) = resident(start) {
            assert!(kilobytes >= 62_500, "{kilobytes}");
        }
        drop(hold);
        assert!(resident(start).is_none_or(|kilobytes| kilobytes < 62_500));
    }

    #[test]
    fn rejects_more_memory_than_the_system_has() {
        assert!(Hold::take(1 << 50).is_err());
    }
}
