//! Pure: what an `AnalysisRun` measures next and what its measurements mean.
//!
//! ```text
//! templates ─compose─▶ run spec ─substitute─▶ metrics ─validate, rules─▶ run::step ─▶ status, tasks, events
//!              ▲ args                                                       ▲ measurements (room `provider`)
//! ```
//!
//! It reads no clock, asks no server and starts nothing: [`run::step()`] is told the time and the finished measurements,
//! and says what to start. Whether a finished run may open a gate is [`evidence`]'s question, not the phase's.

pub mod args;
pub mod compose;
pub mod condition;
pub mod evidence;
pub mod expr;
mod field_path;
pub(crate) mod golang;
mod limits;
pub mod phase;
mod qualified_name;
mod re2;
pub mod rules;
pub mod run;
pub mod substitute;
pub mod support;
mod template;
pub mod validate;

pub use field_path::FieldPathError;
pub use limits::effective_count;
pub use phase::Phase;
pub use template::TemplateError;
