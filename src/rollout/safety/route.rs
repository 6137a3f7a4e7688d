//! What a canary's routes say, and which weights may be in force anywhere.
//!
//! A weight is *written*, then *accepted* (every parent says so for its generation), then *settled* (accepted, the
//! endpoints behind it observed, grace over). Until the newest is settled, every one since the last settled may still
//! be what some proxy does: safety counts with the worst of them.

use std::time::Duration;

use super::capacity::{self, Share};
use crate::api::Time;
use crate::api::rollout::Canary;
use crate::plan::ObjectRef;
use crate::rollout::cast::Cast;
use crate::rollout::defaults;
use crate::rollout::memory::{Past, RouteMemory, WrittenWeight};
use crate::rollout::settings::Unclaimed;
use crate::rollout::sides::Sides;
use crate::rollout::world::World;
use crate::traffic::Acknowledgement;
use crate::traffic::gateway_api::{self, Backends, Goal, ManagedRoute, Reading, RouteError, RouteKind};

/// In-flight weights that are told apart; more of them become an unknown past.
pub const MAX_IN_FLIGHT: usize = 16;

/// One route as it stands.
#[derive(Clone, Debug)]
pub struct RouteState {
    /// Which route.
    pub object: ObjectRef,
    /// Its version.
    pub resource_version: String,
    /// What it says.
    pub reading: Reading,
    /// Whether managed routes may be put on it.
    pub header_routes: bool,
    /// Whether the newest weight is settled.
    pub settled: bool,
    /// What may be in force; kept for the next look.
    pub memory: RouteMemory,
}

impl RouteState {
    /// Whether a managed route of ours leads requests to the canary. Where the settings do not allow them, a rule of
    /// that name is a user's.
    pub fn leads_to_canary(&self) -> bool {
        leads_to_canary(self.header_routes, &self.reading)
    }
}

/// All routes of a canary.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// The routes, in the order of the configuration.
    pub states: Vec<RouteState>,
    /// Why a route cannot be used: absent, or without the backends. The text is the contract's.
    pub errors: Vec<String>,
    /// The weight that stands for all traffic.
    pub max: i32,
    /// When the newest weights are settled if nothing changes.
    pub settles_at: Option<Time>,
    /// Whether there is a router at all.
    pub configured: bool,
}

impl Routes {
    /// Reads the routes of a canary; without a router the result is empty.
    pub fn of(world: &World, cast: &Cast, now: Time) -> Self {
        let mut routes = Self { max: defaults::max_traffic_weight(&world.rollout), ..Self::default() };
        let Some(canary) = world.rollout.spec.strategy.canary.as_ref().filter(|c| c.traffic_routing.is_some()) else {
            return routes;
        };
        routes.configured = true;
        if world.routes.is_empty() {
            routes.errors.push(RouteError::NoRoutes.to_string());
        }
        let sides = Sides::of(&world.rollout);
        for view in &world.routes {
            let Some(found) = &view.found else {
                routes.errors.push(RouteError::NotFound(Box::new(view.object.clone())).to_string());
                continue;
            };
            if let Err(error) = gateway_api::edit(found, &goal((canary, sides), &view.object, (routes.max, routes.max)))
            {
                routes.errors.push(format!("{}: {error}", view.object));
                continue;
            }
            let state = RouteState {
                object: view.object.clone(),
                resource_version: text(found, "/metadata/resourceVersion"),
                reading: gateway_api::read(found, &backends(canary, sides), None),
                header_routes: view.header_routes,
                settled: false,
                memory: world.memory.routes.get(&view.object).cloned().unwrap_or_default(),
            };
            routes.follow(state, (world, cast, sides), now);
        }
        routes
    }

