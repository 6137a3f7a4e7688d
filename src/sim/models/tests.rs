//! The models together, in virtual time.

#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Time;
use crate::sim::api_server::Hand;
use crate::sim::clock::ManualClock;
use crate::sim::cluster::{Cluster, Settings};
use crate::sim::models::gateway::{GATEWAY, REFUSES};
use crate::sim::object;

pub(crate) const STEP: Duration = Duration::from_millis(10);

pub(crate) struct Bench {
    pub clock: ManualClock,
    pub cluster: Cluster,
    pub hand: Hand,
}

pub(crate) fn bench() -> Bench {
    let clock = ManualClock::at(Time::from_seconds(1_700_000_000));
    let cluster = Cluster::new(clock.now(), Settings::default());
    let hand = cluster.server.hand("tester");
    Bench { clock, cluster, hand }
}

impl Bench {
    pub fn run(&mut self, millis: u64) {
        self.cluster.run(&self.clock, (Duration::from_millis(millis), STEP));
    }

    /// A `ReplicaSet` of `replicas` pods of image `web:<name>` with these annotations on the pods.
    pub fn replica_set(&self, name: &str, replicas: u64, annotations: &Value) {
        let labels = json!({ "app": "web", "rollouts-pod-template-hash": name });
        let spec = json!({ "containers": [{ "name": "c", "image": format!("web:{name}") }] });
        let set = json!({
            "metadata": { "name": name },
            "spec": { "replicas": replicas, "selector": { "matchLabels": labels },
                "template": { "metadata": { "labels": labels, "annotations": annotations }, "spec": spec } },
        });
        self.hand.create("ReplicaSet", set).unwrap();
    }

    pub fn scale(&self, name: &str, replicas: u64) {
        let patch = json!({ "spec": { "replicas": replicas } });
        self.hand.merge("ReplicaSet", ("default", name), &patch).unwrap();
    }

    pub fn service(&self, name: &str, hash: &str) {
        let selector = json!({ "app": "web", "rollouts-pod-template-hash": hash });
        let service = json!({ "metadata": { "name": name }, "spec": { "ports": [{ "port": 80, "targetPort": 8080 }], "selector": selector } });
        self.hand.create("Service", service).unwrap();
    }

    pub fn route(&self, name: &str, backends: &[(&str, u64)]) {
        self.hand.create("Gateway.gateway.networking.k8s.io", json!({ "metadata": { "name": "gw" }, "spec": {} })).ok();
        let route = json!({ "metadata": { "name": name }, "spec": { "parentRefs": [{ "name": "gw" }], "rules": [{ "backendRefs": refs(backends) }] } });
        self.hand.create("HTTPRoute", route).unwrap();
    }

    pub fn weigh(&self, name: &str, backends: &[(&str, u64)]) {
        let patch = json!({ "spec": { "rules": [{ "backendRefs": refs(backends) }] } });
        self.hand.merge("HTTPRoute", ("default", name), &patch).unwrap();
    }

    /// Creates an object, or merges it into the one that is there.
    pub fn put(&self, kind: &str, object: Value) {
        let name = object::name(&object).to_owned();
        if self.hand.get(kind, "default", &name).is_some() {
            self.hand.merge(kind, ("default", &name), &object).unwrap();
        } else {
            self.hand.create(kind, object).unwrap();
        }
    }

    pub fn status(&self, name: &str) -> Value {
        self.hand.get("ReplicaSet", "default", name).unwrap()["status"].clone()
    }

    pub fn pods(&self) -> Vec<Arc<Value>> {
        self.hand.list("Pod", "default")
    }
}

fn refs(backends: &[(&str, u64)]) -> Vec<Value> {
    backends.iter().map(|(name, weight)| json!({ "name": name, "port": 80, "weight": weight })).collect()
}

