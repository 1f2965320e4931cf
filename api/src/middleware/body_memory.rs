//! How much memory the bodies of all requests take together.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Of each body, what is not counted: small requests are never refused for the large ones of others.
const FREE: usize = 16 * 1024;

/// The memory of all workers' bodies.
#[derive(Debug, Clone)]
pub(crate) struct BodyMemory {
    used: Arc<AtomicUsize>,
    most: usize,
}

impl BodyMemory {
    pub(crate) fn new(most: u64) -> Self {
        Self { used: Arc::default(), most: usize::try_from(most).unwrap_or(usize::MAX) }
    }

    /// The share of one body, given back when this is dropped.
    pub(super) fn share(&self) -> Share {
        Share { memory: self.clone(), size: 0, counted: 0 }
    }
}

pub(super) struct Share {
    memory: BodyMemory,
    size: usize,
    counted: usize,
}

impl Share {
    /// Counts more bytes; whether there is room for them.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        self.size += bytes;
        let more = self.size.saturating_sub(FREE) - self.counted;
        self.counted += more;
        more == 0 || self.memory.used.fetch_add(more, Relaxed) + more <= self.memory.most
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.counted, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_share_what_there_is() {
        let memory = BodyMemory::new(100_000);
        let (mut one, mut two, mut small) = (memory.share(), memory.share(), memory.share());
        assert!(one.grow(FREE) && one.grow(60_000));
        assert!(two.grow(FREE + 40_000), "exactly what is left");
        assert!(!two.grow(1));
        assert!(small.grow(FREE), "nothing of it is counted");
        assert!(!small.grow(1));
        drop(two);
        drop(small);
        let small = memory.share();
        assert!(one.grow(40_000));
        drop((one, small));
        assert_eq!(memory.used.load(Relaxed), 0);
    }
}
