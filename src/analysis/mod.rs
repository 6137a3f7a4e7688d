//! Pure: what an AnalysisRun measures next and what its measurements mean.
pub mod expr;
