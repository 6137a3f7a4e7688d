//! Installing a definition by hand, as an installer does: what it then brings is in [`schema`](super::schema).

use std::sync::Arc;

use serde_json::{Value, json};

use super::reject::Reject;
use super::server::ApiServer;
use crate::sim::object;

impl ApiServer {
    /// Installs a definition of a custom kind, or replaces it: from now on its schema holds for the kind.
    ///
    /// # Errors
    /// Where the definition is malformed.
    pub fn define(&self, definition: Value) -> Result<Arc<Value>, Reject> {
        const KIND: &str = "CustomResourceDefinition";
        let hand = self.hand("installer");
        let Some(present) = hand.get(KIND, "", object::name(&definition)) else {
            return hand.create(KIND, definition);
        };
        let mut next = definition;
        object::put(
            &mut next,
            &["metadata", "resourceVersion"],
            json!(object::text(&present, "/metadata/resourceVersion")),
        );
        hand.replace(KIND, next)
    }
}
