//! What a simulation has shown, and the forms in which it is told.
//!
//! | file | form |
//! | --- | --- |
//! | [`model`] | the report as a value |
//! | [`text`] | tables for a terminal |
//! | [`json`] | one document |
//! | [`chart`] | a picture: shares and pods over time |
//! | [`html`] | a page with all of it |

pub mod chart;
pub mod html;
pub mod json;
pub mod model;
pub mod text;

pub use model::{Head, Outcome, Report, Verdict, Warning};
