//! A small seeded generator, so that a run is a function of its seed on every platform.

use std::fmt::Write as _;

/// The letters that Kubernetes uses in generated names: no vowels, nothing that reads as another sign.
const NAME_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Sebastiano Vigna's `splitmix64`: one word of state, passes the usual test batteries, good enough for a model.
#[derive(Clone, Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// A generator whose whole output is a function of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of a 128-bit product is uniform up to 2^-64, without a division's bias.
        let wide = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next_u64() >> 32).unwrap_or(0);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// A suffix of `length` letters as Kubernetes appends to `generateName`.
    pub fn suffix(&mut self, length: usize) -> String {
        let letters = NAME_LETTERS.len() as u64;
        (0..length)
            .map(|_| {
                let at = usize::try_from(self.below(letters)).unwrap_or(0);
                char::from(NAME_LETTERS.get(at).copied().unwrap_or(b'x'))
            })
            .collect()
    }

    /// A text in the form of a version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.next_u64(), self.next_u64());
        let mut hex = String::with_capacity(32);
        // Writing to a String cannot fail.
        let _ = write!(hex, "{high:016x}{low:016x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_function_of_the_seed() {
        let (mut a, mut b) = (SplitMix::new(7), SplitMix::new(7));
        assert_eq!(a.uuid(), b.uuid());
        assert_eq!(a.suffix(5), b.suffix(5));
        assert_ne!(a.next_u64(), SplitMix::new(8).next_u64());
    }

    #[test]
    fn stays_below_its_bound() {
        let mut random = SplitMix::new(1);
        let seen: std::collections::BTreeSet<u64> = (0..200).map(|_| random.below(7)).collect();
        assert_eq!(seen, (0..7).collect());
        assert!((0..200).all(|_| (0.0..1.0).contains(&random.unit())));
    }
}
