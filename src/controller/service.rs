//! Services: what a Rollout leaves behind is given back.

use std::sync::Arc;
use std::time::Duration;

use super::caches::{BY_SERVICE, Caches, within};
use super::execute::{Executor, target};
use super::leftover;
use crate::api::{Rollout, Service};
use crate::plan::ObjectRef;
use crate::rollout::release;
use crate::runtime::cache::{Cached as _, Entry};
use crate::runtime::error::ApiError;
use crate::runtime::limiter::Class;
use crate::runtime::object::{Json, ObjectKey};
use crate::runtime::worker::{Outcome, Reconcile};

/// How often a Service is looked at again whose Rollout does not rest yet.
const RECHECK: Duration = Duration::from_secs(10);

/// Whether a Service has been left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// Somebody names it, or nobody can say.
    No,
    /// Its Rollout does not rest yet on a specification without it.
    NotYet,
    /// Nobody names it any more.
    Behind,
}

/// Looks at Services whose selectors name a revision.
pub struct ServiceController {
    caches: Caches,
    executor: Arc<Executor>,
}

impl ServiceController {
    /// A controller over these caches.
    pub const fn new(caches: Caches, executor: Arc<Executor>) -> Self {
        Self { caches, executor }
    }

    async fn look(&self, key: ObjectKey) -> Outcome {
        let Some(service) = self.caches.services.get(&key) else {
            self.executor.expectations.clear(&key);
            return Outcome::Gone;
        };
        if let Some(behind) = leftover::behind(&self.executor, &key, &service.metadata) {
            return behind;
        }
        match self.left_behind(&service).await {
            Ok(Left::No) => Outcome::Done { wake_at: None },
            Ok(Left::NotYet) => Outcome::Behind { check_after: RECHECK },
            Ok(Left::Behind) => leftover::write(&self.executor, &service.metadata, release::give_back(&service)).await,
            Err(error) => Outcome::Retry { after: error.retry_after(), error: Box::new(error) },
        }
    }

    /// Whether no Rollout that this controller looks after names the Service, and the one that has switched it is gone
    /// or rests without it.
    async fn left_behind(&self, service: &Service) -> Result<Left, ApiError> {
        let Some(manager) = release::manager(service) else { return Ok(Left::No) };
        let namespace = &service.metadata.namespace;
        if !self.caches.rollouts.by(BY_SERVICE, &within(namespace, &service.metadata.name)).is_empty() {
            return Ok(Left::No);
        }
        let cached = self.caches.rollouts.entry(&ObjectKey::new(namespace, manager));
        match &cached {
            // Nobody can say what it names.
            Some(Entry::Invalid(_)) => return Ok(Left::No),
            Some(Entry::Valid(known)) if !release::rests(&known.rollout) => return Ok(Left::NotYet),
            _ => {}
        }
        // The cache may be behind, and another instance's Rollouts are not in it.
        let live: Result<Json, _> =
            self.executor.api.get(Class::Upkeep, &target(&ObjectRef::named::<Rollout>(namespace, manager))).await;
        match live {
            Ok(live) => {
                let version = &live.object_meta().resource_version;
                let known = cached.is_some_and(|known| known.meta().resource_version == *version);
                Ok(if known { Left::Behind } else { Left::No })
            }
            Err(error) if error.is_not_found() => Ok(Left::Behind),
            Err(error) => Err(error),
        }
    }
}

impl Reconcile<ObjectKey> for ServiceController {
    async fn reconcile(&self, key: ObjectKey) -> Outcome {
        self.look(key).await
    }
}
