//! Which revisions users may reach at this moment, whatever the strategy.

use super::capacity::{self, Demand, Share};
use super::route::Routes;
use crate::plan::Basis;
use crate::rollout::cast::{Cast, Revision};
use crate::rollout::defaults;
use crate::rollout::sides::Sides;
use crate::rollout::strategy::steps::{self, CanarySize};
use crate::rollout::strategy::{desired, ratio};
use crate::rollout::world::World;

/// Traffic as safety sees it: who may get how much, and what that needs.
pub struct Exposure<'w> {
    /// The world.
    pub world: &'w World,
    /// Who plays which part.
    pub cast: &'w Cast,
    /// The routes of a canary.
    pub routes: &'w Routes,
    /// Wanted pods and how many may be missing.
    pub demand: Demand,
}

impl<'w> Exposure<'w> {
    /// Looks at the world.
    pub fn of(world: &'w World, cast: &'w Cast, routes: &'w Routes) -> Self {
        let replicas = world.replicas();
        let (_, unavailable) = defaults::fenceposts(&world.rollout, replicas);
        Self { world, cast, routes, demand: Demand { replicas, unavailable } }
    }

    /// The largest share that a revision may have anywhere.
    pub fn share(&self, revision: &Revision) -> Share {
        if self.routes.configured {
            return self.routes.share_up(revision.hash());
        }
        match &self.world.rollout.spec.strategy.blue_green {
            Some(strategy) if capacity::selected(self.world, &strategy.active_service) == Some(revision.hash()) => {
                Share::ALL
            }
            _ => Share::NONE,
        }
    }

    /// Pods that a revision must keep for the share that it may have.
    pub fn floor(&self, revision: &Revision) -> i32 {
        if crate::mutant!("shrink-below-share") {
            return 0;
        }
        let reached = self.demand.replicas > 0 && self.routes.managed_reach(revision.hash());
        let need = self.demand.need(self.share(revision)).max(reached.into());
        // A setCanaryScale makes the canary smaller than its weight on purpose; `lint` warns of it.
        match (self.is_new(revision), steps::canary_scale(&self.world.rollout).is_some()) {
            (true, true) => need.min(self.scaled_canary().max(1)),
            _ => need,
        }
    }

    /// Pods that a revision must have before it gains a share. The new one may do with fewer: with those that a
    /// `setCanaryScale` or a `replicaProgressThreshold` asks for, one at least. Neither counts when pods are taken away
    /// from a share by the threshold: see [`Exposure::floor`].
    pub fn need_to_gain(&self, revision: &Revision, share: Share) -> i32 {
        let need = self.demand.need(share);
        if need == 0 || !self.is_new(revision) {
            return need;
        }
        let scaled = steps::canary_scale(&self.world.rollout).map(|_| self.scaled_canary());
        let canary = self.world.rollout.spec.strategy.canary.as_ref();
        let threshold = canary.and_then(|canary| canary.replica_progress_threshold.as_ref());
        let whole = ratio::by_weight(self.demand.replicas, share.part, share.whole);
        let fewer = scaled.into_iter().chain(desired::asked(threshold, whole)).min();
        fewer.map_or(need, |fewer| need.min(fewer.max(1)))
    }

    fn scaled_canary(&self) -> i32 {
        match steps::canary_size(&self.world.rollout, self.demand.replicas, &self.cast.sizes()) {
            CanarySize::Replicas(count) => count,
            CanarySize::Weight(weight) => {
                ratio::by_weight(self.demand.replicas, weight, defaults::max_traffic_weight(&self.world.rollout))
            }
        }
    }

    /// Whether a revision is the one that an update leads to, and not the stable one.
    pub fn updates(&self, revision: &Revision) -> bool {
        self.cast.distinct_stable().is_some() && self.is_new(revision)
    }

    fn is_new(&self, revision: &Revision) -> bool {
        self.cast.new.as_ref().is_some_and(|new| new.hash() == revision.hash())
    }

    /// Whether a revision is out of the traffic for good: no share, and nothing in flight that could give it one.
    pub fn drained(&self, revision: &Revision) -> bool {
        if self.routes.configured { self.routes.free_of(revision.hash()) } else { self.share(revision).is_none() }
    }

    /// Whether a Service that the Rollout names selects the revision, or the record counts on it.
    pub fn referenced(&self, revision: &Revision) -> bool {
        self.selected(revision, "") || self.recorded(revision)
    }

    /// As [`Exposure::referenced`], but the side of ping and pong that has no part now does not count: it stays on the
    /// revision that it served last until the next update needs it.
    pub fn in_use(&self, revision: &Revision) -> bool {
        let sides = Sides::of(&self.world.rollout);
        let idle = if sides.ping_pong { sides.canary } else { "" };
        self.selected(revision, idle) || self.recorded(revision)
    }

    fn selected(&self, revision: &Revision, but_for: &str) -> bool {
        let hash = Some(revision.hash());
        let mut names = self.world.services.keys().filter(|name| *name != but_for);
        names.any(|name| capacity::selected(self.world, name) == hash) && !crate::mutant!("selected-is-no-reference")
    }

    fn recorded(&self, revision: &Revision) -> bool {
        let status = &self.world.rollout.status;
        revision.hash() == status.stable_rs || revision.hash() == status.current_pod_hash
    }

    /// The decision that moves users forward, and makes revisions grow: an abort or a newer revision that the watch has
    /// not shown yet takes it back (I07, I10, I29). The way back of an abort rests on no decision that could still change
    /// for the worse.
    pub fn decision(&self) -> Option<Basis> {
        let rollout = &self.world.rollout;
        (!rollout.status.abort).then(|| Basis::of(&**rollout))
    }

    /// What the permission to take pods from a revision rests on: the Rollout, the routes, and the Services.
    pub fn basis(&self) -> Vec<Basis> {
        if crate::mutant!("rests-on-nothing") {
            return Vec::new();
        }
        let mut basis = vec![Basis::of(&*self.world.rollout)];
        basis.extend(self.world.services.values().map(|service| Basis::of(&**service)));
        basis.extend(
            self.routes
                .states
                .iter()
                .map(|state| Basis { object: state.object.clone(), resource_version: state.resource_version.clone() }),
        );
        basis
    }
}
