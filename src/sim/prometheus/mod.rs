//! Prometheus over the model's users: instant queries in a small part of `PromQL`, answered in the real API's JSON.
//!
//! What it understands ([`parse`] refuses the rest with `bad_data`):
//!
//! ```text
//! expr     := arith ("or" arith)*
//! arith    := product (("+" | "-") product)*
//! product  := atom (("*" | "/") atom)*
//! atom     := number | "vector(" number ")" | "(" expr ")" | rated | "histogram_quantile(" number "," expr ")"
//!           | ("sum" | "count" | "max" | "min" | "avg") ["by (" label, … ")"] "(" expr ")" ["by (" label, … ")"]
//! rated    := ("rate" | "increase") "(" selector "[" duration "]" ")" | selector
//! selector := metric "{" label ("=" | "!=" | "=~" | "!~") "text", … "}"
//! ```
//!
//! The metrics are `http_requests_total` with the labels `namespace`, `version`, `code`, `service` and
//! `rollouts_pod_template_hash`, and, for pods that say how long they take (`sim.siskin.dev/latency`), the histogram
//! `http_request_duration_seconds` with the same labels. Every other name is an empty vector, and so is a series that has never counted:
//! the traps that real queries fall into are here too. [`dialect`] knows what others call the same things.

pub mod dialect;
pub mod eval;
pub mod http;
pub mod parse;

pub use dialect::Gap;
pub use http::Prometheus;

#[cfg(test)]
mod tests;
