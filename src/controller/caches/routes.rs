//! Routes of the Gateway API: one cache a kind, and which Rollouts a route concerns.

use std::sync::Arc;

use super::{Queues, lane, within};
use crate::controller::cached::CachedRollout;
use crate::controller::observe::{route_refs, route_selectors};
use crate::runtime::cache::{Cached as _, Index, Store};
use crate::runtime::object::{Entry, Json, ObjectKey};
use crate::traffic::gateway_api::RouteKind;

/// Index of Rollouts by the routes that they name or select.
pub(super) const BY_ROUTE: &str = "route";
/// Index of routes by their namespace.
pub(super) const BY_NAMESPACE: &str = "namespace";
/// In place of a name: every object of the namespace.
const ANY: &str = "*";

/// Keys of a Rollout's routes: those that it names, and where it selects some.
pub(super) fn named_by(cached: &CachedRollout) -> Vec<String> {
    let named = route_refs(&cached.rollout).into_iter().map(|route| route.object);
    let named = named.map(|route| of_kind(&route.resource.kind, &route.namespace, &route.name));
    let selected = route_selectors(&cached.rollout).into_iter();
    named.chain(selected.map(|of| of_kind(&of.kind.resource().kind, &of.namespace, ANY))).collect()
}

/// A route of a kind as a key of an index.
fn of_kind(kind: &str, namespace: &str, name: &str) -> String {
    format!("{kind}/{}", within(namespace, name))
}

/// The cache of one kind: a change concerns the Rollouts that name the route, and those that select some of its namespace.
pub(super) fn cache(queues: &Queues, rollouts: &Arc<Store<CachedRollout>>, kind: RouteKind) -> Arc<Store<Json>> {
    let (queue, rollouts) = (queues.rollouts.clone(), Arc::clone(rollouts));
    let indexes = vec![Index { name: BY_NAMESPACE, keys: |route: &Json| vec![route.object_meta().namespace.clone()] }];
    Arc::new(Store::new(indexes, move |change| {
        let Some(meta) = change.new.or(change.old).map(Entry::meta) else { return };
        for name in [meta.name.as_str(), ANY] {
            for cached in rollouts.by(BY_ROUTE, &of_kind(&kind.resource().kind, &meta.namespace, name)) {
                queue.add(ObjectKey::of(&cached.rollout.metadata), lane(change));
            }
        }
    }))
}
