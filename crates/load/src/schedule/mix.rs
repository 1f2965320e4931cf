//! The order of requests: exact shares, evenly spread.
//!
//! Deterministic, by Tijdeman's rule for the chairman assignment problem (Discrete Mathematics 32, 1980): after n
//! arrivals each request has been chosen within one of n times its share, for every n. With 8 errors in 100, every
//! 100 in a row hold exactly 8.

use crate::error::LoadError;

/// Maximum sum of the weights, after division by their common divisor.
pub const MAX_PARTS: u64 = 100_000;

/// One period of the order of requests. Arrival k uses entry k modulo its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    order: Vec<u16>,
}

impl Mix {
    /// # Errors
    /// When there are no weights, a weight is 0, there are more than 65,535, or they add up to more than [`MAX_PARTS`].
    pub fn new(weights: &[u32]) -> Result<Self, LoadError> {
        if weights.is_empty() || weights.contains(&0) {
            return Err(LoadError::Schedule(
                "at least one request is needed, each with a weight of at least 1".to_owned(),
            ));
        }
        let divisor = weights.iter().copied().fold(0, gcd);
        let weights: Vec<i64> = weights.iter().map(|weight| i64::from(weight / divisor)).collect();
        let parts: i64 = weights.iter().sum();
        if parts.unsigned_abs() > MAX_PARTS || weights.len() > usize::from(u16::MAX) {
            return Err(LoadError::Schedule(format!(
                "the weights add up to {parts} parts: must be at most {MAX_PARTS}; use rounder weights"
            )));
        }
        let mut taken = vec![0_i64; weights.len()];
        let order = (1..=parts)
            .map(|n| {
                let chosen = choose(&weights, &taken, parts, n);
                taken[chosen] += 1;
                u16::try_from(chosen).expect("the number of weights was checked above")
            })
            .collect();
        Ok(Self { order })
    }

    /// The index of the request of arrival `number`.
    #[must_use]
    pub fn pick(&self, number: u64) -> usize {
        let period = self.order.len() as u64;
        usize::from(self.order[(number % period) as usize])
    }
}

/// Chooses, of the requests that are behind their share by at least 1/d with d = 2·count − 2, the one that would be
/// late first. `owed` is scaled by `parts` and `d` to stay in integers.
fn choose(weights: &[i64], taken: &[i64], parts: i64, n: i64) -> usize {
    let d = (2 * weights.len() as i64 - 2).max(1);
    let owed = |i: usize| (n * weights[i] - taken[i] * parts) * d;
    let slack = |i: usize| i128::from(parts * (d - 1) - owed(i));
    let earlier = |a: usize, b: usize| slack(a) * i128::from(weights[b]) < slack(b) * i128::from(weights[a]);
    (0..weights.len())
        .filter(|&i| owed(i) >= parts)
        .reduce(|best, i| if earlier(i, best) { i } else { best })
        .unwrap_or(0) // a single weight: d is 1 and it is always owed exactly one part
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_hundred_consecutive_requests_contain_exactly_eight() {
        let mix = Mix::new(&[92, 8]).unwrap();
        let picks: Vec<usize> = (0..1_000).map(|k| mix.pick(k)).collect();
        for (start, window) in picks.windows(100).enumerate() {
            assert_eq!(window.iter().sum::<usize>(), 8, "from {start}");
        }
        for (start, window) in picks.windows(13).enumerate() {
            assert!((1..=2).contains(&window.iter().sum::<usize>()), "from {start}: {window:?}");
        }
    }

    #[test]
    fn handles_one_request_and_equal_weights() {
        let alone = Mix::new(&[7]).unwrap();
        assert!((0..5).all(|k| alone.pick(k) == 0));
        let three = Mix::new(&[5, 5, 5]).unwrap();
        let mut seen: Vec<usize> = (0..3).map(|k| three.pick(k)).collect();
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2]);
    }

    #[test]
    fn rejects_weights_that_have_no_exact_order() {
        for weights in [&[][..], &[1, 0], &[1_000_003, 1]] {
            assert!(Mix::new(weights).is_err(), "{weights:?}");
        }
    }

    proptest! {
        #[test]
        fn stays_within_one_request_of_the_share(weights in prop::collection::vec(1_u32..60, 1..8)) {
            let mix = Mix::new(&weights).unwrap();
            let parts: u32 = weights.iter().sum();
            let mut taken = vec![0_u32; weights.len()];
            for n in 0..2 * parts {
                taken[mix.pick(u64::from(n))] += 1;
                for (count, weight) in taken.iter().zip(&weights) {
                    let fair = f64::from(n + 1) * f64::from(*weight) / f64::from(parts);
                    prop_assert!((f64::from(*count) - fair).abs() < 1.0);
                }
            }
        }
    }
}
