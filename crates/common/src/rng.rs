//! Random numbers that are reproducible from a seed.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A random seed. It has 32 bits, so that it is short enough to retype.
#[must_use]
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish() & 0xffff_ffff
}

/// A second seed for the same run, whose values do not repeat those of the first.
#[must_use]
pub fn derived(seed: u64, number: u64) -> u64 {
    Rng::of(!seed, number).next_u64()
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): eight bytes of state, good enough for arrival times and test data.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The sequence of one arrival of a run.
    #[must_use]
    pub fn of(seed: u64, number: u64) -> Self {
        // The starting points are scrambled, so that the sequences lie far apart in the generator's one cycle.
        let mut scrambled = Self(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        Self(scrambled.next_u64())
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in (0, 1].
    pub fn unit(&mut self) -> f64 {
        ((self.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `bound`, which must be at least 1. The bias is bound/2⁶⁴.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An exponentially distributed number with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }
}
