//! Settings of the traffic routers and other parts that the wire types keep raw, with every field named.
//!
//! The wire types keep these as JSON text, because each router reads its own part. The API server and `lint` still
//! must know every field: an undeclared one would be pruned, and a misspelt one would pass. Source: api-rollout §1.5.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::build::plain;
use super::structural::{ends_with, replace};
use crate::api::RawJson;
use crate::api::time::Time;
use crate::api::traffic_routing::GatewayApi;
use crate::api::wire::wire;

wire! {
    /// Istio.
    pub struct Istio {
        /// One VirtualService.
        pub virtual_service: Option<IstioVirtualService>,
        /// Several VirtualServices.
        pub virtual_services: Vec<IstioVirtualService>,
        /// Subsets instead of Services.
        pub destination_rule: Option<IstioDestinationRule>,
    }

    /// A VirtualService with the routes that carry the weights.
    pub struct IstioVirtualService {
        /// Name, or `name.namespace`.
        pub name: String,
        /// Names of HTTP routes; empty: the only one.
        pub routes: Vec<String>,
        /// TLS routes.
        pub tls_routes: Vec<IstioTlsRoute>,
        /// TCP routes.
        pub tcp_routes: Vec<IstioTcpRoute>,
    }

    /// TLS routes by port and host.
    pub struct IstioTlsRoute {
        /// Port.
        pub port: i64,
        /// Hosts of the TLS handshake.
        pub sni_hosts: Vec<String>,
    }

    /// TCP routes by port.
    pub struct IstioTcpRoute {
        /// Port.
        pub port: i64,
    }

    /// A DestinationRule with its subsets.
    pub struct IstioDestinationRule {
        /// Its name.
        pub name: String,
        /// Subset of the canary pods.
        pub canary_subset_name: String,
        /// Subset of the stable pods.
        pub stable_subset_name: String,
        /// Further subsets.
        pub additional_subset_names: Vec<String>,
    }

    /// NGINX Ingress.
    pub struct Nginx {
        /// Prefix of the annotations; absent counts as `nginx.ingress.kubernetes.io`.
        pub annotation_prefix: String,
        /// Ingress of the stable revision.
        pub stable_ingress: String,
        /// Ingresses of the stable revision.
        pub stable_ingresses: Vec<String>,
        /// Annotations of the canary Ingress, without the prefix.
        pub additional_ingress_annotations: BTreeMap<String, String>,
        /// Annotations of the canary Ingress, as they are.
        pub canary_ingress_annotations: BTreeMap<String, String>,
    }

    /// AWS load balancer controller.
    pub struct Alb {
        /// The Ingress.
        pub ingress: String,
        /// The Ingresses.
        pub ingresses: Vec<String>,
        /// Port of the Services.
        pub service_port: i32,
        /// Service that the Ingress names; absent counts as the stable one.
        pub root_service: String,
        /// Prefix of the annotations; absent counts as `alb.ingress.kubernetes.io`.
        pub annotation_prefix: String,
        /// Keep users on their side.
        pub stickiness_config: Option<AlbStickiness>,
    }

    /// Keep users on their side.
    pub struct AlbStickiness {
        /// Whether to.
        pub enabled: bool,
        /// For how long.
        pub duration_seconds: i64,
    }

    /// Service Mesh Interface.
    pub struct Smi {
        /// Service that clients use; absent counts as the stable one.
        pub root_service: String,
        /// Name of the TrafficSplit; absent counts as the Rollout's.
        pub traffic_split_name: String,
    }

    /// Ambassador.
    pub struct Ambassador {
        /// Mappings; at least one.
        pub mappings: Vec<String>,
    }

    /// AWS App Mesh.
    pub struct AppMesh {
        /// The VirtualService.
        pub virtual_service: Option<AppMeshVirtualService>,
        /// The two virtual nodes.
        pub virtual_node_group: Option<AppMeshNodeGroup>,
    }

    /// A VirtualService with its routes.
    pub struct AppMeshVirtualService {
        /// Its name.
        pub name: String,
        /// Routes of its VirtualRouter; empty: all.
        pub routes: Vec<String>,
    }

    /// The two virtual nodes.
    pub struct AppMeshNodeGroup {
        /// Node of the canary.
        pub canary_virtual_node_ref: Option<NameRef>,
        /// Node of the stable revision.
        pub stable_virtual_node_ref: Option<NameRef>,
    }

    /// An object by name.
    pub struct NameRef {
        /// Its name.
        pub name: String,
    }

    /// Traefik.
    pub struct Traefik {
        /// The weighted TraefikService.
        pub weighted_traefik_service_name: String,
    }

    /// Apache APISIX.
    pub struct Apisix {
        /// The ApisixRoute.
        pub route: Option<ApisixRoute>,
    }

    /// An ApisixRoute with its rules.
    pub struct ApisixRoute {
        /// Its name.
        pub name: String,
        /// Its rules; empty: all.
        pub rules: Vec<String>,
    }

    /// Target groups of an Ingress.
    pub struct AlbStatus {
        /// The Ingress.
        pub ingress: String,
        /// The load balancer.
        pub load_balancer: Option<AwsResource>,
        /// Target group of the canary.
        pub canary_target_group: Option<AwsResource>,
        /// Target group of the stable revision.
        pub stable_target_group: Option<AwsResource>,
    }

    /// A resource of AWS.
    pub struct AwsResource {
        /// Its name.
        pub name: String,
        /// Its identity.
        #[serde(rename = "arn")]
        pub arn: String,
        /// Its name with its identity.
        pub full_name: String,
    }

    /// State of a step plugin.
    pub struct StepPluginStatus {
        /// Index of the step.
        pub index: i32,
        /// Name of the plugin.
        pub name: String,
        /// `Run`, `Terminate` or `Abort`.
        pub operation: String,
        /// `Running`, `Successful`, `Failed` or `Error`.
        pub phase: String,
        /// Why.
        pub message: String,
        /// Beginning.
        pub started_at: Option<Time>,
        /// Last change.
        pub updated_at: Option<Time>,
        /// End.
        pub finished_at: Option<Time>,
        /// Time until the next call (Go duration).
        pub backoff: String,
        /// Calls so far.
        pub executions: i32,
        /// Whether the plugin is switched off.
        pub disabled: bool,
        /// What the plugin keeps.
        pub status: RawJson,
    }
}

