//! Time, as a value that is handed down: the only place that reads clocks.
//!
//! Waiting goes through tokio's timer, so under a paused tokio runtime a scaled clock is a virtual one:
//! a test, or a simulation, of an hour takes as long as its work. Whoever needs the time takes a [`Clock`].

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::api::Time;

/// A clock runs at least at a thousandth of real speed, and at most a million times as fast.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;

/// A wall clock and a monotonic clock that run together. Cheap to clone; clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    origin: Instant,
    wall: Wall,
    speed: f64,
}

#[derive(Debug)]
enum Wall {
    /// The computer's own, with its corrections and jumps.
    System,
    /// Advances with the monotonic clock from this instant.
    From(Time),
    /// Shows what it is told; the monotonic clock counts from this instant of it.
    Told(Teller, Time),
}

/// Somebody who tells the time.
struct Teller(Arc<dyn Fn() -> Time + Send + Sync>);

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Teller")
    }
}

impl Clock {
    /// The computer's clock.
    pub fn real() -> Self {
        Self::of(Wall::System, 1.0)
    }

    /// A clock that shows `start` now, and runs `speed` times as fast as tokio's timer.
    /// `speed` is held between 0.001 and 1,000,000; what is no number counts as 1.
    pub fn scaled(start: Time, speed: f64) -> Self {
        Self::of(Wall::From(start), speed)
    }

    /// A clock that shows what `teller` says, for simulations. `speed` is how fast it is expected to go beside tokio's
    /// timer, as in [`Clock::scaled`]: whoever waits looks again until it has come that far, so a simulation that
    /// a busy computer holds up is waited for.
    pub fn told(teller: Arc<dyn Fn() -> Time + Send + Sync>, speed: f64) -> Self {
        let start = teller();
        Self::of(Wall::Told(Teller(teller), start), speed)
    }

    fn of(wall: Wall, speed: f64) -> Self {
        let speed = if speed.is_nan() { 1.0 } else { speed.clamp(*SPEEDS.start(), *SPEEDS.end()) };
        Self { inner: Arc::new(Inner { origin: Instant::now(), wall, speed }) }
    }

    /// The instant that the wall clock shows. May jump on a real clock: never measure with it.
    #[allow(clippy::disallowed_methods, reason = "here the time comes in")]
    pub fn now(&self) -> Time {
        match &self.inner.wall {
            Wall::System => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                Time::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
            }
            Wall::From(start) => *start + self.monotonic(),
            Wall::Told(teller, _) => (teller.0)(),
        }
    }

    /// Time since this clock was made. Never goes back.
    pub fn monotonic(&self) -> Duration {
        if let Wall::Told(teller, start) = &self.inner.wall {
            return (teller.0)().since(*start);
        }
        scale(self.inner.origin.elapsed(), self.inner.speed)
    }

    /// Waits for `duration` by this clock.
    pub async fn sleep(&self, duration: Duration) {
        if matches!(self.inner.wall, Wall::Told(..)) {
            let end = self.monotonic().saturating_add(duration);
            loop {
                let left = end.saturating_sub(self.monotonic());
                if left.is_zero() {
                    return;
                }
                self.timer(left).await;
            }
        }
        self.timer(duration).await;
    }

    /// Waits for about `duration` by this clock; a clock that is told may have been held up.
    #[allow(clippy::disallowed_methods, reason = "here waits come from")]
    async fn timer(&self, duration: Duration) {
        tokio::time::sleep(scale(duration, self.inner.speed.recip())).await;
    }

    /// Waits until [`Clock::monotonic`] has reached `instant`; not at all where it has.
    pub async fn sleep_until(&self, instant: Duration) {
        self.sleep(instant.saturating_sub(self.monotonic())).await;
    }

    /// The output of `work`, or `None` where it takes longer than `limit` by this clock; it is then dropped.
    pub async fn within<F: Future>(&self, limit: Duration, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = work => Some(output),
            () = self.sleep(limit) => None,
        }
    }
}

fn scale(duration: Duration, factor: f64) -> Duration {
    // At real speed no nanosecond may be lost to floating point.
    if (factor - 1.0).abs() < f64::EPSILON {
        return duration;
    }
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn virtual_time_passes_only_by_waiting() {
        let start = Time::from_seconds(1_000);
        let clock = Clock::scaled(start, 1.0);
        assert_eq!(clock.now(), start);
        clock.sleep(Duration::from_hours(1)).await;
        assert_eq!(clock.now(), start + Duration::from_hours(1));
        assert_eq!(clock.clone().monotonic(), Duration::from_hours(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_waits_less() {
        let clock = Clock::scaled(Time::from_seconds(0), 60.0);
        let before = Instant::now();
        clock.sleep(Duration::from_mins(1)).await;
        let waited = before.elapsed();
        assert!(waited >= Duration::from_millis(999) && waited <= Duration::from_millis(1_002), "{waited:?}");
        assert!(clock.monotonic() >= Duration::from_mins(1));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_too_long_is_dropped() {
        let clock = Clock::scaled(Time::from_seconds(0), 1.0);
        assert_eq!(clock.within(Duration::from_secs(1), std::future::ready(7)).await, Some(7));
        assert_eq!(clock.within(Duration::from_secs(1), std::future::pending::<()>()).await, None);
        assert_eq!(clock.monotonic(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_told_and_held_up_is_waited_for() {
        // Goes a tenth as fast as it is expected to.
        let origin = Instant::now();
        let late = move || Time::from_seconds(0) + origin.elapsed() / 10;
        let clock = Clock::told(Arc::new(late), 1.0);
        clock.sleep(Duration::from_secs(1)).await;
        assert!(clock.monotonic() >= Duration::from_secs(1));
        assert!(origin.elapsed() <= Duration::from_millis(10_100), "{:?}", origin.elapsed());
        assert_eq!(clock.within(Duration::from_secs(1), std::future::pending::<()>()).await, None);
        assert!(clock.monotonic() >= Duration::from_secs(2));
    }

    #[test]
    fn a_real_clock_shows_this_century() {
        assert!(Clock::real().now() > "2020-01-01T00:00:00Z".parse().unwrap());
    }
}
