//! Model users: they send requests through the data plane's own view, and every answer is attributed.
//!
//! [`flow`] decides what becomes of one request, [`users`] sends the due number of them on each tick, [`record`] keeps
//! totals and a window of recent counts, which [`prometheus`](crate::sim::prometheus) serves.

pub mod flow;
pub mod record;
pub mod users;

pub use flow::{Outcome, Reason, Target};
pub use record::{Record, Series, Tally};
pub use users::{Load, Traffic};

#[cfg(test)]
mod tests;
