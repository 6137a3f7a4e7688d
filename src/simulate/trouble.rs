//! Brings faults onto the stage when their time has come, and takes them away again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::analyst::Server;
use super::behaviour::Behaviour;
use super::controller::Reach;
use super::fault::{Fault, What};
use super::observe::Observer;
use super::stage::Stage;
use super::timeline::{Kind, Tone};
use super::versions::Versions;
use crate::api::Time;
use crate::sim::cluster::Settings;
use crate::sim::models::gateway::{GATEWAY, REFUSES};
use crate::sim::models::kubelet::LOST;
use crate::sim::object;

/// From the death of a controller to the next one's first look: the lease has to run out.
const LEASE: Duration = Duration::from_secs(15);

/// All faults of a simulation, and which of them hold.
pub(super) struct Trouble {
    faults: Vec<(Fault, bool)>,
    /// Nodes that were lost, by the place of their fault.
    nodes: Vec<(usize, Arc<Value>)>,
    /// How versions behave without faults.
    ordinary: Option<Vec<(super::behaviour::Version, Behaviour)>>,
}

impl Trouble {
    pub fn new(faults: Vec<Fault>) -> Self {
        let faults = faults.into_iter().map(|fault| (fault, false)).collect();
        Self { faults, nodes: Vec::new(), ordinary: None }
    }

    /// When the next fault begins or ends.
    pub fn next(&self, start: Time, now: Time) -> Option<Time> {
        let times = self.faults.iter().flat_map(|(fault, _)| [Some(fault.from), fault.to]);
        times.flatten().map(|at| start + at).filter(|at| *at > now).min()
    }

    /// Begins and ends what is due.
    pub fn act(&mut self, stage: &mut Stage, observer: &mut Observer) {
        let now = stage.now();
        let elapsed = observer.elapsed(now);
        let mut changed = false;
        for place in 0..self.faults.len() {
            let Some((fault, held)) = self.faults.get(place).cloned() else { continue };
            let holds = fault.holds(elapsed);
            if holds == held {
                continue;
            }
            changed = true;
            let words = if holds { fault.begins() } else { fault.ends() };
            observer.tell(now, (Kind::Fault, if holds { Tone::Bad } else { Tone::Neutral }), words);
            match (fault.what, holds) {
                (What::NodeLoss, true) => self.lose_node(place, stage),
                (What::NodeLoss, false) => self.find_node(place, stage),
                (What::ControllerCrash, true) => stage.controller.die(now + LEASE),
                _ => {}
            }
            if let Some((_, held)) = self.faults.get_mut(place) {
                *held = holds;
            }
        }
        if changed {
            self.set(stage);
        }
    }

    /// The stage with exactly the faults that hold.
    fn set(&mut self, stage: &mut Stage) {
        let usual = Settings::default();
        let (mut route_lag, mut endpoint_lag) = (usual.route_lag, usual.endpoint_lag);
        let mut refuses = Value::Null;
        stage.controller.reach = Reach::Errors(0.0);
        stage.analyst.server = Server::Up;
        let mut said = stage.said.lock();
        let ordinary = self.ordinary.get_or_insert_with(|| {
            said.behaviour.iter().map(|(version, behaviour)| (*version, behaviour.clone())).collect()
        });
        said.behaviour = ordinary.iter().cloned().collect();
        for (fault, _) in self.faults.iter().filter(|(_, held)| *held) {
            let mut worse = |version, worse: Behaviour| said.behaviour.entry(version).or_default().join(worse);
            match fault.what {
                What::GatewayLag(lag) => route_lag = lag,
                What::GatewayRefuses => refuses = json!("ordered by --fault"),
                What::EndpointLag(lag) => endpoint_lag = lag,
                What::ImagePull(version, pull) => {
                    worse(version, Behaviour { pull: Some(pull), ..Behaviour::default() });
                }
                What::Crash(version) => {
                    let pods = Some("crash-back-off".to_owned());
                    worse(version, Behaviour { pods, ..Behaviour::default() });
                }
                What::Errors(version, share) => {
                    worse(version, Behaviour { errors: Some(share), ..Behaviour::default() });
                }
                What::ApiErrors(share) => stage.controller.reach = Reach::Errors(share),
                What::ApiDown => stage.controller.reach = Reach::Nobody,
                What::PrometheusDown => stage.analyst.server = Server::Down,
                What::NodeLoss | What::ControllerCrash => {}
            }
        }
        for gateway in stage.user.list(GATEWAY, "") {
            annotate(stage, (GATEWAY, &gateway), (REFUSES, &refuses));
        }
        stage.cluster.gateway.set_route_lag(route_lag);
        stage.cluster.gateway.set_endpoint_lag(endpoint_lag);
        Versions::renew(&stage.cluster.server.hand("kubelet"), &said);
    }

    /// The node with the most pods is not heard of any more.
    fn lose_node(&mut self, place: usize, stage: &Stage) {
        let pods = stage.user.list("Pod", "");
        let load = |node: &Value| {
            let name = object::name(node);
            pods.iter().filter(|pod| object::text(pod, "/spec/nodeName") == name).count()
        };
        let nodes = stage.user.list("Node", "");
        let Some(fullest) = nodes.iter().rev().max_by_key(|node| load(node)) else { return };
        annotate(stage, ("Node", fullest), (LOST, &json!("true")));
        self.nodes.push((place, Arc::clone(fullest)));
    }

    fn find_node(&mut self, place: usize, stage: &Stage) {
        for (_, node) in self.nodes.iter().filter(|(of, _)| *of == place) {
            annotate(stage, ("Node", node), (LOST, &Value::Null));
        }
        self.nodes.retain(|(of, _)| *of != place);
    }
}

/// Sets an annotation, or takes it away with null.
fn annotate(stage: &Stage, (kind, object): (&str, &Value), (name, value): (&str, &Value)) {
    let note = json!({"metadata": {"annotations": {name: value}}});
    // What is gone needs none: a node that is gone is as lost as can be.
    let _ = stage.user.merge(kind, (object::namespace(object), object::name(object)), &note);
}
