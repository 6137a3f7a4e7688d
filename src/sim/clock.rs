//! A clock that moves when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::api_server::Now;
use crate::api::Time;

/// Virtual time. Clones are handles to the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Time) -> Self {
        Self(Arc::new(AtomicI64::new(start.nanos())))
    }

    /// The instant that it shows.
    pub fn time(&self) -> Time {
        Time::from_nanos(self.0.load(Ordering::SeqCst))
    }

    /// Moves it on.
    pub fn advance(&self, span: Duration) {
        let nanos = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        self.0.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Turns it back, or on, to an instant.
    pub fn set(&self, time: Time) {
        self.0.store(time.nanos(), Ordering::SeqCst);
    }

    /// The handle that the server and the models take.
    pub fn now(&self) -> Now {
        let clock = self.clone();
        Arc::new(move || clock.time())
    }
}