/// Paths of the fields that a router's settings do not know.
type Unknown = fn(&Value) -> Vec<String>;

/// The routers by their key under `trafficRouting`, with the fields that their settings do not know.
pub const ROUTERS: &[(&str, Unknown)] = &[
    ("istio", crate::api::unknown::ignored::<Istio>),
    ("nginx", crate::api::unknown::ignored::<Nginx>),
    ("alb", crate::api::unknown::ignored::<Alb>),
    ("smi", crate::api::unknown::ignored::<Smi>),
    ("ambassador", crate::api::unknown::ignored::<Ambassador>),
    ("appMesh", crate::api::unknown::ignored::<AppMesh>),
    ("traefik", crate::api::unknown::ignored::<Traefik>),
    ("apisix", crate::api::unknown::ignored::<Apisix>),
    ("gatewayAPI", crate::api::unknown::ignored::<GatewayApi>),
];

fn of_router(name: &str) -> Option<Value> {
    Some(match name {
        "istio" => plain::<Istio>(),
        "nginx" => plain::<Nginx>(),
        "alb" => plain::<Alb>(),
        "smi" => plain::<Smi>(),
        "ambassador" => plain::<Ambassador>(),
        "appMesh" => plain::<AppMesh>(),
        "traefik" => plain::<Traefik>(),
        "apisix" => plain::<Apisix>(),
        "gatewayAPI" => plain::<GatewayApi>(),
        "plugins" => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        _ => return None,
    })
}

/// Puts a named schema in place of a raw one.
pub(super) fn place(path: &[String], node: &mut Value) {
    let parent = path.len().checked_sub(2).and_then(|at| path.get(at)).map(String::as_str);
    let name = path.last().map(String::as_str).unwrap_or_default();
    let placed = if parent == Some("trafficRouting") {
        of_router(name)
    } else if ends_with(path, "provider.plugin") {
        Some(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}))
    } else if ends_with(path, "status.alb") || ends_with(path, "status.albs[]") {
        Some(plain::<AlbStatus>())
    } else if ends_with(path, "canary.stepPluginStatuses[]") {
        Some(plain::<StepPluginStatus>())
    } else {
        None
    };
    if let Some(placed) = placed {
        replace(node, placed);
    }
}
