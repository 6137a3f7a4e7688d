//! The life of an `AnalysisRun`, as functions over its status: what is measured now, what the measurements mean, when to
//! look again. [`step()`] is all of it in one call; the parts are public because each has its own vectors.

mod assess;
mod check;
mod event;
mod record;
mod retention;
mod step;
mod tasks;

pub use assess::{Assessment, Limit, assess_metric, assess_run, limit_reached};
pub use check::{Checked, Support, check};
pub use event::{Event, Severity};
pub use record::{Finished, record};
pub use retention::{DEFAULT_MEASUREMENTS, expires_at, trim};
pub use step::{Input, Step, refuse_arguments, step};
pub use tasks::{Action, Course, RETRY_SECONDS, Task, course, next_due, tasks};

#[cfg(test)]
mod promise;
#[cfg(test)]
mod tests;
