//! Which routes a Rollout drives.
//!
//! The same settings stand under Argo's plugin key or under Siskin's own, never under both.
//! This module reads settings; it never looks at a route.

use serde::Deserialize as _;
use serde_json::Value;
use thiserror::Error;

use super::kind::RouteKind;
use crate::api::LabelSelector;
use crate::api::traffic_routing::{GATEWAY_API_PLUGIN, GatewayApi, GatewayRoute, TrafficRouting};
use crate::plan::ObjectRef;

/// Key of the in-progress label where the settings name none. Argo CD ignore rules of users name it.
pub const LABEL_KEY: &str = crate::api::names::GATEWAY_IN_PROGRESS;
/// Value of the in-progress label where the settings name none.
pub const LABEL_VALUE: &str = "in-progress";

const NATIVE_PATH: &str = "trafficRouting.gatewayAPI";
const PLUGIN_PATH: &str = "trafficRouting.plugins[argoproj-labs/gatewayAPI]";

/// Settings that cannot be carried out; the Rollout is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Both keys are there, and each could say something else.
    #[error("reading {NATIVE_PATH}: {PLUGIN_PATH} is set as well; keep one of the two")]
    Both,
    /// A value has a wrong type.
    #[error("reading {path}: {reason}; correct the type of the field")]
    Malformed {
        /// Which key holds the settings.
        path: &'static str,
        /// What the decoder says.
        reason: String,
    },
    /// A list names a route without a name.
    #[error("reading {path}.{list}[{index}].name: it is empty; name the route or remove the entry")]
    Unnamed {
        /// Which key holds the settings.
        path: &'static str,
        /// The list.
        list: &'static str,
        /// Position in the list.
        index: usize,
    },
}

/// The label that marks a route while the canary has weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Key under `metadata.labels`.
    pub key: String,
    /// Its value while the weight is not zero.
    pub value: String,
}

/// A route that a Rollout drives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRef {
    /// Kind, namespace and name.
    pub object: ObjectRef,
    /// Whether managed routes may be put on it.
    pub header_routes: bool,
}

/// The settings of the Gateway API router; `None` where a Rollout does not use it.
///
/// A plugin key that holds `null` is a router without routes, unless Siskin's own key is there.
///
/// # Errors
/// Both keys set, a field of a wrong type, or a route without a name.
pub fn settings(routing: &TrafficRouting) -> Result<Option<GatewayApi>, ConfigError> {
    let Some((path, value)) = written(routing)? else { return Ok(None) };
    if value.is_null() {
        return Ok(Some(GatewayApi::default()));
    }
    let api =
        GatewayApi::deserialize(value).map_err(|error| ConfigError::Malformed { path, reason: error.to_string() })?;
    for (list, routes) in [
        ("httpRoutes", &api.http_routes),
        ("grpcRoutes", &api.grpc_routes),
        ("tcpRoutes", &api.tcp_routes),
        ("tlsRoutes", &api.tls_routes),
    ] {
        if let Some(index) = routes.iter().position(|route| route.name.is_empty()) {
            return Err(ConfigError::Unnamed { path, list, index });
        }
    }
    Ok(Some(api))
}

/// Paths of the fields that nobody knows, for warnings: they are ignored, as Argo's plugin ignores them.
///
/// Empty where the settings cannot be read at all; [`settings`] says why.
pub fn unknown_fields(routing: &TrafficRouting) -> Vec<String> {
    let Ok(Some((path, value))) = written(routing) else { return Vec::new() };
    let mut unknown = Vec::new();
    let read: Result<GatewayApi, _> =
        serde_ignored::deserialize(value, |field| unknown.push(format!("{path}.{field}").replace(".?", "")));
    if read.is_ok() { unknown } else { Vec::new() }
}

/// The routes that the settings name, in the order in which they are driven: kind by kind, the list, then the single one.
///
/// A route named twice appears once, and may carry managed routes if any mention of it allows them. Only the single
/// form allows them by itself, and only kinds that match headers can carry any.
pub fn routes(api: &GatewayApi, rollout_namespace: &str) -> Vec<RouteRef> {
    let namespace = namespace(api, rollout_namespace);
    let mut found: Vec<RouteRef> = Vec::new();
    for (kind, list, single) in [
        (RouteKind::Http, &api.http_routes, &api.http_route),
        (RouteKind::Grpc, &api.grpc_routes, &api.grpc_route),
        (RouteKind::Tcp, &api.tcp_routes, &api.tcp_route),
        (RouteKind::Tls, &api.tls_routes, &api.tls_route),
    ] {
        let single = (!single.is_empty()).then(|| GatewayRoute { name: single.clone(), use_header_routes: true });
        for route in list.iter().chain(&single) {
            let object =
                ObjectRef { resource: kind.resource(), namespace: namespace.to_owned(), name: route.name.clone() };
            let header_routes = route.use_header_routes && kind.matches_headers();
            match found.iter_mut().find(|known| known.object == object) {
                Some(known) => known.header_routes |= header_routes,
                None => found.push(RouteRef { object, header_routes }),
            }
        }
    }
    found
}

/// Routes of one kind by their labels, in one namespace. They never carry managed routes.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteSelector {
    /// The kind.
    pub kind: RouteKind,
    /// The namespace.
    pub namespace: String,
    /// The labels; an empty selector takes every route of the kind.
    pub labels: LabelSelector,
}

/// The selectors of the settings, kind by kind.
pub fn selectors(api: &GatewayApi, rollout_namespace: &str) -> Vec<RouteSelector> {
    let namespace = namespace(api, rollout_namespace);
    let fields = [
        (RouteKind::Http, &api.http_route_selector),
        (RouteKind::Grpc, &api.grpc_route_selector),
        (RouteKind::Tcp, &api.tcp_route_selector),
        (RouteKind::Tls, &api.tls_route_selector),
    ];
    let set = fields.into_iter().filter_map(|(kind, labels)| Some((kind, labels.clone()?)));
    set.map(|(kind, labels)| RouteSelector { kind, namespace: namespace.to_owned(), labels }).collect()
}

fn namespace<'a>(api: &'a GatewayApi, rollout_namespace: &'a str) -> &'a str {
    if api.namespace.is_empty() { rollout_namespace } else { &api.namespace }
}

/// The in-progress label; `None` where the settings leave labels alone.
pub fn label(api: &GatewayApi) -> Option<Label> {
    let or = |text: &str, default: &str| if text.is_empty() { default.to_owned() } else { text.to_owned() };
    (!api.disable_in_progress_label).then(|| Label {
        key: or(&api.in_progress_label_key, LABEL_KEY),
        value: or(&api.in_progress_label_value, LABEL_VALUE),
    })
}

/// The settings as written, and under which key.
fn written(routing: &TrafficRouting) -> Result<Option<(&'static str, Value)>, ConfigError> {
    let native = routing.gateway_api.as_ref().filter(|raw| !raw.is_absent());
    let plugin = routing.plugins.as_ref().and_then(|plugins| plugins.get(GATEWAY_API_PLUGIN));
    match (native, plugin) {
        (Some(_), Some(plugin)) if !plugin.is_absent() => Err(ConfigError::Both),
        (Some(native), _) => Ok(Some((NATIVE_PATH, without_nulls(native.value())))),
        (None, Some(plugin)) => Ok(Some((PLUGIN_PATH, without_nulls(plugin.value())))),
        (None, None) => Ok(None),
    }
}

/// Drops members that are `null`: Go's decoder leaves such a field at its default.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(key, member)| (key, without_nulls(member)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
