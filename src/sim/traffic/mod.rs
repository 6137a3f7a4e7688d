//! Model users: they send requests through the data plane's own view, and every answer is attributed.
//!
//! [`ways`] says where a request may go; [`flow`] decides what becomes of one and [`bulk`] of many at once; [`users`]
//! sends the due number of them, in the course of a [`profile`] and over [`connections`]; through the [`door`] others send
//! theirs. [`loads`] knows how busy each pod is; [`record`] keeps totals and a window of recent counts, which
//! [`prometheus`](crate::sim::prometheus) serves.

pub mod bulk;
pub mod connections;
pub mod door;
pub mod flow;
pub mod loads;
pub mod profile;
pub mod record;
pub mod times;
pub mod users;
pub(crate) mod ways;

pub use connections::Connections;
pub use door::{Door, Reply};
pub use flow::{Outcome, Reason, Target};
pub use loads::Loads;
pub use profile::Profile;
pub use record::{Record, Series, Tally};
pub use users::{Load, Traffic};

#[cfg(test)]
mod tests;