#[test]
fn pods_start_become_ready_and_are_counted() {
    let mut bench = bench();
    bench.replica_set("v1", 3, &json!({ "sim.siskin.dev/start": "1.0" }));
    bench.run(100);
    assert_eq!(bench.pods().len(), 3);
    assert_eq!(bench.pods()[0]["status"]["phase"], json!("Pending"));
    assert_eq!(bench.status("v1"), json!({ "replicas": 3, "fullyLabeledReplicas": 3, "observedGeneration": 1 }));
    bench.run(500);
    assert_eq!(bench.pods()[0]["status"]["phase"], json!("Running"));
    assert_eq!(bench.status("v1").get("readyReplicas"), None);
    bench.run(500);
    let ready = json!({ "replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 1 });
    assert_eq!(bench.status("v1"), ready);
    let pod = &bench.pods()[0];
    assert!(object::name(pod).starts_with("v1-") && object::name(pod).len() == 8);
    assert!(object::text(pod, "/status/podIP").starts_with("10.244."));
}

#[test]
fn availability_waits_for_min_ready_seconds() {
    let mut bench = bench();
    bench.replica_set("v1", 1, &json!({}));
    bench.hand.merge("ReplicaSet", ("default", "v1"), &json!({ "spec": { "minReadySeconds": 5 } })).unwrap();
    bench.run(2000);
    assert_eq!((&bench.status("v1")["readyReplicas"], bench.status("v1").get("availableReplicas")), (&json!(1), None));
    bench.run(4000);
    assert_eq!(bench.status("v1")["availableReplicas"], json!(1));
}

#[test]
fn scaling_down_takes_the_unready_first_and_stops_with_grace() {
    let mut bench = bench();
    bench.replica_set("v1", 2, &json!({ "sim.siskin.dev/stop": "0.5" }));
    bench.run(1000);
    let old: Vec<String> = bench.pods().iter().map(|pod| object::name(pod).to_owned()).collect();
    bench.scale("v1", 4);
    bench.run(100);
    bench.scale("v1", 2);
    bench.run(100);
    let stopping: Vec<_> = bench.pods().into_iter().filter(|pod| object::is_terminating(pod)).collect();
    assert!(stopping.len() == 2 && stopping.iter().all(|pod| !old.contains(&object::name(pod).to_owned())));
    assert_eq!(bench.status("v1")["replicas"], json!(2), "terminating pods do not count");
    bench.run(500);
    assert_eq!(bench.pods().iter().map(|pod| object::name(pod).to_owned()).collect::<Vec<_>>(), old);
}

#[test]
fn readiness_and_cost_come_before_age() {
    for (annotation, value) in
        [("sim.siskin.dev/behaviour", "never-ready"), ("controller.kubernetes.io/pod-deletion-cost", "-1")]
    {
        let mut bench = bench();
        bench.replica_set("v1", 1, &json!({}));
        bench.run(1000);
        let old = object::name(&bench.pods()[0]).to_owned();
        bench.scale("v1", 2);
        bench.run(1000);
        let patch = json!({ "metadata": { "annotations": { annotation: value } } });
        bench.hand.merge("Pod", ("default", &old), &patch).unwrap();
        bench.run(100);
        bench.scale("v1", 1);
        bench.run(1000);
        let left = bench.pods();
        assert!(left.len() == 1 && object::name(&left[0]) != old, "{annotation}");
    }
}

#[test]
fn broken_images_show_their_reasons_and_can_heal() {
    let mut bench = bench();
    for (name, behaviour) in [("a", "never-pulls"), ("b", "crash-loop"), ("c", "never-ready")] {
        bench.replica_set(name, 1, &json!({ "sim.siskin.dev/behaviour": behaviour }));
    }
    bench.run(1500);
    let reasons: Vec<Value> = bench
        .pods()
        .iter()
        .map(|pod| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].clone())
        .collect();
    assert_eq!(reasons, [json!("ImagePullBackOff"), json!("CrashLoopBackOff"), Value::Null]);
    let phases: Vec<Value> = bench.pods().iter().map(|pod| pod["status"]["phase"].clone()).collect();
    assert_eq!(phases, [json!("Pending"), json!("Running"), json!("Running")]);
    assert!(["a", "b", "c"].iter().all(|name| bench.status(name).get("readyReplicas").is_none()));
    let healthy = json!({ "metadata": { "annotations": { "sim.siskin.dev/behaviour": null } } });
    bench.hand.merge("Pod", ("default", object::name(&bench.pods()[2])), &healthy).unwrap();
    bench.run(100);
    assert_eq!(bench.status("c")["readyReplicas"], json!(1));
}

#[test]
fn an_image_that_may_not_be_pulled_has_a_reason_of_its_own() {
    let mut bench = bench();
    bench.replica_set("a", 1, &json!({ "sim.siskin.dev/behaviour": "never-pulls" }));
    let policy = json!([{ "op": "add", "path": "/spec/template/spec/containers/0/imagePullPolicy", "value": "Never" }]);
    bench.hand.json("ReplicaSet", ("default", "a"), &policy).unwrap();
    bench.run(1500);
    let waiting = bench.pods()[0]["status"]["containerStatuses"][0]["state"]["waiting"].clone();
    assert_eq!(waiting["reason"], json!("ErrImageNeverPull"), "{waiting}");
}

#[test]
fn endpoint_slices_follow_pods_and_selectors() {
    let mut bench = bench();
    bench.replica_set("v1", 2, &json!({}));
    bench.replica_set("v2", 1, &json!({}));
    bench.service("web", "v1");
    bench.run(1000);
    let slices = bench.hand.list("EndpointSlice", "default");
    assert_eq!(object::label(&slices[0], super::endpoints::SERVICE_NAME), Some("web"));
    let ready = |slice: &Value| {
        object::list(slice, "/endpoints").iter().filter(|e| e["conditions"]["ready"] == json!(true)).count()
    };
    assert_eq!(ready(&slices[0]), 2);
    bench.scale("v1", 1);
    bench.run(60);
    let slice = bench.hand.list("EndpointSlice", "default").remove(0);
    let terminating =
        object::list(&slice, "/endpoints").iter().find(|e| e["conditions"]["terminating"] == json!(true)).unwrap();
    assert_eq!(terminating["conditions"], json!({ "ready": false, "serving": true, "terminating": true }));
    let patch = json!({ "spec": { "selector": { "rollouts-pod-template-hash": "v2" } } });
    bench.hand.merge("Service", ("default", "web"), &patch).unwrap();
    bench.run(1000);
    let slice = bench.hand.list("EndpointSlice", "default").remove(0);
    let names: Vec<&str> =
        object::list(&slice, "/endpoints").iter().map(|e| object::text(e, "/targetRef/name")).collect();
    assert!(names.len() == 1 && names[0].starts_with("v2-"));
    bench.hand.delete("Service", "default", "web").unwrap();
    assert!(bench.hand.list("EndpointSlice", "default").is_empty());
}

#[test]
fn the_gateway_acknowledges_what_it_has_applied() {
    let mut bench = bench();
    bench.service("stable", "v1");
    bench.cluster.gateway.set_route_lag(Duration::from_millis(200));
    bench.route("r", &[("stable", 100), ("canary", 0)]);
    bench.run(100);
    let acknowledged = |bench: &Bench| {
        let route = bench.hand.get("HTTPRoute", "default", "r").unwrap();
        object::list(&route, "/status/parents/0/conditions")
            .iter()
            .map(|c| (c["status"].clone(), c["observedGeneration"].clone()))
            .collect::<Vec<_>>()
    };
    assert!(acknowledged(&bench).is_empty());
    bench.run(200);
    assert_eq!(
        acknowledged(&bench),
        [(json!("True"), json!(1)), (json!("False"), json!(1))],
        "the canary Service is missing"
    );
    bench.service("canary", "v2");
    bench.run(50);
    assert_eq!(acknowledged(&bench)[1], (json!("True"), json!(1)));
    bench.weigh("r", &[("stable", 50), ("canary", 50)]);
    bench.run(100);
    bench.weigh("r", &[("stable", 0), ("canary", 100)]);
    let weight = |bench: &Bench| {
        bench.cluster.gateway.plane().lock().routes[&("default".to_owned(), "r".to_owned())].1["rules"][0]["backendRefs"][1]["weight"].clone()
    };
    assert_eq!((acknowledged(&bench)[0].1.clone(), weight(&bench)), (json!(1), json!(0)));
    bench.run(110);
    assert_eq!((acknowledged(&bench)[0].1.clone(), weight(&bench)), (json!(2), json!(50)));
    bench.run(100);
    assert_eq!((acknowledged(&bench)[0].1.clone(), weight(&bench)), (json!(3), json!(100)));
}

#[test]
fn what_a_gateway_refuses_is_not_in_force_until_it_takes_it() {
    let mut bench = bench();
    for name in ["stable", "canary"] {
        bench.service(name, "v1");
    }
    bench.route("r", &[("stable", 100), ("canary", 0)]);
    bench.run(500);
    let gateway = bench.hand.get(GATEWAY, "default", "gw").unwrap();
    let programmed = object::list(&gateway, "/status/conditions").iter().map(|told| object::text(told, "/type"));
    assert_eq!(programmed.collect::<Vec<_>>(), ["Accepted", "Programmed"]);
    let refuse = |bench: &Bench, why: Value| {
        let note = json!({ "metadata": { "annotations": { REFUSES: why } } });
        bench.hand.merge(GATEWAY, ("default", "gw"), &note).unwrap();
    };
    let told = |bench: &Bench| {
        let route = bench.hand.get("HTTPRoute", "default", "r").unwrap();
        let accepted = &route["status"]["parents"][0]["conditions"][0];
        let text = |field: &str| accepted[field].as_str().unwrap().to_owned();
        (text("status"), text("reason"), accepted["observedGeneration"].as_i64().unwrap())
    };
    let weight = |bench: &Bench| {
        let plane = bench.cluster.gateway.plane();
        let view = plane.lock();
        view.routes[&("default".to_owned(), "r".to_owned())].1["rules"][0]["backendRefs"][1]["weight"].clone()
    };
    let accepted = |generation| ("True".to_owned(), "Accepted".to_owned(), generation);
    refuse(&bench, json!("not today"));
    bench.run(500);
    assert_eq!(told(&bench), accepted(1), "what was taken stays taken");
    bench.weigh("r", &[("stable", 50), ("canary", 50)]);
    bench.run(500);
    assert_eq!(told(&bench), ("False".to_owned(), "UnsupportedValue".to_owned(), 2));
    assert_eq!(weight(&bench), json!(0));
    refuse(&bench, Value::Null);
    bench.run(500);
    assert_eq!((told(&bench), weight(&bench)), (accepted(2), json!(50)));
    let before = bench.cluster.server.version();
    bench.run(60_000);
    assert_eq!(bench.cluster.server.version(), before, "nothing is written at rest");
    let parents = json!({ "spec": { "parentRefs": [{ "name": "gw", "sectionName": "nowhere" }] } });
    bench.hand.merge("HTTPRoute", ("default", "r"), &parents).unwrap();
    bench.run(500);
    assert_eq!(told(&bench), ("False".to_owned(), "NoMatchingParent".to_owned(), 3));
}

#[test]
fn a_history_too_short_changes_nothing_in_the_end() {
    let story = |window: Option<usize>| {
        let mut bench = bench();
        if let Some(changes) = window {
            bench.cluster.server.set_window(changes);
        }
        bench.replica_set("v1", 3, &json!({}));
        bench.service("stable", "v1");
        bench.route("r", &[("stable", 1)]);
        bench.run(2000);
        bench.scale("v1", 2);
        bench.service("extra", "v1");
        bench.hand.delete("HTTPRoute", "default", "r").unwrap();
        bench.run(2000);
        bench.hand.delete("Service", "default", "extra").unwrap();
        bench.run(2000);
        let plane = bench.cluster.gateway.plane();
        let view = plane.lock();
        let sizes: Vec<_> = view.services.iter().map(|(key, backends)| (key.1.clone(), backends.len())).collect();
        (bench.status("v1"), bench.pods().len(), view.routes.len(), sizes)
    };
    let whole = story(None);
    assert_eq!((whole.1, whole.2, whole.3.clone()), (2, 0, vec![("stable".to_owned(), 2)]));
    assert_eq!(story(Some(1)), whole);
}

#[test]
fn rest_is_silent_and_runs_repeat() {
    let story = || {
        let mut bench = bench();
        bench.replica_set("v1", 3, &json!({}));
        bench.service("stable", "v1");
        bench.route("r", &[("stable", 1)]);
        bench.run(2000);
        let before = bench.cluster.server.version();
        bench.run(60_000);
        assert_eq!(bench.cluster.server.version(), before, "nothing is written at rest");
        assert_eq!(bench.cluster.tick(), None, "and nothing is due");
        let journal = bench.cluster.server.journal();
        journal.iter().map(|entry| format!("{:?}", entry.after)).collect::<Vec<_>>()
    };
    assert_eq!(story(), story());
}

#[tokio::test(start_paused = true)]
async fn the_driver_follows_tokio_time_and_holds_its_breath_where_the_computer_does() {
    let bench = bench();
    bench.replica_set("v1", 2, &json!({}));
    let (clock, hand) = (bench.clock.clone(), bench.hand.clone());
    let start = clock.time();
    let cluster = Arc::new(parking_lot::Mutex::new(bench.cluster));
    let driver = tokio::spawn(crate::sim::driver::drive(cluster, clock.clone(), 10.0));
    tokio::time::sleep(Duration::from_millis(151)).await;
    let passed = clock.time().since(start);
    assert_eq!(passed, Duration::from_millis(1500));
    assert_eq!(hand.get("ReplicaSet", "default", "v1").unwrap()["status"]["availableReplicas"], json!(2));
    tokio::time::advance(Duration::from_mins(1)).await;
    tokio::task::yield_now().await;
    assert_eq!(clock.time().since(start), passed + Duration::from_millis(200), "a minute without a tick is no minute");
    driver.abort();
}

#[test]
fn containers_die_and_wait_longer_each_time() {
    for (behaviour, reason, code) in
        [("crash-back-off", "Error", 1), ("out-of-memory", "OOMKilled", 137), ("unhealthy", "Error", 137)]
    {
        let mut bench = bench();
        bench.replica_set("v1", 1, &json!({ "sim.siskin.dev/behaviour": behaviour }));
        let mut seen = Vec::new();
        let mut ready = false;
        for _ in 0..120 {
            bench.run(1000);
            let state = bench.pods()[0]["status"]["containerStatuses"][0].clone();
            ready |= state["ready"] == json!(true);
            if let Some(message) = state["state"]["waiting"]["message"].as_str() {
                let backoff = message.split(' ').nth(1).unwrap().to_owned();
                if seen.last() != Some(&backoff) {
                    seen.push(backoff);
                }
                assert_eq!(
                    (&state["lastState"]["terminated"]["reason"], &state["lastState"]["terminated"]["exitCode"]),
                    (&json!(reason), &json!(code))
                );
            }
        }
        assert_eq!(seen.get(..2), Some(&["10s".to_owned(), "20s".to_owned()][..]), "{behaviour}: {seen:?}");
        assert_eq!(ready, behaviour != "crash-back-off", "{behaviour}");
        assert!(bench.pods()[0]["status"]["containerStatuses"][0]["restartCount"].as_i64() >= Some(2));
    }
}

#[test]
fn images_are_pulled_once_and_hooks_delay_the_end() {
    let mut bench = bench();
    bench.replica_set("v1", 1, &json!({ "sim.siskin.dev/pull": "5", "sim.siskin.dev/pre-stop": "2" }));
    bench.run(4000);
    assert_eq!(bench.status("v1").get("readyReplicas"), None);
    bench.run(2000);
    assert_eq!(bench.status("v1")["readyReplicas"], json!(1));
    bench.scale("v1", 2);
    bench.run(1000);
    assert_eq!(bench.status("v1")["readyReplicas"], json!(2), "the image is there");
    bench.scale("v1", 0);
    bench.run(2000);
    assert_eq!(bench.pods().len(), 2, "the hook runs");
    bench.run(1000);
    assert!(bench.pods().is_empty());
}