    /// Brings a route's memory up to what is observed now.
    fn follow(&mut self, mut state: RouteState, context: (&World, &Cast, Sides<'_>), now: Time) {
        let (world, cast, sides) = context;
        let newest = newest(world, sides, &state.reading, state.leads_to_canary());
        let memory = &mut state.memory;
        if memory.in_flight.is_empty() && crate::mutant!("unknown-past-is-none") {
            memory.past = Past::Over;
        }
        if memory.in_flight.last() != Some(&newest) {
            if crate::mutant!("only-newest-in-flight") {
                memory.in_flight.clear();
            }
            if memory.in_flight.len() >= MAX_IN_FLIGHT {
                memory.in_flight.clear();
                memory.past = Past::Unknown;
            }
            memory.in_flight.push(newest.clone());
            memory.settling_since = None;
        }
        let (acknowledged, grace) = match &state.reading.acknowledgement {
            Acknowledgement::Accepted => (true, world.settings.route_grace),
            Acknowledgement::Unclaimed => (world.settings.unclaimed == Unclaimed::Tolerated, Duration::ZERO),
            Acknowledgement::Waiting { .. } | Acknowledgement::Refused { .. } => (false, Duration::ZERO),
        };
        let seen = &state.reading.acknowledgement;
        if acknowledged && state.reading.agrees && endpoints_follow((world, cast, sides), &newest, self.max, seen) {
            let since = *memory.settling_since.get_or_insert(now);
            if since + grace <= now || crate::mutant!("grace-skipped") {
                memory.in_flight = vec![newest];
                memory.past = Past::Over;
                state.settled = true;
            } else {
                let at = since + grace;
                self.settles_at = Some(self.settles_at.map_or(at, |earlier| earlier.min(at)));
            }
        } else {
            memory.settling_since = None;
        }
        self.states.push(state);
    }

    /// Whether a data plane has shown itself behind one of the routes.
    pub fn claimed(&self) -> bool {
        self.states.iter().any(|state| !matches!(state.reading.acknowledgement, Acknowledgement::Unclaimed))
    }

    /// Whether every route carries this weight for the canary, and nothing else.
    pub fn written(&self, canary: i32) -> bool {
        !self.states.is_empty()
            && self.errors.is_empty()
            && self.states.iter().all(|state| state.reading.is_at(canary, self.max))
    }

    /// Whether no managed route of ours is left anywhere.
    pub fn bare(&self) -> bool {
        !self.states.iter().any(RouteState::leads_to_canary)
    }

    /// Whether the managed rules of every route that takes some are exactly these.
    pub fn managed_hold(&self, world: &World, wanted: &[ManagedRoute]) -> bool {
        let Some(canary) = &world.rollout.spec.strategy.canary else { return true };
        let backends = backends(canary, Sides::of(&world.rollout));
        let mut views = world.routes.iter().filter(|view| view.header_routes);
        views.all(|view| {
            let (Some(found), Some(kind)) = (&view.found, kind(&view.object)) else { return false };
            gateway_api::manage(found, kind, &backends, wanted) == Ok(None)
        })
    }

    /// Whether what is written is accepted wherever somebody can accept it.
    pub fn acknowledged(&self, world: &World) -> bool {
        self.verified().unwrap_or(world.settings.unclaimed == Unclaimed::Tolerated)
    }

    /// Whether requests may still reach a revision by a managed route, whatever its weight.
    pub fn managed_reach(&self, hash: &str) -> bool {
        let mut in_flight = self.states.iter().flat_map(|state| &state.memory.in_flight);
        in_flight.any(|weight| weight.managed && weight.canary_hash == hash)
    }

    /// Whether the weights are in force: true, false, or nobody can say.
    pub fn verified(&self) -> Option<bool> {
        if crate::mutant!("always-verified") {
            return Some(true);
        }
        if !self.errors.is_empty() {
            return Some(false);
        }
        let mut claimed = false;
        for state in &self.states {
            match state.reading.acknowledgement {
                Acknowledgement::Unclaimed => {}
                Acknowledgement::Accepted => claimed = true,
                Acknowledgement::Waiting { .. } | Acknowledgement::Refused { .. } => return Some(false),
            }
        }
        claimed.then_some(true)
    }

    /// Whether a step may count a weight as done: written everywhere, and accepted wherever somebody can accept it.
    pub fn accepted(&self, canary: i32, world: &World) -> bool {
        self.written(canary) && (self.acknowledged(world) || crate::mutant!("accepted-when-written"))
    }

    /// Whether the newest weights of all routes are settled.
    pub fn settled(&self) -> bool {
        !self.states.is_empty() && self.errors.is_empty() && self.states.iter().all(|state| state.settled)
    }

    /// Whether a revision is out of the traffic for good: no share, and nothing in flight that could give it one.
    pub fn free_of(&self, hash: &str) -> bool {
        self.settled() && self.share_up(hash).is_none() && !self.managed_reach(hash)
    }

    /// Whether a revision has a share by a weight that was seen and may be in force; there may be others.
    pub fn reaches(&self, hash: &str) -> bool {
        self.states.iter().any(|state| self.part_up(state, hash) > 0)
    }

    /// The largest part that a revision has by any weight of a route that may be in force: by what the Services selected
    /// when it was written, and by what they select now. A Service that selects none of them may reach any.
    fn part_up(&self, state: &RouteState, hash: &str) -> i32 {
        let part = |weight: &WrittenWeight, canary: &str, stable: &str| {
            let reaches = |selected: &str| selected == hash || selected.is_empty();
            let of_canary = if reaches(canary) { weight.canary } else { 0 };
            let of_stable = if reaches(stable) { self.max - weight.canary } else { 0 };
            of_canary + of_stable
        };
        let newest = state.memory.in_flight.last();
        let parts = state.memory.in_flight.iter().map(|weight| {
            let then = part(weight, &weight.canary_hash, &weight.stable_hash);
            let now = newest.map_or(0, |newest| {
                // Ping and pong change sides.
                let same = weight.canary_service == newest.canary_service;
                let (canary, stable) = (&newest.canary_hash, &newest.stable_hash);
                if same { part(weight, canary, stable) } else { part(weight, stable, canary) }
            });
            then.max(now)
        });
        parts.max().unwrap_or(0)
    }

    /// The largest share that a revision may have anywhere at this moment.
    pub fn share_up(&self, hash: &str) -> Share {
        let mut part = 0;
        for state in &self.states {
            if state.memory.past == Past::Unknown || !state.reading.agrees {
                // Whatever a Service of ours selects may have it all.
                let known = state.memory.in_flight.last();
                if known.is_none_or(|w| w.canary_hash == hash || w.stable_hash == hash || w.stable_hash.is_empty()) {
                    return Share { part: self.max, whole: self.max };
                }
            }
            part = part.max(self.part_up(state, hash));
        }
        if !self.errors.is_empty() {
            // A route that cannot be read may send anything anywhere.
            part = self.max;
        }
        Share { part, whole: self.max.max(1) }
    }
}

/// The rule of [`RouteState::leads_to_canary`].
pub fn leads_to_canary(header_routes: bool, reading: &Reading) -> bool {
    header_routes && !reading.managed.is_empty()
}

/// A route's weight as it stands, with the revisions that the Services select.
pub fn newest(world: &World, sides: Sides<'_>, reading: &Reading, managed: bool) -> WrittenWeight {
    let hash = |service: &str| capacity::selected(world, service).unwrap_or_default().to_owned();
    WrittenWeight {
        generation: reading.generation,
        canary: reading.canary_share(defaults::max_traffic_weight(&world.rollout)),
        managed,
        canary_service: sides.canary.to_owned(),
        canary_hash: hash(sides.canary),
        stable_hash: hash(sides.stable),
    }
}

/// Whether the endpoints of the Services that carry weight are those of the revisions that they select.
///
/// Where a data plane shows itself there are slices: none in sight means that the watch is behind, and nothing is known.
fn endpoints_follow(
    (world, cast, sides): (&World, &Cast, Sides<'_>),
    weight: &WrittenWeight,
    max: i32,
    acknowledgement: &Acknowledgement,
) -> bool {
    let unclaimed = matches!(acknowledgement, Acknowledgement::Unclaimed);
    let carries = [
        (sides.canary, &weight.canary_hash, weight.canary.max(weight.managed.into())),
        (sides.stable, &weight.stable_hash, max - weight.canary),
    ];
    carries.into_iter().all(|(service, hash, part)| {
        if part <= 0 {
            return true;
        }
        let Some(revision) = cast.by_hash(hash) else { return true };
        let Some((own, foreign)) = capacity::endpoints(world, service, revision) else { return unclaimed };
        foreign == 0 && (own > 0 || revision.size.available == 0)
    })
}

/// The names by which a route's backends are a Rollout's own.
pub fn backends(canary: &Canary, sides: Sides<'_>) -> Backends {
    let managed = canary.traffic_routing.as_ref().and_then(|routing| routing.managed_routes.as_ref());
    Backends {
        canary_service: sides.canary.to_owned(),
        stable_service: sides.stable.to_owned(),
        managed: managed.into_iter().flatten().map(|route| route.name.clone()).collect(),
    }
}

/// The kind of a route.
pub fn kind(route: &ObjectRef) -> Option<RouteKind> {
    RouteKind::named(&route.resource.kind)
}

/// What a route should say for a canary weight of `weight`.
pub fn goal((canary, sides): (&Canary, Sides<'_>), route: &ObjectRef, (weight, max): (i32, i32)) -> Goal {
    let settings = canary.traffic_routing.as_ref().and_then(|routing| gateway_api::settings(routing).ok().flatten());
    Goal {
        kind: kind(route).unwrap_or(RouteKind::Http),
        backends: backends(canary, sides),
        canary_weight: weight,
        max_weight: max,
        label: settings.as_ref().and_then(gateway_api::label),
    }
}

fn text(value: &serde_json::Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
