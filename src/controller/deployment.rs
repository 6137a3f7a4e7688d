//! Deployments: what a Rollout has drained is given back when the Rollout goes.

use std::sync::Arc;
use std::time::Duration;

use super::caches::Caches;
use super::execute::{Executor, target};
use super::leftover;
use super::workloads::{BY_WORKLOAD, deployment_text};
use crate::api::{Rollout, Workload};
use crate::plan::ObjectRef;
use crate::rollout::release;
use crate::runtime::cache::{Cached as _, Entry};
use crate::runtime::error::ApiError;
use crate::runtime::limiter::Class;
use crate::runtime::object::{Json, ObjectKey};
use crate::runtime::worker::{Outcome, Reconcile};

/// How often a Deployment is looked at again whose Rollout has not come to rest, or has left its pods behind.
const RECHECK: Duration = Duration::from_secs(10);
/// The finalizer of a deletion that leaves ReplicaSets and their pods running.
const ORPHAN: &str = "orphan";

/// What is owed to a Deployment that was drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Debt {
    /// Its Rollout drains it still, or nobody can say.
    Kept,
    /// That is not decided yet.
    Open,
    /// Nothing: its Rollout goes on without it.
    Void,
    /// Its pods; as many as this, where the Rollout's last size is known.
    Due(Option<i32>),
}

/// Looks at Deployments that Rollouts have drained.
pub struct DeploymentController {
    caches: Caches,
    executor: Arc<Executor>,
}

impl DeploymentController {
    /// A controller over these caches.
    pub const fn new(caches: Caches, executor: Arc<Executor>) -> Self {
        Self { caches, executor }
    }

    async fn look(&self, key: ObjectKey) -> Outcome {
        let Some(deployment) = self.caches.workloads.deployment(&key) else {
            self.executor.expectations.clear(&key);
            self.caches.last_sizes.forget(&key);
            return Outcome::Gone;
        };
        if let Some(behind) = leftover::behind(&self.executor, &key, &deployment.metadata) {
            return behind;
        }
        let Some(rollout) = release::drained_by(&deployment).map(|name| ObjectKey::new(&key.namespace, name)) else {
            self.caches.last_sizes.forget(&key);
            return Outcome::Done { wake_at: None };
        };
        match self.debt(&key, &deployment, &rollout).await {
            Ok(Debt::Kept) => Outcome::Done { wake_at: None },
            Ok(Debt::Open) => Outcome::Behind { check_after: RECHECK },
            Ok(Debt::Void) => leftover::write(&self.executor, &deployment.metadata, release::forget(&deployment)).await,
            Ok(Debt::Due(size)) => {
                let outcome =
                    leftover::write(&self.executor, &deployment.metadata, release::restore(&deployment, size)).await;
                if matches!(outcome, Outcome::Done { .. }) {
                    self.caches.last_sizes.forget(&key);
                }
                outcome
            }
            Err(error) => Outcome::Retry { after: error.retry_after(), error: Box::new(error) },
        }
    }

    async fn debt(&self, key: &ObjectKey, deployment: &Workload, rollout: &ObjectKey) -> Result<Debt, ApiError> {
        if let Some(debt) = self.referred(key, deployment) {
            return Ok(debt);
        }
        let cached = self.caches.rollouts.entry(rollout);
        let staying = match &cached {
            Some(Entry::Invalid(_)) => return Ok(Debt::Kept),
            Some(Entry::Valid(known)) if known.rollout.metadata.deletion_timestamp.is_none() => Some(known),
            _ => None,
        };
        if staying.map_or_else(|| self.orphaned(deployment), |known| !release::rests(&known.rollout)) {
            return Ok(Debt::Open);
        }
        // The cache may be behind, and another instance's Rollouts are not in it.
        let at = ObjectRef::named::<Rollout>(&rollout.namespace, &rollout.name);
        match self.executor.api.get::<Json>(Class::Decision, &target(&at)).await {
            Ok(live) if live.object_meta().deletion_timestamp.is_some() => Ok(leaving(&live)),
            Ok(live) => {
                let version = &live.object_meta().resource_version;
                let known = cached.is_some_and(|known| known.meta().resource_version == *version);
                Ok(if known { Debt::Void } else { Debt::Kept })
            }
            Err(error) if error.is_not_found() => Ok(Debt::Due(self.caches.last_sizes.of(rollout))),
            Err(error) => Err(error),
        }
    }

    /// What is owed where Rollouts refer to the Deployment and stay; `None` where none does.
    fn referred(&self, key: &ObjectKey, deployment: &Workload) -> Option<Debt> {
        let mut refers = self.caches.rollouts.by(BY_WORKLOAD, &deployment_text(key));
        refers.retain(|cached| cached.rollout.metadata.deletion_timestamp.is_none());
        refers.first()?;
        // A user who takes the drain back and scales it has the size from there on.
        let taken_back = deployment.wanted() > 0 && !refers.iter().any(|cached| release::drains(&cached.rollout));
        Some(if taken_back { Debt::Void } else { Debt::Kept })
    }

    /// Whether pods serve that a deleted Rollout has left behind on purpose: with the Deployment's they would be twice as
    /// many.
    fn orphaned(&self, deployment: &Workload) -> bool {
        let Some(selector) = &deployment.spec.selector else { return false };
        let orphans = self.caches.orphans_of(&deployment.metadata.namespace);
        orphans.iter().any(|rs| rs.wanted() > 0 && selector.matches(&rs.metadata.labels))
    }
}

/// What is owed while the Rollout is being deleted: in the foreground its pods go before it does.
fn leaving(live: &Json) -> Debt {
    let live = live.value();
    let finalizers = live.pointer("/metadata/finalizers").and_then(serde_json::Value::as_array);
    if finalizers.into_iter().flatten().any(|finalizer| finalizer == ORPHAN) {
        return Debt::Open;
    }
    let size = live.pointer("/spec/replicas").and_then(serde_json::Value::as_i64);
    Debt::Due(size.and_then(|size| i32::try_from(size).ok()))
}

impl Reconcile<ObjectKey> for DeploymentController {
    async fn reconcile(&self, key: ObjectKey) -> Outcome {
        self.look(key).await
    }
}
