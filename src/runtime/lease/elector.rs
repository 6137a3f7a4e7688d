//! Who leads, as a value: no I/O, no clock.
//!
//! A rival's record is dead when *we* have not seen it change for the lease's length by our own monotonic clock;
//! nobody's wall clock is ever compared with another's. A leader trusts its own record for the shorter renew
//! deadline, counted from the moment *before* it sent the write. So, with clocks of the same speed:
//!
//! ```text
//! leader   sent ─── committed ───────────── stops (sent + 10 s)
//! rival                 └── saw it change ───────────────────────── takes over (saw + 15 s)
//! ```
//!
//! `saw` is after `committed`, which is after `sent`; five seconds are left for clocks of unequal speed.

use std::time::Duration;

use crate::api::Time;

/// A record that promises more is believed for this long only: a slip of the hand must not end all leadership.
const LONGEST_FOREIGN_LEASE: Duration = Duration::from_mins(10);

/// Lengths. Argo: `--leader-election-lease-duration`, `-renew-deadline`, `-retry-period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a rival waits for a record to change before it takes over.
    pub lease: Duration,
    /// How long a leader goes on without having renewed.
    pub renew_deadline: Duration,
    /// Time between attempts.
    pub retry: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), renew_deadline: Duration::from_secs(10), retry: Duration::from_secs(2) }
    }
}

/// Terms that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// Two leaders could overlap.
    #[error(
        "--leader-election-lease-duration ({lease:?}) must be longer than --leader-election-renew-deadline \
         ({renew_deadline:?}), or two replicas could lead at once"
    )]
    LeaseTooShort {
        /// As given.
        lease: Duration,
        /// As given.
        renew_deadline: Duration,
    },
    /// A leader could not renew in time.
    #[error(
        "--leader-election-renew-deadline ({renew_deadline:?}) must be longer than 1.2 times \
         --leader-election-retry-period ({retry:?}), or a leader could not renew in time"
    )]
    DeadlineTooShort {
        /// As given.
        renew_deadline: Duration,
        /// As given.
        retry: Duration,
    },
    /// A period of nothing would be a busy loop.
    #[error("--leader-election-retry-period must be longer than zero")]
    NoRetry,
}

impl Terms {
    /// Checks that the lengths fit together, as client-go's `NewLeaderElector` does.
    pub fn checked(self) -> Result<Self, TermsError> {
        let Self { lease, renew_deadline, retry } = self;
        if retry.is_zero() {
            return Err(TermsError::NoRetry);
        }
        if lease <= renew_deadline {
            return Err(TermsError::LeaseTooShort { lease, renew_deadline });
        }
        if renew_deadline <= retry.mul_f64(1.2) {
            return Err(TermsError::DeadlineTooShort { renew_deadline, retry });
        }
        Ok(self)
    }
}

/// What a Lease says.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Record {
    /// Who leads; empty where nobody does.
    pub holder: String,
    /// How long the record is good for without a change.
    pub duration: Duration,
    /// When the holder began to lead, by its own wall clock. For people.
    pub acquired: Option<Time>,
    /// When the holder renewed last, by its own wall clock. Only ever compared for being equal.
    pub renewed: Option<Time>,
    /// How often leadership has changed hands.
    pub transitions: i64,
    /// Version of the stored object; the precondition of a write.
    pub version: String,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the Lease.
    Read,
    /// Create the Lease with this record.
    Create(Record),
    /// Replace the record, on condition that its version is still the one in it.
    Replace(Record),
    /// Somebody leads: look again after the retry period.
    Wait,
}

/// One contender's knowledge.
#[derive(Clone, Debug)]
pub struct Elector {
    me: String,
    terms: Terms,
    /// What the Lease said, and when we first saw it say so. The outer `None`: never read.
    seen: Option<(Option<Record>, Duration)>,
    trusted_until: Option<Duration>,
}

impl Elector {
    /// A contender called `me`, which must be unlike any other, dead or alive: the name of a process, not of a host.
    pub fn new(me: impl Into<String>, terms: Terms) -> Self {
        Self { me: me.into(), terms, seen: None, trusted_until: None }
    }

    /// The Lease was read at `now` and says `record`; `None`: there is no Lease.
    pub fn saw(&mut self, record: Option<Record>, now: Duration) {
        if record.as_ref().is_none_or(|record| record.holder != self.me) {
            self.trusted_until = None;
        }
        match &self.seen {
            Some((known, _)) if *known == record => {}
            _ => self.seen = Some((record, now)),
        }
    }

    /// Our write of `record`, sent at `sent`, was accepted and now has the version in it.
    pub fn wrote(&mut self, record: Record, sent: Duration) {
        self.trusted_until = Some(sent.saturating_add(self.terms.renew_deadline));
        self.seen = Some((Some(record), sent));
    }

    /// Until when, by the monotonic clock, this contender may act as the leader; `None` where it does not lead.
    pub const fn trusted_until(&self) -> Option<Duration> {
        self.trusted_until
    }

    /// Who leads as far as we know; empty where nobody does.
    pub fn holder(&self) -> &str {
        self.seen.as_ref().and_then(|(record, _)| record.as_ref()).map_or("", |record| record.holder.as_str())
    }

    /// What to do at `now`, where the wall clock shows `wall` (which is written for people, never judged by).
    pub fn decide(&self, now: Duration, wall: Time) -> Action {
        let Some((record, since)) = &self.seen else { return Action::Read };
        let Some(record) = record else {
            return Action::Create(self.claim(&Record::default(), wall));
        };
        if record.holder == self.me {
            return Action::Replace(Record { renewed: Some(wall), duration: self.terms.lease, ..record.clone() });
        }
        let promised = record.duration.min(LONGEST_FOREIGN_LEASE).max(self.terms.lease);
        if record.holder.is_empty() || now.saturating_sub(*since) >= promised {
            return Action::Replace(self.claim(record, wall));
        }
        Action::Wait
    }

    fn claim(&self, before: &Record, wall: Time) -> Record {
        Record {
            holder: self.me.clone(),
            duration: self.terms.lease,
            acquired: Some(wall),
            renewed: Some(wall),
            // client-go: a first holder is no transition.
            transitions: if before.version.is_empty() { 0 } else { before.transitions.saturating_add(1) },
            version: before.version.clone(),
        }
    }

    /// The record that gives leadership up; `None` where we do not hold it.
    pub fn release(&self, wall: Time) -> Option<Record> {
        let (Some(record), _) = self.seen.as_ref()? else { return None };
        (record.holder == self.me).then(|| Record {
            holder: String::new(),
            // client-go writes one second, so that those who only look at times move on at once.
            duration: Duration::from_secs(1),
            renewed: Some(wall),
            ..record.clone()
        })
    }
}
