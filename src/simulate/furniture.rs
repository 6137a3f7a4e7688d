//! What stands around the release and is not in the files: gateways, a Service for the users, an autoscaler.

use serde_json::{Value, json};

use super::behaviour::Version;
use super::input::{Files, kind_of};
use super::options::{Autoscaling, Options};
use crate::api::Rollout;
use crate::controller::observe::{route_refs, route_selectors};
use crate::rollout::workload;
use crate::sim::models::balancer::listener;
use crate::sim::models::feed::key_of;
use crate::sim::models::gateway::Key;
use crate::sim::models::hpa::metrics::REQUESTS;
use crate::sim::models::mesh;
use crate::sim::object;
use crate::sim::traffic::Target;

const GATEWAY: &str = "gateway.networking.k8s.io";
/// How much of what they can do the pods do at first, where an autoscaler needs to know and nobody has said.
const BUSY: f64 = 0.6;
/// How much of what they can do the pods should do, for an assumed autoscaler.
const WANTED: f64 = 0.7;

/// Who sends requests where, and how the pods are scaled.
#[derive(Clone, Debug)]
pub struct Furniture {
    /// Where users send their requests; none: the model has no way for them.
    pub target: Option<Target>,
    /// The same for people.
    pub via: String,
    /// Requests per second that one pod can serve; none: any number.
    pub capacity: Option<f64>,
    /// Name of the autoscaler.
    pub autoscaler: Option<String>,
}

/// Adds what is missing to `files`, and says so in the notes.
pub(super) fn furnish(
    rollout: &Rollout,
    files: &mut Files,
    (options, notes): (&Options, &mut Vec<String>),
) -> Furniture {
    gateways(files, notes);
    upgrade(files);
    let (target, via) = target(rollout, files, notes);
    let (autoscaler, capacity) = autoscaler(rollout, files, (options, notes));
    Furniture { target, via, capacity, autoscaler }
}

/// Gateways that routes name and the files do not hold.
fn gateways(files: &mut Files, notes: &mut Vec<String>) {
    let mut wanted: Vec<(String, String)> = Vec::new();
    for kind in ["HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"] {
        for (_, route) in files.of(kind) {
            for parent in object::list(route, "/spec/parentRefs") {
                let named = object::text(parent, "/namespace");
                let namespace = if named.is_empty() { object::namespace(route) } else { named };
                let is_gateway = matches!(object::text(parent, "/kind"), "" | "Gateway");
                let key = (namespace.to_owned(), object::text(parent, "/name").to_owned());
                if is_gateway && files.get("Gateway", &key.0, &key.1).is_none() && !wanted.contains(&key) {
                    wanted.push(key);
                }
            }
        }
    }
    for (namespace, name) in wanted {
        notes.push(format!("Gateway {name:?} is not in the files: one that takes the routes is assumed"));
        files.assume(json!({
            "apiVersion": format!("{GATEWAY}/v1"), "kind": "Gateway", "metadata": {"name": name, "namespace": namespace},
            "spec": {"gatewayClassName": "assumed", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
        }));
    }
}

/// `autoscaling/v1` in the words of `v2`.
fn upgrade(files: &mut Files) {
    let old: Vec<Value> = files
        .of("HorizontalPodAutoscaler")
        .filter(|(_, hpa)| object::list(hpa, "/spec/metrics").is_empty())
        .map(|(_, hpa)| hpa.clone())
        .collect();
    for mut hpa in old {
        let wanted = object::take(&mut hpa, &["spec", "targetCPUUtilizationPercentage"]).unwrap_or_else(|| json!(80));
        let target = json!({"type": "Utilization", "averageUtilization": wanted});
        object::put(&mut hpa, &["apiVersion"], json!("autoscaling/v2"));
        object::put(
            &mut hpa,
            &["spec", "metrics"],
            json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]),
        );
        files.replace(hpa);
    }
}

/// Where the users come in.
fn target(rollout: &Rollout, files: &mut Files, notes: &mut Vec<String>) -> (Option<Target>, String) {
    let routed = rollout.spec.strategy.canary.as_ref().is_some_and(|canary| canary.traffic_routing.is_some());
    if routed {
        let named = route_refs(rollout).into_iter().find(|route| route.object.resource.kind == "HTTPRoute");
        let named = named.map(|route| (route.object.namespace, route.object.name));
        let found = named.or_else(|| selected_route(rollout, files));
        if let Some((namespace, name)) = found {
            let via = format!("HTTPRoute {name}");
            return (Some(Target::Route((namespace, name))), via);
        }
        notes.push(
            "the model's gateway serves HTTPRoutes only: no users are simulated, and weights count as written"
                .to_owned(),
        );
        return (None, "no users".to_owned());
    }
    let namespace = rollout.metadata.namespace.clone();
    let active = rollout.spec.strategy.blue_green.as_ref().map(|blue_green| blue_green.active_service.clone());
    let name = active.or_else(|| own_service(rollout, files)).unwrap_or_else(|| assumed_service(rollout, files, notes));
    entrance((namespace, name), files)
}

