//! Leadership by a `coordination.k8s.io/v1` Lease: [`elector`] decides, this file reads and writes.
//!
//! The caller runs [`Election::acquire`], then its work beside [`Election::hold`]; when `hold` returns, the
//! process has to end. [`Fence`] goes with every writer: it says until when a write may be sent, so that a process
//! that was asleep does not write as a leader of the past.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Clock;
use super::error::{ApiError, ErrorKind};
use super::random::SplitMix;

pub mod elector;
mod store;

pub use elector::{Action, Elector, Record, Terms, TermsError};
pub use store::{ApiLeaseStore, LeaseStore};

/// Spread of the retry period while waiting to lead (client-go: its `JitterFactor` adds up to 120 %).
const RETRY_JITTER_PERCENT: u32 = 20;
/// A release is tried so often: the first may meet a renewal whose answer was lost.
const RELEASE_ATTEMPTS: usize = 3;

/// Until when writes may be sent. Cheap to clone; clones are the same fence.
#[derive(Clone, Debug)]
pub struct Fence {
    clock: Clock,
    /// Nanoseconds of the monotonic clock.
    until: Arc<AtomicU64>,
}

impl Fence {
    /// A fence that nothing may pass, until an election opens it.
    pub fn closed(clock: Clock) -> Self {
        Self { clock, until: Arc::new(AtomicU64::new(0)) }
    }

    /// A fence that is always open: for a process that needs no leadership.
    pub fn open(clock: Clock) -> Self {
        Self { clock, until: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// Whether a write may be sent now.
    pub fn permits(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// For how much longer writes may be sent, if the lease is not renewed.
    pub fn remaining(&self) -> Duration {
        let until = Duration::from_nanos(self.until.load(Ordering::Acquire));
        until.saturating_sub(self.clock.monotonic())
    }

    fn set(&self, until: Option<Duration>) {
        let nanos = until.map_or(0, |until| u64::try_from(until.as_nanos()).unwrap_or(u64::MAX));
        self.until.store(nanos, Ordering::Release);
    }
}

/// Why leadership ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// Another process leads.
    #[error("leadership was lost to {0}; this process ends so that it cannot act on old knowledge")]
    Taken(String),
    /// The Lease could not be renewed in time.
    #[error("the lease could not be renewed within {}s ({cause}); this process ends before another takes over", .deadline.as_secs())]
    Expired {
        /// The renew deadline.
        deadline: Duration,
        /// What the last attempt met.
        cause: String,
    },
}

/// One contender for a Lease.
#[derive(Debug)]
pub struct Election<S> {
    store: S,
    clock: Clock,
    terms: Terms,
    elector: Elector,
    fence: Fence,
    random: SplitMix,
}

impl<S: LeaseStore> Election<S> {
    /// Contends as `identity` (unique to this process) under `terms`.
    pub fn new(store: S, clock: Clock, identity: &str, terms: Terms) -> Result<Self, TermsError> {
        let terms = terms.checked()?;
        let seed = identity.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Ok(Self {
            store,
            terms,
            elector: Elector::new(identity, terms),
            fence: Fence::closed(clock.clone()),
            random: SplitMix::seeded(seed),
            clock,
        })
    }

    /// The fence that this election opens and closes.
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    /// Waits until this process leads. Errors are logged and tried again: without an API server nobody leads.
    pub async fn acquire(&mut self) {
        let mut told = String::new();
        loop {
            if let Err(error) = self.attempt(self.terms.renew_deadline).await {
                tracing::warn!(%error, "cannot contend for the lease");
            }
            if self.fence.permits() {
                return;
            }
            if self.elector.holder() != told {
                self.elector.holder().clone_into(&mut told);
                tracing::info!(leader = %told, "another replica leads; waiting");
            }
            self.clock.sleep(self.random.jitter(self.terms.retry, RETRY_JITTER_PERCENT)).await;
        }
    }

    /// Renews until leadership is lost, and says why. The fence is closed by then.
    pub async fn hold(&mut self) -> Lost {
        let mut cause = "no attempt was made".to_owned();
        loop {
            self.clock.sleep(self.terms.retry.min(self.fence.remaining())).await;
            let remaining = self.fence.remaining();
            if remaining.is_zero() {
                return self.lost(Lost::Expired { deadline: self.terms.renew_deadline, cause });
            }
            // Half the deadline for one attempt leaves time for another.
            match self.attempt(remaining.min(self.terms.renew_deadline / 2)).await {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(%error, seconds_left = self.fence.remaining().as_secs(), "cannot renew the lease");
                    cause = error.to_string();
                }
            }
            if self.elector.trusted_until().is_none() {
                let holder = self.elector.holder().to_owned();
                return self.lost(Lost::Taken(if holder.is_empty() { "nobody".to_owned() } else { holder }));
            }
        }
    }

    /// Closes the fence and gives leadership up, where this process has it, so that another replica leads at once.
    /// Call it after the last write. Does its best: where it fails, the lease runs out by itself.
    pub async fn release(mut self) {
        self.fence.set(None);
        for _ in 0..RELEASE_ATTEMPTS {
            // What we hold may be older than a renewal that was cut off.
            let Some(Ok(record)) = self.clock.within(self.terms.retry, self.store.read()).await else { continue };
            self.elector.saw(record, self.clock.monotonic());
            let Some(record) = self.elector.release(self.clock.now()) else { return };
            if let Some(Ok(_)) = self.clock.within(self.terms.retry, self.store.replace(&record)).await {
                tracing::info!("lease released");
                return;
            }
        }
        tracing::warn!("cannot release the lease; another replica leads when it has run out");
    }

    fn lost(&mut self, lost: Lost) -> Lost {
        self.fence.set(None);
        tracing::error!(%lost, "not leading any more");
        lost
    }

    /// One attempt to lead, or to go on leading: at most a read and a write, within `limit`.
    async fn attempt(&mut self, limit: Duration) -> Result<(), ApiError> {
        let clock = self.clock.clone();
        let done = clock.within(limit, self.steps()).await;
        let trusted = self.elector.trusted_until();
        self.fence.set(trusted);
        done.unwrap_or_else(|| {
            Err(ApiError::new(ErrorKind::UnknownOutcome, "contend for the lease", "no answer in time"))
        })
    }

    async fn steps(&mut self) -> Result<(), ApiError> {
        let leading = self.elector.trusted_until().is_some();
        if !leading {
            self.read().await?;
        }
        match self.write().await {
            Err(error)
                if matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists | ErrorKind::NotFound) =>
            {
                // Someone was faster, or an earlier write of ours has happened after all.
                self.read().await?;
                if self.elector.trusted_until().is_some() { self.write().await } else { Ok(()) }
            }
            other => other,
        }
    }

    async fn read(&mut self) -> Result<(), ApiError> {
        let record = self.store.read().await?;
        self.elector.saw(record, self.clock.monotonic());
        Ok(())
    }

    async fn write(&mut self) -> Result<(), ApiError> {
        let sent = self.clock.monotonic();
        let (written, new) = match self.elector.decide(sent, self.clock.now()) {
            Action::Read | Action::Wait => return Ok(()),
            Action::Create(record) => (self.store.create(&record).await?, record),
            Action::Replace(record) => (self.store.replace(&record).await?, record),
        };
        let began = !self.fence.permits();
        self.elector.wrote(Record { version: written, ..new }, sent);
        if began {
            tracing::info!("leading");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
