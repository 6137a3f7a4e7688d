//! Stopping in order: no new work, what is under way ends, what was said is sent, the lease is given back.
//!
//! The first SIGTERM or SIGINT asks for that; the second wants it now.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::clock::Clock;

/// Longest time for work to end. Kubernetes kills after 30 s by default: ten are left for events and the lease.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// The two wishes, as tokens that tasks wait for. Cheap to clone; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Shutdown {
    /// Nobody wants to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token for one part of the process: cancelled with the whole, or alone.
    pub fn part(&self) -> CancellationToken {
        self.stop.child_token()
    }

    /// Asks everyone to stop; asked again, to stop at once.
    pub fn request(&self) {
        if self.stop.is_cancelled() {
            self.abort.cancel();
        }
        self.stop.cancel();
    }

    /// Whether stopping was asked for.
    pub fn is_requested(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits until stopping is asked for.
    pub async fn requested(&self) {
        self.stop.cancelled().await;
    }

    /// Waits for `work` to end, for at most `limit`, and not at all once stopping at once is asked for.
    pub async fn drain<F: Future>(&self, clock: &Clock, limit: Duration, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.abort.cancelled() => None,
            done = clock.within(limit, work) => done,
        }
    }

    /// Requests a stop at each SIGTERM and SIGINT, from now on. Fails where signals cannot be listened to.
    #[cfg(unix)]
    pub fn listen(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let shutdown = self.clone();
        // Lives as long as the process: there is nobody who would wait for it.
        #[allow(clippy::disallowed_methods, reason = "nobody waits for it; the process ends with it")]
        tokio::spawn(async move {
            while !shutdown.abort.is_cancelled() {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                tracing::info!(signal = name, again = shutdown.is_requested(), "stopping");
                shutdown.request();
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Time;

    #[tokio::test(start_paused = true)]
    async fn the_first_request_lets_work_end_and_the_second_does_not() {
        let clock = Clock::scaled(Time::from_seconds(0), 1.0);
        let shutdown = Shutdown::new();
        let part = shutdown.part();
        shutdown.request();
        shutdown.requested().await;
        assert!(part.is_cancelled() && shutdown.is_requested());
        let work = clock.sleep(Duration::from_secs(5));
        assert_eq!(shutdown.drain(&clock, DRAIN_LIMIT, work).await, Some(()));
        assert_eq!(shutdown.drain(&clock, DRAIN_LIMIT, std::future::pending::<()>()).await, None);
        assert_eq!(clock.monotonic(), Duration::from_secs(25));
        shutdown.request();
        assert_eq!(shutdown.drain(&clock, DRAIN_LIMIT, std::future::pending::<()>()).await, None);
        assert_eq!(clock.monotonic(), Duration::from_secs(25));
    }

    #[tokio::test]
    async fn a_part_can_stop_alone() {
        let shutdown = Shutdown::new();
        shutdown.part().cancel();
        assert!(!shutdown.is_requested());
    }
}
