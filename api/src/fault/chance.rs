//! Repeatable random numbers: number N of a seed depends on N alone, so threads only share a counter.

/// Steps between the states of SplitMix64: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Number `position` of the sequence of `seed`, from 0.0 (included) to 1.0 (excluded).
///
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014). Its state is a
/// plain counter and its output a mix of that counter.
pub(super) fn point(seed: u64, position: u64) -> f64 {
    let mut z = seed.wrapping_add(STEP.wrapping_mul(position.wrapping_add(1)));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    // The fraction of an f64 has 53 bits.
    (z >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_outputs_are_the_published_ones() {
        // SplitMix64 with seed 1234567: 6457827717110365317, 3203168211198807973, 9817491932198370423.
        for (position, output) in
            [6_457_827_717_110_365_317_u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
                .into_iter()
                .enumerate()
        {
            let expected = (output >> 11) as f64 / (1u64 << 53) as f64;
            assert_eq!(point(1_234_567, position as u64), expected, "{position}");
        }
    }

    #[test]
    fn points_are_uniform() {
        for seed in [0, 1, 7, u64::MAX] {
            let low = (0..10_000).filter(|n| point(seed, *n) < 0.2).count();
            // The standard deviation is 40.
            assert!((1_800..=2_200).contains(&low), "seed {seed}: {low}");
        }
    }

    proptest! {
        #[test]
        fn points_lie_in_the_unit_interval_and_repeat(seed: u64, position: u64) {
            let first = point(seed, position);
            prop_assert!((0.0..1.0).contains(&first));
            prop_assert_eq!(first, point(seed, position));
        }
    }
}
