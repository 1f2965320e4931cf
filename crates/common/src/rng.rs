//! Random numbers that come again with the same seed.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A seed nobody chose; 32 bits, so that it is easily typed again.
#[must_use]
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish() & 0xffff_ffff
}

/// The seed of something that goes with a run and must not repeat its values.
#[must_use]
pub fn derived(seed: u64, number: u64) -> u64 {
    Dice::of(!seed, number).roll()
}

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): eight bytes of state, good enough for arrival times and test data.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The sequence of one arrival of a run.
    #[must_use]
    pub fn of(seed: u64, number: u64) -> Self {
        // Far apart in the generator's one cycle: each sequence begins where a scrambled number says.
        let mut scrambled = Self(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        Self(scrambled.roll())
    }

    /// Any 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In (0, 1].
    pub fn unit(&mut self) -> f64 {
        ((self.roll() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Below `bound`, which is 1 or more. The bias is bound/2⁶⁴.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.roll()) * u128::from(bound)) >> 64) as u64
    }

    /// Exponentially distributed with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }
}
