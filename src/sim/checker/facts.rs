//! What one Rollout's objects say, in the vocabulary of the promises.

use std::sync::Arc;

use serde_json::Value;

use super::routes::Generation;
use super::state::State;
use crate::api::{Rollout, TextMap};
use crate::rollout::defaults;
use crate::sim::object;
use crate::traffic::gateway_api::RouteKind;

/// Label, selector key and Service selector key of a revision.
pub const HASH: &str = "rollouts-pod-template-hash";
/// Seconds between a route's acknowledgement and settled, where a data plane shows itself.
pub const GRACE_SECONDS: u64 = 5;

/// A share of the traffic: `part` of `whole`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub part: i64,
    /// The whole; above 0.
    pub whole: i64,
}

impl Share {
    /// No traffic.
    pub const NONE: Self = Self { part: 0, whole: 1 };

    /// The larger of two.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        if other.part * self.whole > self.part * other.whole { other } else { self }
    }

    /// Whether this is more than another.
    pub const fn exceeds(self, other: Self) -> bool {
        self.part * other.whole > other.part * self.whole
    }
}

/// A Rollout and the state that it is looked at in.
pub struct Facts<'s> {
    /// The cluster.
    pub state: &'s State,
    /// The Rollout as it is stored.
    pub value: &'s Value,
    /// The Rollout, read.
    pub rollout: Arc<Rollout>,
    /// Wanted pods.
    pub replicas: i64,
    /// maxUnavailable in pods.
    pub unavailable: i64,
}

impl<'s> Facts<'s> {
    /// Reads a Rollout; `None` where it is malformed.
    pub fn of(state: &'s State, value: &'s Value) -> Option<Self> {
        let rollout = state.read(value)?;
        let replicas = super::workload::replicas(state, value, &rollout);
        let (_, unavailable) = defaults::fenceposts(&rollout, replicas);
        Some(Self { state, value, rollout, replicas: replicas.into(), unavailable: unavailable.into() })
    }

    /// Namespace of the Rollout.
    pub fn namespace(&self) -> &str {
        object::namespace(self.value)
    }

