//! Metric sources behind one trait: everything that asks the outside world for a number.
//!
//! A source is given a metric whose arguments are in place, and gives a [`Measurement`](crate::api::analysis::Measurement);
//! it never fails otherwise, never waits longer than its time limit, never reads more than a bounded answer, and never
//! decides about a run: that is [`crate::analysis`]. [`Sources`] chooses the source and hides secrets in what comes back.
//! A new source is one file, one arm in `sources.rs`, and one line less in `analysis/support.rs`.

mod http;
mod judgement;
mod oauth2;
pub mod prometheus;
mod source;
mod sources;
mod target;

pub use http::{Clients, MAX_ANSWER_BYTES, MAX_REDIRECTS};
pub use prometheus::Prometheus;
pub use source::{Clock, MeasureFuture, MetricSource, Request};
pub use sources::{MAX_VALUE_BYTES, Settings, Sources};

#[cfg(test)]
mod tests;
