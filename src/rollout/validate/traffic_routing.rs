//! Which routers a canary names, and what that allows.

use super::read::{integer, list, object};
use serde_json::Value;

/// Weights go up to this unless `maxTrafficWeight` says otherwise.
const MAX_WEIGHT: i64 = 100;

/// A canary's `trafficRouting`, which may be absent.
#[derive(Debug, Clone, Copy)]
pub struct TrafficRouting<'a>(Option<&'a Value>);

impl<'a> TrafficRouting<'a> {
    pub fn of(canary: &'a Value) -> Self {
        Self(object(canary, "trafficRouting"))
    }

    pub const fn is_set(self) -> bool {
        self.0.is_some()
    }

    /// The configuration of the router with this key.
    pub fn router(self, key: &str) -> Option<&'a Value> {
        object(self.0?, key)
    }

    pub fn has(self, key: &str) -> bool {
        self.router(key).is_some()
    }

    /// Whether a plugin routes. The native `gatewayAPI` stands for the plugin that it replaces.
    pub fn has_plugin(self) -> bool {
        let plugins = self.router("plugins").and_then(Value::as_object);
        plugins.is_some_and(|plugins| !plugins.is_empty()) || self.has("gatewayAPI")
    }

    /// Whether one of the routers, or a plugin, is there.
    pub fn has_any(self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key)) || self.has_plugin()
    }

    /// The routes that steps may manage; none when the list is absent.
    pub fn managed_routes(self) -> Option<&'a [Value]> {
        let routing = self.0?;
        routing.get("managedRoutes").filter(|v| v.is_array()).map(|_| list(routing, "managedRoutes"))
    }

    pub fn max_weight_given(self) -> Option<i64> {
        integer(self.0?, "maxTrafficWeight")
    }

    pub fn max_weight(self) -> i64 {
        self.max_weight_given().unwrap_or(MAX_WEIGHT)
    }
}
