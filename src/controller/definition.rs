//! Whether the installed definition of Rollouts keeps `status.siskin`: read from its schema, once, at the start.

use std::time::Duration;

use serde_json::Value;

use crate::api::{Kind as _, Rollout};
use crate::rollout::settings::OwnStatus;
use crate::runtime::client::{Api, Resource, Target};
use crate::runtime::clock::Clock;
use crate::runtime::limiter::Class;
use crate::runtime::object::{Json, ObjectKey};

/// Name of the definition.
pub const ROLLOUTS: &str = "rollouts.argoproj.io";
/// Reads that fail for no reason of the definition's own, before nobody knows.
const TRIES: u32 = 3;
/// Time between them.
const BETWEEN: Duration = Duration::from_secs(1);
/// What to do where it is pruned.
const REMEDY: &str = "apply the definitions of `siskin crds`, then restart the controller";

/// Reads the definition; says in the log what follows where the record is not kept. What nobody knows counts as pruned.
pub async fn own_status(api: &Api, clock: &Clock) -> OwnStatus {
    let resource = Resource::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    let target = Target::new(resource, ObjectKey::new("", ROLLOUTS));
    for last in (0..TRIES).rev() {
        match api.get::<Json>(Class::Decision, &target).await {
            Ok(definition) if keeps(&definition.value()) => return OwnStatus::Kept,
            Ok(_) => {
                tracing::warn!(
                    "the installed definition {ROLLOUTS} prunes status.siskin: blockers are only in the log, and \
                     waits begin anew after a restart; {REMEDY}"
                );
                return OwnStatus::Pruned;
            }
            Err(error) if last == 0 || error.is_not_found() || error.is_forbidden() => {
                tracing::warn!(
                    %error, "cannot read the definition {ROLLOUTS}: status.siskin counts as pruned, and waits begin \
                     anew after a restart; grant `get` on it (`siskin rbac`), then restart the controller"
                );
                return OwnStatus::Pruned;
            }
            Err(error) => {
                tracing::debug!(%error, "cannot read the definition {ROLLOUTS}; trying again");
                clock.sleep(BETWEEN).await;
            }
        }
    }
    OwnStatus::Pruned
}

/// Whether a definition keeps `status.siskin` in the version that we speak.
fn keeps(definition: &Value) -> bool {
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array);
    let served = |version: &&Value| {
        version.get("name").and_then(Value::as_str) == Some(Rollout::VERSION)
            && version.get("served").and_then(Value::as_bool) == Some(true)
    };
    let Some(version) = versions.into_iter().flatten().find(served) else { return false };
    let Some(schema) = version.pointer("/schema/openAPIV3Schema") else { return false };
    let preserves = |node: Option<&Value>| {
        let node = node.and_then(|node| node.get("x-kubernetes-preserve-unknown-fields"));
        node.and_then(Value::as_bool) == Some(true)
    };
    let status = schema.pointer("/properties/status");
    let declared = status.and_then(|status| status.pointer("/properties/siskin")).is_some();
    // Nothing is pruned where the definition says so as a whole, as those from before structural schemas do.
    let never = definition.pointer("/spec/preserveUnknownFields").and_then(Value::as_bool) == Some(true);
    // Below a declared status, what the root preserves are only fields beside it.
    declared || preserves(status) || (status.is_none() && preserves(Some(schema))) || never
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition(schema: &Value) -> Value {
        json!({"spec": {"versions": [
            {"name": "v1alpha1", "served": true, "schema": {"openAPIV3Schema": schema}},
            {"name": "v1", "served": true, "schema": {"openAPIV3Schema": {"x-kubernetes-preserve-unknown-fields": true}}},
        ]}})
    }

    #[test]
    fn schemas_tell_what_is_kept() {
        let preserve = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let closed = json!({"type": "object", "properties": {"phase": {"type": "string"}}});
        let open = json!({"type": "object", "properties": {"siskin": {"type": "object"}}});
        let root = |status: &Value| json!({"type": "object", "properties": {"status": status}});
        for (schema, kept) in [
            (root(&closed), false),
            (root(&open), true),
            (root(&preserve), true),
            (preserve.clone(), true),
            (json!({"type": "object", "properties": {"spec": preserve}}), false),
            (json!({"properties": {"status": closed}, "x-kubernetes-preserve-unknown-fields": true}), false),
        ] {
            assert_eq!(keeps(&definition(&schema)), kept, "{schema}");
        }
        let mut old = definition(&root(&closed));
        old["spec"]["preserveUnknownFields"] = json!(true);
        assert!(keeps(&old));
        let mut unserved = definition(&root(&open));
        unserved["spec"]["versions"][0]["served"] = json!(false);
        assert!(!keeps(&unserved));
        assert!(!keeps(&json!({})));
    }

    #[test]
    fn our_own_definition_keeps_it() {
        let ours = crate::api::crd::crds().into_iter().find(|crd| crd["metadata"]["name"] == ROLLOUTS);
        assert!(keeps(&ours.unwrap()));
    }
}
