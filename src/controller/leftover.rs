//! What the controllers share that look at what Rollouts leave behind: Services and Deployments.

use super::execute::Executor;
use crate::api::Meta;
use crate::plan::{Effect, Plan};
use crate::runtime::error::ErrorKind;
use crate::runtime::expectations::{Readiness, Seen};
use crate::runtime::object::ObjectKey;
use crate::runtime::worker::Outcome;

/// How the look ends where the cache does not show the last write to the object yet; `None` where it does.
pub fn behind(executor: &Executor, key: &ObjectKey, meta: &Meta) -> Option<Outcome> {
    match executor.expectations.check(key, |_: &_| Some(Seen::of(meta))) {
        Readiness::Ready => None,
        Readiness::Behind { check_after } => Some(Outcome::Behind { check_after }),
        // Whatever has become of the write: the patch is guarded by the version that the cache has.
        Readiness::ReadLive(_) => {
            executor.expectations.clear(key);
            None
        }
    }
}

/// Carries out one write to an object as it is cached.
pub async fn write(executor: &Executor, meta: &Meta, effect: Effect) -> Outcome {
    let object = effect.object.clone();
    let plan = Plan { effects: vec![effect], ..Plan::default() };
    let executed = executor.carry_out(&plan, (&object, meta), &|_| false).await;
    // After these two a newer version, or the end of it, is on its way here.
    match executed.error.filter(|error| !error.is_not_found() && error.kind != ErrorKind::Conflict) {
        Some(error) => Outcome::Retry { after: error.retry_after(), error: Box::new(error) },
        None => Outcome::Done { wake_at: None },
    }
}
