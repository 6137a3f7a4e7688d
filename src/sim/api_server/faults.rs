//! Faults to order: what a network and a loaded API server do to a client.

use std::time::Duration;

use super::request::RequestInfo;

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused with this HTTP status; nothing is committed.
    Status {
        /// 429, 500, 503, 504 and the like.
        code: u16,
        /// Seconds for the `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// Refused with this HTTP status in these words, as an admission webhook does; nothing is committed.
    Denial {
        /// 400, 403, 422 and the like.
        code: u16,
        /// What the webhook says.
        message: String,
    },
    /// The connection breaks before the server has seen anything.
    DropBefore,
    /// The write is committed, and the connection breaks before the client hears of it.
    LoseResponse,
    /// The request is carried out this much later, in the time of the server.
    Delay(Duration),
    /// The request is carried out at once, and answered this much later.
    Late(Duration),
}

/// Decides which requests go wrong. Called once for each request on a resource, before it is carried out.
pub trait Faults: Send + Sync {
    /// The fault for this request; none lets it through.
    fn strike(&self, request: &RequestInfo) -> Option<Fault>;
}

impl<F> Faults for F
where
    F: Fn(&RequestInfo) -> Option<Fault> + Send + Sync,
{
    fn strike(&self, request: &RequestInfo) -> Option<Fault> {
        self(request)
    }
}

/// How a running watch ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server closes the stream in order.
    Clean,
    /// The connection breaks in the middle.
    Broken,
}
