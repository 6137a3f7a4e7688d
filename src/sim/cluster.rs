//! Everything together: a server, its controllers, a gateway and users, moved by one `tick`.

use std::time::Duration;

use super::api_server::{ApiServer, Now};
use super::clock::ManualClock;
use super::models::feed::earliest;
use super::models::{
    Autoscaler, Deployments, Disruption, EndpointSlices, GatewayModel, Jobs, Kubelet, Model, NodeLifecycle, Placement,
    Quotas, ReplicaSets, Scheduler,
};
use super::prometheus::Prometheus;
use super::traffic::Traffic;
use crate::api::Time;

/// How late the controllers of a complete cluster react.
const REACTION: Duration = Duration::from_millis(10);

/// How slow the parts of the cluster are, and the seed of all chance in it.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of uids, names and users' choices.
    pub seed: u64,
    /// From a change to the reaction of the `Deployment` or the `ReplicaSet` controller.
    pub replica_set_lag: Duration,
    /// From a pod's or Service's change to its `EndpointSlice`.
    pub slice_lag: Duration,
    /// From an `HTTPRoute`'s change to the data plane.
    pub route_lag: Duration,
    /// From an `EndpointSlice` to the data plane.
    pub endpoint_lag: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let millis = Duration::from_millis;
        Self {
            seed: 1,
            replica_set_lag: millis(10),
            slice_lag: millis(20),
            route_lag: millis(50),
            endpoint_lag: millis(20),
        }
    }
}

/// A cluster in memory. A clone has controllers of its own over the same server, data plane and record of requests.
#[derive(Clone)]
pub struct Cluster {
    /// The API server.
    pub server: ApiServer,
    /// The `Deployment` controller.
    pub deployments: Deployments,
    /// The `ReplicaSet` controller.
    pub replica_sets: ReplicaSets,
    /// Scheduler and kubelet.
    pub kubelet: Kubelet,
    /// The `EndpointSlice` controller.
    pub endpoints: EndpointSlices,
    /// The gateway and its data plane.
    pub gateway: GatewayModel,
    /// The users.
    pub traffic: Traffic,
    /// What else there is: [`Cluster::add`].
    others: Vec<Box<dyn Model>>,
}

impl Cluster {
    /// A cluster with nothing in it.
    pub fn new(now: Now, settings: Settings) -> Self {
        let server = ApiServer::with_seed(now, settings.seed);
        let gateway = GatewayModel::new(&server, settings.route_lag, settings.endpoint_lag);
        Self {
            deployments: Deployments::new(&server, settings.replica_set_lag),
            replica_sets: ReplicaSets::new(&server, settings.replica_set_lag),
            kubelet: Kubelet::new(&server),
            endpoints: EndpointSlices::new(&server, settings.slice_lag),
            traffic: Traffic::new(&server, gateway.plane(), settings.seed),
            gateway,
            server,
            others: Vec::new(),
        }
    }

    /// Adds everything that a real cluster has beside what releases need: budgets, autoscaling, Jobs, a scheduler
    /// and care for lost nodes. Definitions are installed apart: `ApiServer::define`.
    #[must_use]
    pub fn complete(mut self) -> Self {
        let server = self.server.clone();
        self.kubelet.set_placement(Placement::Scheduled);
        self.add(Scheduler::new(&server, REACTION));
        self.add(NodeLifecycle::new(&server, self.gateway.plane()));
        self.add(Disruption::new(&server, REACTION));
        self.add(Quotas::new(&server, REACTION));
        self.add(Jobs::new(&server, REACTION));
        self.add(Autoscaler::new(&server, self.traffic.loads()));
        self
    }

    /// Adds a controller or a part of the infrastructure that not every cluster has.
    pub fn add(&mut self, model: impl Model + 'static) {
        self.others.push(Box::new(model));
    }

    /// Prometheus over this cluster's users.
    pub fn prometheus(&self) -> Prometheus {
        let server = self.server.clone();
        Prometheus::new(self.traffic.record(), std::sync::Arc::new(move || server.now()))
    }

    /// Lets everything happen that is due; returns when the models have more to do if nothing changes.
    /// Users send with every tick, so tick as often as their requests are to be spread.
    pub fn tick(&mut self) -> Option<Time> {
        let now = self.server.now();
        self.server.tick();
        let due = [
            self.deployments.tick(now),
            self.replica_sets.tick(now),
            self.kubelet.tick(now),
            self.endpoints.tick(now),
            self.gateway.tick(now),
        ];
        let others = self.others.iter_mut().map(|model| model.tick(now)).collect::<Vec<_>>();
        self.traffic.tick(now);
        earliest(due.into_iter().chain(others))
    }

    /// Moves `clock`, which must be this cluster's, on by `span` in steps of at most `step`.
    pub fn run(&mut self, clock: &ManualClock, (span, step): (Duration, Duration)) {
        let end = clock.time() + span;
        self.tick();
        while clock.time() < end && !step.is_zero() {
            clock.advance(step.min(clock.time().until(end)));
            self.tick();
        }
    }
}
