//! Pure: what an AnalysisRun measures next and what its measurements mean.
pub mod condition;
pub mod expr;
