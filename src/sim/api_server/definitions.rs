//! Definitions of custom kinds, as far as a schema has an effect here: a status that it does not know is pruned.

use std::sync::Arc;

use serde_json::Value;

use super::kinds::ResourceDef;
use super::reject::Reject;
use super::server::ApiServer;
use crate::sim::object;

/// The field whose pruning is modelled: that of a controller which writes more than the installed schema knows.
const OWN: &str = "siskin";

impl ApiServer {
    /// Installs a definition of a kind that is served here, or replaces it: from now on writes of the kind are pruned by it.
    ///
    /// # Errors
    /// Where the definition is malformed, or its kind is none that this server has.
    pub fn define(&self, definition: Value) -> Result<Arc<Value>, Reject> {
        let kind = object::text(&definition, "/spec/names/kind").to_owned();
        let name = object::name(&definition).to_owned();
        let prunes = prunes(&definition);
        self.change(|store| {
            let resource = store.resource_of(&kind)?;
            let def = ResourceDef { prunes, ..(*store.def(&resource)?).clone() };
            store.register(def);
            Ok::<(), Reject>(())
        })?;
        let hand = self.hand("installer");
        match hand.get("CustomResourceDefinition", "", &name) {
            Some(_) => hand.replace("CustomResourceDefinition", definition),
            None => hand.create("CustomResourceDefinition", definition),
        }
    }
}

/// Paths that structural pruning takes away on every write.
fn prunes(definition: &Value) -> Vec<Vec<String>> {
    let Some(schema) = definition.pointer("/spec/versions/0/schema/openAPIV3Schema") else { return Vec::new() };
    let status = schema.pointer("/properties/status").unwrap_or(schema);
    let kept = status["x-kubernetes-preserve-unknown-fields"] == true || status["properties"].get(OWN).is_some();
    if kept { Vec::new() } else { vec![vec!["status".to_owned(), OWN.to_owned()]] }
}
