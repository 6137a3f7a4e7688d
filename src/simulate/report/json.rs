//! Under way.
use super::model::Report;
/// Form.
pub fn render(report: &Report) -> String { report.verdict.text.clone() }
