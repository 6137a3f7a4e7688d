use serde_json::{Value, json};

use super::*;

fn routing(value: Value) -> TrafficRouting {
    serde_json::from_value(value).unwrap()
}

fn plugin(value: &Value) -> TrafficRouting {
    routing(json!({"plugins": {"argoproj-labs/gatewayAPI": value}}))
}

fn api(value: &Value) -> GatewayApi {
    settings(&plugin(value)).unwrap().unwrap()
}

fn names(api: &GatewayApi) -> Vec<(String, bool)> {
    routes(api, "shop").into_iter().map(|route| (route.object.name, route.header_routes)).collect()
}

#[test]
fn either_key_is_read_and_both_are_refused() {
    let written = json!({"httpRoute": "app"});
    let native = settings(&routing(json!({"gatewayAPI": written}))).unwrap();
    assert_eq!(native, settings(&plugin(&written)).unwrap());
    assert_eq!(native.unwrap().http_route, "app");
    let both = routing(json!({"gatewayAPI": written, "plugins": {"argoproj-labs/gatewayAPI": written}}));
    assert_eq!(settings(&both), Err(ConfigError::Both));
    let nulled = routing(json!({"gatewayAPI": written, "plugins": {"argoproj-labs/gatewayAPI": null}}));
    assert_eq!(settings(&nulled).unwrap().unwrap().http_route, "app");
}

#[test]
fn no_key_is_no_router_and_null_is_no_routes() {
    assert_eq!(settings(&routing(json!({}))), Ok(None));
    assert_eq!(settings(&routing(json!({"gatewayAPI": null}))), Ok(None));
    assert_eq!(settings(&routing(json!({"plugins": {"argoproj-labs/GatewayAPI": {"httpRoute": "a"}}}))), Ok(None));
    assert!(names(&api(&Value::Null)).is_empty());
    assert!(names(&api(&json!({"httpRoutes": null, "httpRoute": null, "namespace": null}))).is_empty());
}

#[test]
fn the_list_comes_before_the_single_route() {
    let api = api(&json!({
        "httpRoute": "z",
        "httpRoutes": [{"name": "b"}, {"name": "a", "useHeaderRoutes": true}, {"name": "b"}],
    }));
    assert_eq!(names(&api), [("b".into(), false), ("a".into(), true), ("z".into(), true)]);
}

#[test]
fn a_route_named_twice_is_driven_once_with_header_routes() {
    let api = api(&json!({"httpRoute": "a", "httpRoutes": [{"name": "a"}, {"name": "b"}]}));
    assert_eq!(names(&api), [("a".into(), true), ("b".into(), false)]);
}

#[test]
fn the_namespace_is_the_rollouts_unless_named() {
    let of = |value: Value| routes(&api(&value), "shop").remove(0).object;
    assert_eq!(of(json!({"httpRoute": "a"})).namespace, "shop");
    assert_eq!(of(json!({"httpRoute": "a", "namespace": ""})).namespace, "shop");
    let object = of(json!({"httpRoute": "a", "namespace": "infra"}));
    assert_eq!((object.namespace.as_str(), object.resource.plural.as_ref()), ("infra", "httproutes"));
}

#[test]
fn unknown_fields_are_listed_with_their_paths() {
    let written =
        json!({"httpRoute": "a", "htpRoutes": [], "httpRoutes": [{"name": "b", "headers": true}], "configMap": "x"});
    let plugin_path = "trafficRouting.plugins[argoproj-labs/gatewayAPI]";
    assert_eq!(
        unknown_fields(&plugin(&written)),
        [format!("{plugin_path}.htpRoutes"), format!("{plugin_path}.httpRoutes.0.headers")]
    );
    assert_eq!(unknown_fields(&routing(json!({"gatewayAPI": written})))[0], "trafficRouting.gatewayAPI.htpRoutes");
    assert!(unknown_fields(&plugin(&json!({"httpRoute": 5, "x": 1}))).is_empty());
    assert!(unknown_fields(&plugin(&Value::Null)).is_empty());
}

#[test]
fn wrong_types_and_empty_names_are_errors() {
    for value in [json!({"httpRoute": 5}), json!("app"), json!({"httpRoutes": [null]}), json!({"httpRoutes": {}})] {
        assert!(matches!(settings(&plugin(&value)), Err(ConfigError::Malformed { .. })));
    }
    let error = settings(&plugin(&json!({"httpRoutes": [{"name": "a"}, {"useHeaderRoutes": true}]}))).unwrap_err();
    assert!(error.to_string().contains("httpRoutes[1].name"), "{error}");
}

#[test]
fn routes_of_all_kinds_in_their_order() {
    let all = api(&json!({
        "tlsRoute": "d", "tcpRoute": "c", "grpcRoute": "b", "httpRoute": "a",
        "tlsRoutes": [{"name": "d1", "useHeaderRoutes": true}], "tcpRoutes": [{"name": "c"}],
        "grpcRoutes": [{"name": "b1", "useHeaderRoutes": true}, {"name": "b2"}],
    }));
    let found: Vec<(String, String, bool)> = routes(&all, "shop")
        .into_iter()
        .map(|route| (route.object.resource.kind.to_string(), route.object.name, route.header_routes))
        .collect();
    let of = |kind: &str, name: &str, headers: bool| (kind.to_owned(), name.to_owned(), headers);
    assert_eq!(
        found,
        [
            of("HTTPRoute", "a", true),
            of("GRPCRoute", "b1", true),
            of("GRPCRoute", "b2", false),
            of("GRPCRoute", "b", true),
            of("TCPRoute", "c", false),
            of("TLSRoute", "d1", false),
            of("TLSRoute", "d", false),
        ]
    );
}

#[test]
fn selectors_by_kind() {
    let some =
        api(&json!({"namespace": "infra", "tcpRouteSelector": {"matchLabels": {"a": "b"}}, "httpRouteSelector": {}}));
    let found = selectors(&some, "shop");
    assert_eq!(found.iter().map(|of| of.kind).collect::<Vec<_>>(), [RouteKind::Http, RouteKind::Tcp]);
    assert!(found.iter().all(|of| of.namespace == "infra"));
    let labels = |value: &str| [("a", value)].into_iter().collect();
    assert!(found[0].labels.matches(&labels("c")), "an empty selector takes all");
    assert_eq!((found[1].labels.matches(&labels("b")), found[1].labels.matches(&labels("c"))), (true, false));
    assert!(selectors(&api(&json!({"httpRoute": "a"})), "shop").is_empty());
}

#[test]
fn the_label_has_defaults_and_can_be_switched_off() {
    let of = |value: Value| label(&api(&value)).map(|label| (label.key, label.value));
    assert_eq!(of(json!({})), Some(("rollouts.argoproj.io/gatewayapi-canary".into(), "in-progress".into())));
    assert_eq!(of(json!({"inProgressLabelKey": "k", "inProgressLabelValue": "v"})), Some(("k".into(), "v".into())));
    assert_eq!(of(json!({"disableInProgressLabel": true, "inProgressLabelKey": "k"})), None);
}
