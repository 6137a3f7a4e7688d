//! Small pseudo-random numbers for jitter: seeded, so that a simulation repeats itself. Never for secrets.

use std::time::Duration;

/// The splitmix64 generator: one word of state, every seed is good.
#[derive(Clone, Debug)]
pub struct SplitMix {
    state: u64,
}

impl SplitMix {
    /// A generator whose sequence follows from `seed` alone.
    pub const fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next number; all values are equally likely.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// `base` times a number between `1 - percent/100` and `1 + percent/100`; `percent` above 100 counts as 100.
    pub fn jitter(&mut self, base: Duration, percent: u32) -> Duration {
        const STEPS: u32 = 1_000;
        let percent = percent.min(100);
        let drawn = u32::try_from(self.next_u64() % u64::from(2 * STEPS + 1)).unwrap_or(STEPS);
        // In units of 1/(100·STEPS): from (100 - percent)·STEPS to (100 + percent)·STEPS.
        let factor = (100 - percent) * STEPS + percent * drawn;
        base.saturating_mul(factor) / (100 * STEPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_bounds_and_uses_them() {
        let mut random = SplitMix::seeded(7);
        let base = Duration::from_secs(10);
        let drawn: Vec<_> = (0..5_000).map(|_| random.jitter(base, 20)).collect();
        assert!(drawn.iter().all(|d| (8..=12).contains(&d.as_secs())));
        assert!(drawn.iter().min().unwrap().as_millis() < 8_100);
        assert!(drawn.iter().max().unwrap().as_millis() > 11_900);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let draw = |seed| {
            let mut random = SplitMix::seeded(seed);
            [random.next_u64(), random.next_u64()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