    /// ReplicaSets that the Rollout controls.
    pub fn sets(&self) -> impl Iterator<Item = &'s Arc<Value>> {
        let uid = object::uid(self.value);
        self.state
            .list("ReplicaSet", object::namespace(self.value))
            .filter(move |rs| object::controller_uid(rs) == Some(uid))
    }

    /// The ReplicaSet of a revision.
    pub fn by_hash(&self, hash: &str) -> Option<&'s Arc<Value>> {
        self.sets().find(|rs| !hash.is_empty() && object::label(rs, HASH) == Some(hash))
    }

    /// The revision that a Service selects; empty where it selects none.
    pub fn selected(&self, service: &str) -> &'s str {
        let service = self.state.get("Service", object::namespace(self.value), service);
        service.and_then(|service| object::at(service, "/spec/selector")?.get(HASH)?.as_str()).unwrap_or_default()
    }

    /// The ReplicaSet that a Service selects.
    pub fn target(&self, service: &str) -> Option<&'s Arc<Value>> {
        self.by_hash(self.selected(service))
    }

    /// Services that the Rollout names.
    pub fn services(&self) -> Vec<&str> {
        crate::rollout::invalid::service_fields(&self.rollout.spec.strategy).into_iter().map(|(_, name)| name).collect()
    }

    /// The canary with a router, as (canary Service, stable Service).
    pub fn routed(&self) -> Option<(&str, &str)> {
        let canary = self.rollout.spec.strategy.canary.as_ref()?;
        canary.traffic_routing.as_ref()?;
        let Some(pair) = &canary.ping_pong else { return Some((&canary.canary_service, &canary.stable_service)) };
        // The two change roles: the record says which is the stable one.
        Some(match self.rollout.status.canary.stable_ping_pong.as_str() {
            "ping" => (&pair.pong_service, &pair.ping_service),
            _ => (&pair.ping_service, &pair.pong_service),
        })
    }

    /// The active Service of a blue-green.
    pub fn active(&self) -> Option<&str> {
        self.rollout.spec.strategy.blue_green.as_ref().map(|strategy| strategy.active_service.as_str())
    }

    /// Routes of the Rollout.
    pub fn routes(&self) -> Vec<(String, String)> {
        let named = crate::controller::observe::route_refs(&self.rollout).into_iter();
        let selected = crate::controller::observe::route_selectors(&self.rollout).into_iter().flat_map(|of| {
            let labels = |route: &Value| -> TextMap {
                let labels = object::at(route, "/metadata/labels").cloned().unwrap_or_default();
                serde_json::from_value(labels).unwrap_or_default()
            };
            let all = self.state.list(&of.kind.resource().kind, &of.namespace).collect::<Vec<_>>();
            let hits = all.into_iter().filter(move |route| of.labels.matches(&labels(route)));
            hits.map(|route| (object::namespace(route).to_owned(), object::name(route).to_owned()))
        });
        named.map(|route| (route.object.namespace, route.object.name)).chain(selected).collect()
    }

    /// The weight that stands for all traffic.
    pub fn max(&self) -> i64 {
        defaults::max_traffic_weight(&self.rollout).into()
    }

    /// Pods that a share needs; none where the user wants none.
    pub fn need(&self, share: Share) -> i64 {
        if share.part <= 0 || self.replicas == 0 {
            return 0;
        }
        let wanted = (share.part * self.replicas + share.whole - 1) / share.whole;
        (wanted - self.unavailable).max(1)
    }

    /// As [`Facts::need`], for one revision: where a `setCanaryScale` is in force, the canary needs no more than it asks for.
    pub fn need_of(&self, share: Share, hash: &str) -> i64 {
        let need = self.need(share);
        match self.canary_scale() {
            Some(size) if hash == self.rollout.status.current_pod_hash && need > 0 => need.min(size.max(1)),
            _ => need,
        }
    }

    /// Pods that a revision needs to gain a share: the current one no more than a `setCanaryScale` or a
    /// `replicaProgressThreshold` asks for. The threshold never counts when pods are taken away.
    pub fn need_to_gain(&self, share: Share, hash: &str) -> i64 {
        let need = self.need_of(share, hash);
        let canary = self.rollout.spec.strategy.canary.as_ref();
        let threshold = canary.and_then(|canary| canary.replica_progress_threshold.as_ref());
        let Some(threshold) = threshold.filter(|threshold| threshold.value >= 0 && need > 0) else { return need };
        let whole = self.whole(share);
        let asked = match threshold.kind.as_str() {
            "Pods" => threshold.value.into(),
            "Percent" => (whole * i64::from(threshold.value) + 99) / 100,
            _ => need,
        };
        if hash == self.rollout.status.current_pod_hash { need.min(asked.max(1)) } else { need }
    }

    /// Whether the stable revision shrinks as traffic leaves it.
    pub fn dynamic(&self) -> bool {
        let canary = self.rollout.spec.strategy.canary.as_ref();
        canary.is_some_and(|canary| canary.dynamic_stable_scale && canary.traffic_routing.is_some())
    }

    /// Pods that carry a share, none of them missing.
    pub const fn whole(&self, share: Share) -> i64 {
        (share.part * self.replicas + share.whole - 1) / share.whole
    }

    /// Pods that the `setCanaryScale` in force asks for: the last at or before the current step.
    pub fn canary_scale(&self) -> Option<i64> {
        self.routed()?;
        let steps = self.rollout.spec.strategy.canary.as_ref()?.steps.as_deref().unwrap_or_default();
        let index = usize::try_from(self.rollout.status.current_step_index.unwrap_or(0)).unwrap_or(0);
        let scale = steps.get(..=index)?.iter().rev().find_map(|step| step.set_canary_scale.as_ref())?;
        if scale.match_traffic_weight {
            return None;
        }
        let by_weight = |weight: i32| (i64::from(weight) * self.replicas + self.max() - 1) / self.max();
        scale.replicas.map(i64::from).or_else(|| scale.weight.map(by_weight))
    }

    /// Whether a ReplicaSet lies inside the rollback window: older than the stable one, with fewer than
    /// `rollbackWindow.revisions` between the two.
    pub fn in_window(&self, rs: &Value) -> bool {
        let window = self.rollout.spec.rollback_window.as_ref().map_or(0, |window| window.revisions);
        let created = |rs: &Value| object::time(rs, "/metadata/creationTimestamp");
        let Some(stable) = self.by_hash(&self.rollout.status.stable_rs) else { return false };
        let (from, to) = (created(rs), created(stable));
        let between = self.sets().filter(|other| from < created(other) && created(other) < to).count();
        from < to && i64::try_from(between).unwrap_or(i64::MAX) < i64::from(window)
    }

    /// Whether the update under way is a rollback inside the window.
    pub fn rolls_back(&self) -> bool {
        self.by_hash(&self.rollout.status.current_pod_hash).is_some_and(|new| self.in_window(new))
    }

    /// The largest share that a revision may have by the weights that may be in force.
    pub fn share_up(&self, hash: &str) -> Share {
        if hash.is_empty() {
            return Share::NONE;
        }
        if let Some(active) = self.active() {
            return if self.selected(active) == hash { Share { part: 1, whole: 1 } } else { Share::NONE };
        }
        let generations = self.generations();
        generations.fold(Share::NONE, |share, generation| share.max(self.share_in(generation, hash)))
    }

    /// Every generation of a route of the Rollout that may be in force.
    pub fn generations(&self) -> impl Iterator<Item = &'s Generation> {
        let routes = if self.routed().is_some() { self.routes() } else { Vec::new() };
        let state = self.state;
        routes.into_iter().filter_map(move |key| state.routes.get(&key)).flat_map(|history| &history.in_flight)
    }

    /// A revision's share if one generation of a route is in force.
    pub fn share_in(&self, generation: &Generation, hash: &str) -> Share {
        self.share_of(&generation.rules, |service| self.selected(service) == hash)
    }

    /// The largest share over the rules that goes to some Services.
    pub fn share_of(&self, rules: &[super::routes::Rule], is_wanted: impl Fn(&str) -> bool) -> Share {
        let shares = rules.iter().map(|rule| {
            let whole: i64 = rule.iter().map(|(_, weight)| weight).sum();
            let part: i64 = rule.iter().filter(|(service, _)| is_wanted(service)).map(|(_, weight)| weight).sum();
            if whole > 0 { Share { part, whole } } else { Share::NONE }
        });
        shares.fold(Share::NONE, Share::max)
    }

    /// The largest weight of a Service over the generations in flight, whatever it selects.
    pub fn weight_up(&self, service: &str) -> Share {
        let shares = self.generations().map(|generation| self.share_of(&generation.rules, |name| name == service));
        shares.fold(Share::NONE, Share::max)
    }

    /// Whether a data plane reports about a route of the Rollout.
    pub fn claimed(&self) -> bool {
        self.routes().iter().any(|key| self.state.routes.get(key).is_some_and(|history| history.claimed))
    }

    /// Whether every route's newest generation is acknowledged.
    pub fn acknowledged(&self) -> bool {
        self.routes().iter().all(|(namespace, name)| {
            let of_any_kind = |kind: RouteKind| self.state.get(&kind.resource().kind, namespace, name);
            let Some(route) = RouteKind::ALL.into_iter().find_map(of_any_kind) else { return false };
            let history = self.state.routes.get(&(namespace.clone(), name.clone()));
            history.is_some_and(|history| history.settled_on(object::generation(route)))
        })
    }

    /// The canary's share in the newest generation of the first route.
    pub fn canary_share(&self) -> Share {
        let Some((canary, _)) = self.routed() else { return Share::NONE };
        let newest = self.routes().first().and_then(|key| self.state.routes.get(key)?.in_flight.last());
        newest.map_or(Share::NONE, |generation| self.share_of(&generation.rules, |name| name == canary))
    }
}

/// `spec.replicas` of a ReplicaSet.
pub fn wanted(rs: &Value) -> i64 {
    object::integer(rs, "/spec/replicas").unwrap_or(1)
}

/// The hash of a ReplicaSet.
pub fn hash(rs: &Value) -> &str {
    object::label(rs, HASH).unwrap_or_default()
}
