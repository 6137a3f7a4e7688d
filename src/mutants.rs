//! Defects to order, for the proof that checkers and tests see them. Without the feature `mutants` none exists.
//!
//! Each stands in the code as `mutant!("name")`, which is `false` when the feature is off, so the compiler takes it out.
//! One at a time is chosen while the program runs.

use std::sync::atomic::{AtomicU64, Ordering};

/// Whether the defect of this name is chosen; `false` without the feature `mutants`.
#[macro_export]
macro_rules! mutant {
    ($name:literal) => {
        cfg!(feature = "mutants") && $crate::mutants::is_chosen(const { $crate::mutants::number($name) })
    };
}

/// The chosen defect; 0 for none.
static CHOSEN: AtomicU64 = AtomicU64::new(0);
/// The only promise that is listened to; 0 for all of them.
static HEARD: AtomicU64 = AtomicU64::new(0);

/// A number for a name: FNV-1a.
pub const fn number(name: &str) -> u64 {
    let (bytes, mut number, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        #[allow(clippy::indexing_slicing, reason = "below the length")]
        let byte = bytes[at] as u64;
        number = (number ^ byte).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    number
}

/// 0 for the empty name.
fn number_or_none(name: &str) -> u64 {
    if name.is_empty() { 0 } else { number(name) }
}

/// Chooses a defect; the empty name chooses none. Without the feature `mutants` it changes nothing.
pub fn choose(name: &str) {
    CHOSEN.store(number_or_none(name), Ordering::Relaxed);
}

/// Whether the defect of this number is the chosen one.
pub fn is_chosen(number: u64) -> bool {
    CHOSEN.load(Ordering::Relaxed) == number
}

/// Makes checkers deaf to every promise but that of an ID; the empty ID ends it. Without the feature `mutants` it changes
/// nothing.
pub fn listen(id: &str) {
    HEARD.store(number_or_none(id), Ordering::Relaxed);
}

/// Whether a broken promise of this ID is to be reported.
pub fn is_heard(id: &str) -> bool {
    let heard = if cfg!(feature = "mutants") { HEARD.load(Ordering::Relaxed) } else { 0 };
    heard == 0 || heard == number(id)
}
