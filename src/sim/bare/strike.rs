//! What goes wrong with the requests of a controller.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::Time;

/// Wait after a failed request, doubled with each that follows.
const BACKOFF: Duration = Duration::from_millis(200);
/// The longest wait (I36).
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// How long a request runs before the client gives it up.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strike {
    /// The process dies before it sends.
    CrashBefore,
    /// The process dies before it hears of the answer.
    CrashAfter,
    /// The write is committed, and the connection breaks before the answer.
    LoseResponse,
    /// 409: somebody has changed the object.
    Conflict,
    /// 429, with so many seconds to wait.
    TooMany(u64),
    /// 500; nothing is committed.
    Internal,
    /// Nobody answers for ten seconds; nothing is committed.
    Timeout,
    /// The process stands still for so many milliseconds, and then sends. Others lead by then if it was long.
    Freeze(u64),
}

impl Strike {
    /// Frozen for longer than a lease lasts: another leads by then.
    pub const FROZEN: Self = Self::Freeze(20_000);
}

/// The strikes that are ordered, by the number of the write, and what has come of requests so far.
#[derive(Clone, Debug, Default)]
pub struct Strikes {
    /// By the number of the write, from 0.
    pub ordered: BTreeMap<u64, Strike>,
    /// Writes so far.
    pub writes: u64,
    /// The kind whose objects nobody may change any more, and what the server says of it: a validating webhook, for
    /// example. It lasts until somebody takes it away.
    pub denied: Option<(&'static str, &'static str)>,
    failures: u32,
}

impl Strikes {
    /// Counts a write, and says what happens to it.
    pub fn meet(&mut self) -> Option<Strike> {
        let strike = self.ordered.get(&self.writes).copied();
        self.writes += 1;
        strike
    }

    /// When a controller tries again after a look with a failure; none where all went well.
    pub fn retry(&mut self, failed: Option<&Failed>, now: Time) -> Option<Time> {
        let Some(failed) = failed else {
            self.failures = 0;
            return None;
        };
        if crate::mutant!("failures-not-retried") {
            return None;
        }
        let backoff = BACKOFF.saturating_mul(1 << self.failures.min(10)).min(LONGEST_BACKOFF);
        self.failures += 1;
        let wait = match failed {
            Failed::Refused { retry_after: Some(after) } => backoff.max(*after),
            Failed::Refused { retry_after: None } => backoff,
            Failed::TimedOut => backoff + TIMEOUT,
        };
        Some(now + wait)
    }
}

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The server said no.
    Refused {
        /// The header `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Nobody answered.
    TimedOut,
}