/// How users reach a Service: through a load balancer or the proxies of a mesh, where the files hold one that leads there.
fn entrance(key: Key, files: &Files) -> (Option<Target>, String) {
    let service = files.get("Service", &key.0, &key.1).map(|(_, service)| service);
    let ingress = files
        .of("Ingress")
        .map(|(_, ingress)| ingress)
        .find(|ingress| object::namespace(ingress) == key.0 && listener::services(ingress).any(|name| name == key.1));
    if let Some(ingress) = ingress {
        let via = format!("the load balancer of Ingress {}", object::name(ingress));
        return (Some(Target::Ingress(key_of(ingress))), via);
    }
    if service.is_some_and(|service| object::text(service, "/spec/type") == "LoadBalancer") {
        let via = format!("the load balancer of Service {}", key.1);
        return (Some(Target::Balancer(key)), via);
    }
    if files.of("VirtualService").any(|(_, route)| mesh::hosts(route).any(|host| host == key)) {
        let via = format!("the mesh's proxies, to Service {}", key.1);
        return (Some(Target::Mesh(key)), via);
    }
    let via = format!("Service {}", key.1);
    (Some(Target::Service(key)), via)
}

/// A route that the Rollout finds by its labels.
fn selected_route(rollout: &Rollout, files: &Files) -> Option<(String, String)> {
    route_selectors(rollout).into_iter().filter(|wanted| wanted.kind.resource().kind == "HTTPRoute").find_map(
        |wanted| {
            let mut hits = files.of("HTTPRoute").filter(|(_, route)| {
                object::namespace(route) == wanted.namespace && super::input::labels_match(&wanted.labels, route)
            });
            hits.next().map(|(_, route)| (object::namespace(route).to_owned(), object::name(route).to_owned()))
        },
    )
}

/// Labels of the pods.
fn pod_labels(rollout: &Rollout, files: &Files) -> Value {
    let own = serde_json::to_value(&rollout.spec.template).unwrap_or_default();
    let referenced = workload::referenced(rollout).and_then(Result::ok).and_then(|wanted| {
        let (_, found) = files.get(&wanted.resource.kind, &wanted.namespace, &wanted.name)?;
        found.pointer("/spec/template").or_else(|| found.pointer("/template")).cloned()
    });
    let template = referenced.unwrap_or(own);
    template.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}))
}

/// A Service in the files that selects pods of every revision.
fn own_service(rollout: &Rollout, files: &Files) -> Option<String> {
    let pod = json!({"metadata": {"labels": pod_labels(rollout, files)}});
    let taken: Vec<&str> = rollout
        .spec
        .strategy
        .canary
        .iter()
        .flat_map(|canary| [canary.stable_service.as_str(), canary.canary_service.as_str()])
        .collect();
    let mut hits = files.of("Service").filter(|(_, service)| {
        object::namespace(service) == rollout.metadata.namespace
            && !taken.contains(&object::name(service))
            && service.pointer("/spec/selector").is_some_and(|selector| object::has_labels(&pod, selector))
    });
    hits.next().map(|(_, service)| object::name(service).to_owned())
}

fn assumed_service(rollout: &Rollout, files: &mut Files, notes: &mut Vec<String>) -> String {
    let name = format!("{}-users", rollout.metadata.name);
    notes.push(
        "no Service in the files selects the pods of all revisions: one is assumed, and users are sent to it"
            .to_owned(),
    );
    let selector = pod_labels(rollout, files);
    files.assume(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": rollout.metadata.namespace},
        "spec": {"selector": selector, "ports": [{"port": 80}]},
    }));
    name
}

/// The autoscaler, and how much a pod can serve.
fn autoscaler(
    rollout: &Rollout,
    files: &mut Files,
    (options, notes): (&Options, &mut Vec<String>),
) -> (Option<String>, Option<f64>) {
    let name = rollout.metadata.name.clone();
    let said = [Version::Stable, Version::Canary].map(|version| options.behaviour(version).capacity);
    let said = said.into_iter().flatten().next();
    let written = files.of("HorizontalPodAutoscaler").find(|(_, hpa)| {
        object::text(hpa, "/spec/scaleTargetRef/name") == name
            && object::text(hpa, "/spec/scaleTargetRef/kind") == "Rollout"
    });
    let written = written.map(|(_, hpa)| object::name(hpa).to_owned());
    if written.is_none() && options.autoscaling == Autoscaling::AsWritten {
        return (None, said);
    }
    let replicas = rollout.spec.replicas.unwrap_or(1).max(1);
    let capacity = said.unwrap_or_else(|| {
        let capacity = (options.users.rate / (f64::from(replicas) * BUSY)).max(1.0).round();
        notes.push(format!(
            "an autoscaler needs to know how busy pods are: a pod is taken to serve up to {capacity} requests/s \
             (--version-behaviour stable:capacity=…)"
        ));
        capacity
    });
    if written.is_some() {
        return (written, Some(capacity));
    }
    let (most, wanted) = (replicas * 2, (capacity * WANTED).max(1.0).round());
    notes.push(format!(
        "no HorizontalPodAutoscaler is in the files: one is assumed, from {replicas} to {most} replicas at {wanted} requests/s each"
    ));
    files.assume(json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": rollout.metadata.namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": name},
            "minReplicas": replicas, "maxReplicas": most,
            "metrics": [{"type": "Pods", "pods": {
                "metric": {"name": REQUESTS}, "target": {"type": "AverageValue", "averageValue": format!("{wanted}")},
            }}],
        },
    }));
    (Some(name), Some(capacity))
}

impl Files {
    /// Puts an object in the place of its namesake.
    fn replace(&mut self, value: Value) {
        self.remove(&kind_of(&value), (object::namespace(&value), object::name(&value)));
        self.assume(value);
    }
}
