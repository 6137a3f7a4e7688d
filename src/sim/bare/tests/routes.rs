//! Routes of all kinds, by name and by label.

use serde_json::{Value, json};

use super::managed::{header, index, names};
use super::rig::{KEY, Rig, spec};
use crate::sim::object;

/// A route of a kind that the simulated gateway leaves alone.
fn create_route(rig: &Rig, (kind, version): (&str, &str), (name, labels): (&str, &Value)) {
    let backends = json!([{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]);
    let route = json!({
        "apiVersion": format!("gateway.networking.k8s.io/{version}"), "kind": kind,
        "metadata": {"name": name, "namespace": KEY.0, "labels": labels}, "spec": {"rules": [{"backendRefs": backends}]},
    });
    rig.core.user().create(kind, route).unwrap();
}

fn routed_by(routing: &Value, steps: &Value) -> Value {
    json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps,
        "trafficRouting": {"gatewayAPI": routing, "managedRoutes": [{"name": "hdr"}]},
    }})
}

fn weight_of(rig: &Rig, kind: &str, name: &str) -> Option<i64> {
    let route = rig.core.user().get(kind, KEY.0, name)?;
    object::integer(&route, "/spec/rules/0/backendRefs/1/weight")
}

#[test]
fn routes_of_all_kinds_carry_the_weight_and_two_of_them_headers() {
    let routing = json!({"httpRoute": "shop", "grpcRoute": "rpc", "tcpRoute": "raw", "tlsRoute": "tls"});
    let steps = json!([{"setWeight": 20}, header("hdr", "1"), {"pause": {}}]);
    let mut rig = Rig::bare(1, Some(()));
    for (kind, version, name) in
        [("GRPCRoute", "v1", "rpc"), ("TCPRoute", "v1alpha2", "raw"), ("TLSRoute", "v1alpha2", "tls")]
    {
        create_route(&rig, (kind, version), (name, &json!({})));
    }
    rig.create(&spec(&routed_by(&routing, &steps)));
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.update("shop:2");
    rig.run(60).unwrap();
    assert_eq!(index(&rig), 2);
    let all = [("HTTPRoute", "shop", 2), ("GRPCRoute", "rpc", 2), ("TCPRoute", "raw", 1), ("TLSRoute", "tls", 1)];
    for (kind, name, rules) in all {
        let route = rig.core.user().get(kind, KEY.0, name).unwrap();
        assert_eq!(
            (weight_of(&rig, kind, name), object::list(&route, "/spec/rules").len()),
            (Some(20), rules),
            "{kind}"
        );
        assert_eq!(object::label(&route, crate::api::names::GATEWAY_IN_PROGRESS), Some("in-progress"));
    }
    rig.command(&json!({"abort": true}));
    rig.run(200).unwrap();
    for (kind, name, _) in all {
        let route = rig.core.user().get(kind, KEY.0, name).unwrap();
        assert_eq!((weight_of(&rig, kind, name), object::list(&route, "/spec/rules").len()), (Some(0), 1), "{kind}");
    }
    rig.rest().unwrap();
}

#[test]
fn routes_by_label_come_and_go() {
    let routing = json!({"httpRouteSelector": {"matchLabels": {"team": "shop"}}});
    let steps = json!([{"setWeight": 20}, header("hdr", "1"), {"pause": {}}, {"setWeight": 60}, {"pause": {}}]);
    let mut rig = Rig::bare(1, Some(()));
    rig.create(&spec(&routed_by(&routing, &steps)));
    rig.run(60).unwrap();
    assert!(format!("{:?}", rig.core.plan.blockers).contains("No routes configured"), "{:?}", rig.core.plan.blockers);
    rig.core.user().merge("HTTPRoute", (KEY.0, "shop"), &json!({"metadata": {"labels": {"team": "shop"}}})).unwrap();
    create_route(&rig, ("HTTPRoute", "v1"), ("other", &json!({"team": "else"})));
    rig.run(60).unwrap();
    assert_eq!((rig.shown().as_str(), weight_of(&rig, "HTTPRoute", "other")), ("Healthy", Some(1)));
    assert!(rig.core.events.iter().any(|event| event.reason == "ManagedRoutesUnused"));
    rig.update("shop:2");
    rig.run(60).unwrap();
    assert_eq!(
        (index(&rig), rig.weight(), names(&rig)),
        (2, 20, vec![String::new()]),
        "selected routes take no headers"
    );
    create_route(&rig, ("HTTPRoute", "v1"), ("late", &json!({"team": "shop"})));
    rig.run(60).unwrap();
    assert_eq!(weight_of(&rig, "HTTPRoute", "late"), Some(20), "a route that comes later follows");
    rig.command(&json!({"abort": true}));
    rig.run(200).unwrap();
    assert_eq!((rig.weight(), weight_of(&rig, "HTTPRoute", "late")), (0, Some(0)));
    rig.rest().unwrap();
}

#[test]
fn a_mirror_on_a_grpc_route_is_refused_before_traffic_is_touched() {
    let steps = json!([{"setMirrorRoute": {"name": "hdr", "match": [{"method": {"exact": "GET"}}]}}]);
    let mut rig = Rig::new(&spec(&routed_by(&json!({"httpRoute": "shop", "grpcRoute": "rpc"}), &steps)));
    rig.run(30).unwrap();
    assert!(rig.shown().contains("steps[0].setMirrorRoute with GRPCRoute \"rpc\""), "{}", rig.shown());
    assert_eq!(rig.weight(), 1, "nothing is touched");
}

#[test]
fn a_route_that_is_refused_says_why_its_step_waits() {
    let steps = json!([{"setWeight": 20}, {"pause": {}}]);
    let mut rig = Rig::new(&spec(&routed_by(&json!({"httpRoute": "shop"}), &steps)));
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    // Somebody's rule leads to a Service that is not there, so the gateway speaks against the whole route.
    let rule = json!({"matches": [{"path": {"type": "PathPrefix", "value": "/else"}}], "backendRefs": [{"name": "nowhere", "port": 80}]});
    let add = json!([{"op": "add", "path": "/spec/rules/-", "value": rule}]);
    rig.core.user().json("HTTPRoute", (KEY.0, "shop"), &add).unwrap();
    rig.update("shop:2");
    rig.run(60).unwrap();
    assert_eq!((index(&rig), rig.weight()), (0, 0));
    let refused: Vec<_> = rig.core.plan.blockers.iter().filter(|blocker| blocker.code == "RouteRefused").collect();
    assert!(refused.len() == 1 && refused[0].message.contains("nowhere"), "{:?}", rig.core.plan.blockers);
}
