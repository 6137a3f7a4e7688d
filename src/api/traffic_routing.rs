//! `trafficRouting`: which routers carry the weights.

use std::collections::BTreeMap;

use super::raw::RawJson;
use super::selector::LabelSelector;
use super::wire::wire;

wire! {
    /// The routers of a canary; several may be configured together.
    pub struct TrafficRouting {
        /// Istio.
        pub istio: Option<RawJson>,
        /// NGINX Ingress.
        pub nginx: Option<RawJson>,
        /// AWS load balancer controller.
        pub alb: Option<RawJson>,
        /// Service Mesh Interface.
        pub smi: Option<RawJson>,
        /// Ambassador.
        pub ambassador: Option<RawJson>,
        /// AWS App Mesh.
        pub app_mesh: Option<RawJson>,
        /// Traefik.
        pub traefik: Option<RawJson>,
        /// Apache APISIX.
        pub apisix: Option<RawJson>,
        /// Routers by plugin name; `argoproj-labs/gatewayAPI` is built in.
        pub plugins: Option<BTreeMap<String, RawJson>>,
        /// Gateway API, Siskin's native key.
        #[serde(rename = "gatewayAPI")]
        pub gateway_api: Option<RawJson>,
        /// Names of header and mirror routes, in order of precedence.
        pub managed_routes: Option<Vec<ManagedRoute>>,
        /// Weight that stands for all traffic; absent counts as 100.
        pub max_traffic_weight: Option<i32>,
    }

    /// A route that Siskin may create and remove.
    pub struct ManagedRoute {
        /// Its name.
        pub name: String,
    }

    /// Settings of the Gateway API router.
    pub struct GatewayApi {
        /// One HTTPRoute, with header routes.
        pub http_route: String,
        /// One GRPCRoute, with header routes.
        pub grpc_route: String,
        /// One TCPRoute.
        pub tcp_route: String,
        /// One TLSRoute.
        pub tls_route: String,
        /// Namespace of all routes; empty: the Rollout's.
        pub namespace: String,
        /// HTTPRoutes.
        pub http_routes: Vec<GatewayRoute>,
        /// GRPCRoutes.
        pub grpc_routes: Vec<GatewayRoute>,
        /// TCPRoutes.
        pub tcp_routes: Vec<GatewayRoute>,
        /// TLSRoutes.
        pub tls_routes: Vec<GatewayRoute>,
        /// HTTPRoutes by label.
        pub http_route_selector: Option<LabelSelector>,
        /// GRPCRoutes by label.
        pub grpc_route_selector: Option<LabelSelector>,
        /// TCPRoutes by label.
        pub tcp_route_selector: Option<LabelSelector>,
        /// TLSRoutes by label.
        pub tls_route_selector: Option<LabelSelector>,
        /// Leave the in-progress label alone.
        pub disable_in_progress_label: bool,
        /// Key of the in-progress label.
        pub in_progress_label_key: String,
        /// Value of the in-progress label.
        pub in_progress_label_value: String,
        /// State of old plugin versions; accepted and without effect.
        pub config_map: String,
    }

    /// A route by name.
    pub struct GatewayRoute {
        /// Its name.
        pub name: String,
        /// Whether header routes are put on it.
        pub use_header_routes: bool,
    }
}

/// The key under `plugins` that names the Gateway API router.
pub const GATEWAY_API_PLUGIN: &str = "argoproj-labs/gatewayAPI";
