//! What the heap holds, and how often it was asked for more: counted by an allocator that hands everything on to the
//! system's. Each thread has counts of its own, so that tests do not see one another.

#![allow(unsafe_code, reason = "an allocator cannot be written without it; this one only adds")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static BYTES: Cell<i64> = const { Cell::new(0) };
    static BLOCKS: Cell<i64> = const { Cell::new(0) };
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with counts.
pub struct Counting;

/// A thread that ends has no counts any more, and nobody asks for them.
fn count(bytes: i64, blocks: i64) {
    let _ = BYTES.try_with(|held| held.set(held.get() + bytes));
    let _ = BLOCKS.try_with(|held| held.set(held.get() + blocks));
    if blocks >= 0 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

// SAFETY: every request goes to the system's allocator as it came, and its answer comes back as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()), 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()), 1);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-signed(layout.size()), -1);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(signed(size) - signed(layout.size()), 0);
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What this thread has been given and has not given back.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// How many bytes.
    pub bytes: i64,
    /// In how many pieces.
    pub blocks: i64,
}

/// What this thread holds now.
pub fn held() -> Held {
    Held { bytes: BYTES.with(Cell::get), blocks: BLOCKS.with(Cell::get) }
}

/// How often this thread has asked for memory so far.
pub fn requests() -> u64 {
    ASKED.with(Cell::get)
}
