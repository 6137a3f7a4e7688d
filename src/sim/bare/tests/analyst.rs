//! The model of the AnalysisRun controller, as these tests use it.
pub use crate::sim::search::analyst::*;
