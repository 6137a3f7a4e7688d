//! App Mesh virtual routers: each route has exactly two weighted targets.

use super::super::error::{Path, Report, quote};
use super::super::read::text;
use super::check::name_of;
use serde_json::Value;

/// Kinds of routes, in the order in which they are looked for.
const ROUTE_TYPES: [&str; 4] = ["httpRoute", "tcpRoute", "http2Route", "grpcRoute"];
/// Stable and canary.
const TARGETS: usize = 2;

/// Tells the first error only.
pub fn check(router: &Value, report: &mut Report) {
    let kind = text(router, "kind");
    if kind != "VirtualRouter" {
        let detail = format!("Expected object kind to be VirtualRouter but is {kind}");
        report.invalid(&Path::new("kind"), quote(kind), &detail);
        return;
    }
    let name = name_of(router);
    let path = Path::new("spec").child("routes");
    let routes = router.get("spec").and_then(|spec| spec.get("routes")).and_then(Value::as_array);
    let Some(routes) = routes.filter(|routes| !routes.is_empty()) else {
        report.invalid(&path, quote(name), &format!("No routes defined for AppMesh virtual-router {name}"));
        return;
    };
    let first =
        routes.iter().enumerate().find_map(|(index, route)| route_error(route, name, index, &path.index(index)));
    if let Some((path, detail)) = first {
        report.invalid(&path, quote(name), &detail);
    }
}

fn route_error(route: &Value, router: &str, index: usize, path: &Path) -> Option<(Path, String)> {
    if !route.is_object() {
        let detail = format!("Invalid route was found for AppMesh virtual-router {router} at index {index}");
        return Some((path.clone(), detail));
    }
    let whole = format!("AppMesh virtual-router {router} and route {}", shown_name(route));
    let Some(kind) = ROUTE_TYPES.into_iter().find(|kind| route.get(*kind).is_some()) else {
        let detail = format!("Error getting route details for {whole}. Error: Route has unsupported route type");
        return Some((path.clone(), detail));
    };
    let rule = route.get(kind).unwrap_or(&Value::Null);
    if !rule.is_object() {
        let found = go_type(rule);
        let cause = format!(
            ".{kind} accessor error: {found} is of the type {}, expected map[string]interface{{}}",
            go_type_name(rule)
        );
        return Some((path.clone(), format!("Error getting route details for {whole}. Error: {cause}")));
    }
    let place = path.child(kind).child("action").child("weightedTargets");
    let targets = rule.get("action").and_then(|action| action.get("weightedTargets")).and_then(Value::as_array);
    match targets.map(Vec::len) {
        None => Some((place, format!("Invalid route action found for {whole}"))),
        Some(TARGETS) => None,
        Some(count) => {
            let detail = format!("Invalid number of weightedTargets ({count}) for {whole}, expected {TARGETS}");
            Some((place, detail))
        }
    }
}

/// The route's name as Go prints it: an absent one has a print of its own.
fn shown_name(route: &Value) -> String {
    match route.get("name") {
        Some(Value::String(name)) => name.clone(),
        None | Some(Value::Null) => "%!s(<nil>)".to_owned(),
        Some(other) => other.to_string(),
    }
}

fn go_type(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

const fn go_type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
