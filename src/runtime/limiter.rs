//! How fast requests go out: `--qps` and `--burst` shared by class, and a cap on requests in flight.
//!
//! A request that guards traffic never waits behind one that counts or tells. The order among waiters is by
//! class, then first come; every [`GRANTS_PER_ELDER`]th turn goes to whoever has waited longest, so that no
//! load can starve a class.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::clock::Clock;

/// Each time so many requests were granted, the next goes to the longest waiting, of whatever class.
pub const GRANTS_PER_ELDER: u32 = 16;

/// What a request is for, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Routes, selectors, aborts.
    Route,
    /// Decisions, creating and scaling.
    Decision,
    /// Counts and upkeep.
    Upkeep,
    /// Events.
    Event,
}

/// The limits. Argo: `--qps 40 --burst 80`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests a second in the long run; zero or less means no limit (client-go: less than zero).
    pub qps: f64,
    /// Requests that may go out at once after a quiet time; at least 1.
    pub burst: u32,
    /// Requests that may be under way together; at least 1. Each is one connection.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { qps: 40.0, burst: 80, in_flight: 64 }
    }
}

/// A limiter. Cheap to clone; clones share the limits.
#[derive(Clone, Debug)]
pub struct Limiter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    refilled: Duration,
    in_flight: usize,
    next_ticket: u64,
    granted: u32,
    waiting: BTreeMap<(Class, u64), Arc<Notify>>,
}

/// Leave to send one request; hold it until the answer is read.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.wake_next();
    }
}

/// A place in the line, given up when dropped.
struct Place {
    shared: Arc<Shared>,
    ticket: (Class, u64),
    turn: Arc<Notify>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        // Whether served or cancelled, the next in line has to look.
        state.waiting.remove(&self.ticket);
        state.wake_next();
    }
}

enum Step {
    Granted,
    /// Not its turn, or too many in flight: someone will wake it.
    Wait,
    /// Its turn, as soon as the bucket has a token.
    TokenAt(Duration),
}

impl Limiter {
    /// A limiter with a full bucket.
    pub fn new(limits: Limits, clock: Clock) -> Self {
        let limits = Limits { burst: limits.burst.max(1), in_flight: limits.in_flight.max(1), ..limits };
        let state = State {
            tokens: f64::from(limits.burst),
            refilled: clock.monotonic(),
            in_flight: 0,
            next_ticket: 0,
            granted: 0,
            waiting: BTreeMap::new(),
        };
        Self { shared: Arc::new(Shared { limits, clock, state: Mutex::new(state) }) }
    }

    /// Waits for leave to send one request of `class`. Dropping the future gives the place up.
    pub async fn acquire(&self, class: Class) -> Permit {
        let place = self.line_up(class);
        loop {
            match self.step(place.ticket) {
                Step::Granted => return Permit { shared: Arc::clone(&self.shared) },
                Step::Wait => place.turn.notified().await,
                Step::TokenAt(at) => tokio::select! {
                    biased;
                    () = place.turn.notified() => {}
                    () = self.shared.clock.sleep_until(at) => {}
                },
            }
        }
    }

    /// Requests that wait for leave now.
    pub fn waiting(&self) -> usize {
        self.shared.state.lock().waiting.len()
    }

    fn line_up(&self, class: Class) -> Place {
        let turn = Arc::new(Notify::new());
        let mut state = self.shared.state.lock();
        state.next_ticket += 1;
        let ticket = (class, state.next_ticket);
        state.waiting.insert(ticket, Arc::clone(&turn));
        Place { shared: Arc::clone(&self.shared), ticket, turn }
    }

    fn step(&self, ticket: (Class, u64)) -> Step {
        let limits = self.shared.limits;
        let now = self.shared.clock.monotonic();
        let mut state = self.shared.state.lock();
        if state.next() != Some(ticket) || state.in_flight >= limits.in_flight {
            return Step::Wait;
        }
        if limits.qps > 0.0 {
            let refill = now.saturating_sub(state.refilled).as_secs_f64() * limits.qps;
            state.tokens = (state.tokens + refill).min(f64::from(limits.burst));
            state.refilled = now;
            // A hair below one is one: the sum of the refills is not exact, and sleeping for 0 ns helps nobody.
            if state.tokens < 1.0 - 1e-6 {
                let missing = Duration::try_from_secs_f64((1.0 - state.tokens) / limits.qps);
                return Step::TokenAt(now.saturating_add(missing.unwrap_or(Duration::MAX)));
            }
            state.tokens -= 1.0;
        }
        state.in_flight += 1;
        state.granted = (state.granted + 1) % GRANTS_PER_ELDER;
        Step::Granted
    }
}

impl State {
    /// Whose turn it is.
    fn next(&self) -> Option<(Class, u64)> {
        if self.granted == GRANTS_PER_ELDER - 1 {
            return self.waiting.keys().min_by_key(|(_, number)| *number).copied();
        }
        self.waiting.keys().next().copied()
    }

    fn wake_next(&self) {
        if let Some(turn) = self.next().and_then(|ticket| self.waiting.get(&ticket)) {
            turn.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
