//! A value that is costly to make: above a rate, the last one is used again.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// The period of the rate, which is also how old a value can be.
const PERIOD: Duration = Duration::from_secs(1);

/// Limits how many values are made per second.
pub(crate) struct Fresh<T> {
    most: u32,
    state: Mutex<State<T>>,
}

struct State<T> {
    since: Instant,
    made: u32,
    last: Option<T>,
}

impl<T: Clone> Fresh<T> {
    pub(crate) fn at_most(most: u32) -> Self {
        Self { most, state: Mutex::new(State { since: Instant::now(), made: 0, last: None }) }
    }

    /// The last value if the limit of this second is reached; `None` when the caller must make one and [`Self::keep`]
    /// it.
    pub(crate) fn last(&self) -> Option<T> {
        self.last_at(Instant::now())
    }

    fn last_at(&self, now: Instant) -> Option<T> {
        let mut state = self.state.lock();
        if now.saturating_duration_since(state.since) >= PERIOD {
            (state.since, state.made) = (now, 0);
        }
        if state.made < self.most {
            state.made += 1;
            return None;
        }
        state.last.clone()
    }

    /// Stores the value just made.
    pub(crate) fn keep(&self, value: T) {
        self.state.lock().last = Some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_so_many_values_in_each_second() {
        let fresh = Fresh::at_most(2);
        let start = Instant::now();
        let mut made = 0;
        let mut ask = |after: u64| {
            fresh.last_at(start + Duration::from_millis(after)).unwrap_or_else(|| {
                made += 1;
                fresh.keep(made);
                made
            })
        };
        assert_eq!([0, 10, 20, 900].map(&mut ask), [1, 2, 2, 2]);
        assert_eq!([1100, 1200, 1300, 2200].map(&mut ask), [3, 4, 4, 5]);
    }

    #[test]
    fn makes_another_while_there_is_none() {
        let fresh = Fresh::<u32>::at_most(1);
        assert_eq!((fresh.last(), fresh.last()), (None, None));
    }
}
