//! The term that keeps pods of an update off the nodes of the stable revision.
//!
//! It is added when a ReplicaSet is created, and stays after promotion: taking it off would change the template, and
//! with it the pods, for nothing. Source: contract, behaviour §14.

use serde_json::{Value, json};

use super::equality::{InjectedTerm, PREFERRED, REQUIRED, names_hash};
use crate::api::names;
use crate::api::rollout::{AntiAffinity, Rollout};
use crate::rollout::cast::Revision;

/// Pods on one node are those with the same value of this label.
const TOPOLOGY: &str = "kubernetes.io/hostname";

/// Which list gets the term, and the weight of a preference; a canary's setting goes before that of blue-green.
fn configured(rollout: &Rollout) -> Option<(InjectedTerm, i32)> {
    let strategy = &rollout.spec.strategy;
    let canary = strategy.canary.as_ref().and_then(|canary| canary.anti_affinity.as_ref());
    let blue_green = || strategy.blue_green.as_ref().and_then(|blue_green| blue_green.anti_affinity.as_ref());
    let AntiAffinity {
        preferred_during_scheduling_ignored_during_execution: preferred,
        required_during_scheduling_ignored_during_execution: required,
    } = canary.or_else(blue_green)?;
    let preferred = preferred.as_ref().map(|preferred| (InjectedTerm::Preferred, preferred.weight));
    preferred.or_else(|| required.as_ref().map(|_| (InjectedTerm::Required, 0)))
}

const fn list(kind: InjectedTerm) -> &'static str {
    match kind {
        InjectedTerm::Preferred => PREFERRED,
        InjectedTerm::Required | InjectedTerm::None => REQUIRED,
    }
}

/// Adds the term against the stable revision to the template of a revision with this hash. Nothing is added where
/// there is no stable revision, or where it is this one.
pub fn inject(rollout: &Rollout, hash: &str, template: &mut Value) {
    let stable = &rollout.status.stable_rs;
    let Some((kind, weight)) = configured(rollout).filter(|_| !stable.is_empty() && stable != hash) else { return };
    let against = json!({
        "labelSelector": {"matchExpressions": [{"key": names::POD_HASH, "operator": "In", "values": [stable]}]},
        "namespaces": [rollout.metadata.namespace],
        "topologyKey": TOPOLOGY,
    });
    let term = match kind {
        InjectedTerm::Preferred => json!({"weight": weight, "podAffinityTerm": against}),
        InjectedTerm::Required | InjectedTerm::None => against,
    };
    let mut place = template;
    for key in ["spec", "affinity", "podAntiAffinity"] {
        if !place.get(key).is_some_and(Value::is_object) {
            place[key] = json!({});
        }
        place = &mut place[key];
    }
    match place.get_mut(list(kind)).and_then(Value::as_array_mut) {
        Some(terms) => terms.push(term),
        None => place[list(kind)] = json!([term]),
    }
}

/// The list with the term about today's stable revision, where an update's ReplicaSet names a former one.
pub fn refreshed(rollout: &Rollout, new: &Revision) -> Option<Value> {
    let stable = &rollout.status.stable_rs;
    let (kind, _) = configured(rollout).filter(|_| !stable.is_empty() && stable != new.hash())?;
    // The text tells in nearly every case that there is nothing to do; parsing a template costs more than a decision.
    let text = new.rs.spec.template.text();
    if text.contains(&format!("\"{stable}\"")) || !text.contains(&format!("\"key\":\"{}\"", names::POD_HASH)) {
        return None;
    }
    let template = new.rs.spec.template.value();
    let mut terms = template.pointer("/spec/affinity/podAntiAffinity")?.get(list(kind))?.as_array()?.clone();
    let term = terms.iter_mut().find(|term| names_hash(term, kind))?;
    let term = if kind == InjectedTerm::Preferred { term.get_mut("podAffinityTerm")? } else { term };
    let expressions = term.pointer_mut("/labelSelector/matchExpressions")?.as_array_mut()?;
    let expression = expressions.iter_mut().find(|e| e.get("key").and_then(Value::as_str) == Some(names::POD_HASH))?;
    expression["values"] = json!([stable]);
    Some(json!({list(kind): terms}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::revision::equality::same_template;

    fn rollout(affinity: &Value) -> Rollout {
        let rollout = json!({
            "metadata": {"name": "shop", "namespace": "default"},
            "spec": {"strategy": {"canary": {"antiAffinity": affinity}}},
            "status": {"stableRS": "5d8"},
        });
        serde_json::from_value(rollout).unwrap()
    }

    fn settings() -> [Value; 2] {
        [json!({PREFERRED: {"weight": 3}}), json!({REQUIRED: {}})]
    }

    #[test]
    fn the_term_is_no_change_of_the_template() {
        let own = json!({"weight": 1, "podAffinityTerm": {"topologyKey": "zone"}});
        let plain = json!({"spec": {"containers": [{"name": "a", "image": "a"}]}});
        let mut busy = plain.clone();
        busy["spec"]["affinity"] = json!({"podAntiAffinity": {PREFERRED: [own]}, "nodeAffinity": {}});
        for setting in settings() {
            let rollout = rollout(&setting);
            // As `find` reads it.
            let injected = InjectedTerm::of_strategy(&serde_json::to_value(&rollout.spec.strategy).unwrap());
            for template in [&plain, &busy] {
                let mut stored = template.clone();
                inject(&rollout, "77c", &mut stored);
                // As the API server stores it.
                crate::rollout::revision::defaults::apply(&mut stored);
                assert_ne!(stored, *template);
                assert!(same_template(&stored, template, None, injected), "{stored}");
                let mut other = stored.clone();
                inject(&rollout, "5d8", &mut other);
                assert_eq!(other, stored, "the stable revision does not avoid itself");
            }
        }
    }

    #[test]
    fn only_a_former_hash_is_replaced() {
        for setting in settings() {
            let mut rollout = rollout(&setting);
            let mut template = json!({"spec": {}});
            inject(&rollout, "77c", &mut template);
            let rs =
                json!({"metadata": {"name": "a", "labels": {names::POD_HASH: "77c"}}, "spec": {"template": template}});
            let new = Revision {
                rs: std::sync::Arc::new(serde_json::from_value(rs).unwrap()),
                pods: Vec::new(),
                size: crate::rollout::size::Size::default(),
                ready: 0,
            };
            assert_eq!(refreshed(&rollout, &new), None);
            rollout.status.stable_rs = "9f1".to_owned();
            let list = refreshed(&rollout, &new).unwrap();
            assert!(list.to_string().contains(r#""values":["9f1"]"#) && !list.to_string().contains("5d8"), "{list}");
            rollout.status.stable_rs = "77c".to_owned();
            assert_eq!(refreshed(&rollout, &new), None, "once promoted it stays as it is");
        }
    }
}
