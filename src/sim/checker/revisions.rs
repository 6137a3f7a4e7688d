//! Identity and history: I15, I19, I22.

use serde_json::{Value, json};
use std::sync::Arc;

use super::check::{Found, Write};
use super::facts::{HASH, hash, wanted};
use super::pace::{may_seem_young, restarting};
use crate::sim::api_server::journal::Entry;
use crate::sim::object;

/// The field of ours that a write changes: its name, the value before and the value after.
pub fn field(entry: &Entry) -> Option<(String, Value, Value)> {
    let (before, after) = (entry.before.as_deref()?, entry.after.as_deref()?);
    let pointer = match entry.kind.as_str() {
        "ReplicaSet" | "Deployment" => "/spec/replicas",
        "Service" => "/spec/selector",
        "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" => "/spec/rules",
        _ => return None,
    };
    let at = |value: &Value| object::at(value, pointer).cloned().unwrap_or(Value::Null);
    let (from, to) = (at(before), at(after));
    (from != to).then(|| (format!("{}/{}{pointer}", entry.kind, entry.name), from, to))
}

/// I15 One field, one owner: no sequence a→b→a written by us without an input in between. Where clocks are apart, a restart
/// that is due for one controller is not yet for another, and its extra pod goes and comes; and weights and sizes go and
/// come with pods that seem young.
pub fn i15(write: &Write<'_>) -> Found {
    let facts = write.before;
    let undue = write.is("ReplicaSet") && !facts.state.clocks_apart.is_zero() && restarting(facts);
    if undue || (!write.is("Service") && may_seem_young(facts)) {
        return Ok(());
    }
    let Some((name, from, to)) = field(write.entry) else { return Ok(()) };
    match write.past.fields.get(&name) {
        Some((a, b, inputs)) if *a == to && *b == from && *inputs == write.past.inputs => {
            Err(format!("{name} goes back from {from} to {to} without an input in between"))
        }
        _ => Ok(()),
    }
}

/// I19 Revision identity: a new ReplicaSet has the Rollout's template, and no other of R was made with the same. Where the Rollout
/// has changed since it was looked at, the ReplicaSet has one that it had, and no pods.
pub fn i19(write: &Write<'_>) -> Found {
    if !write.is("ReplicaSet") || write.entry.before.is_some() {
        return Ok(());
    }
    let template = |rs: &Value| {
        let mut template = object::at(rs, "/spec/template").cloned().unwrap_or_default();
        object::take(&mut template, &["metadata", "labels", HASH]);
        object::take(&mut template, &["metadata", "creationTimestamp"]);
        template
    };
    let new = template(write.made());
    let made = |rs: &Arc<Value>| write.past.made.get(object::uid(rs)).unwrap_or(rs).clone();
    let twin = write.before.sets().find(|rs| template(&made(rs)) == new);
    if let Some(twin) = twin {
        return Err(format!("a second ReplicaSet for the template of {}", object::name(twin)));
    }
    let source = super::workload::source(write.before);
    if source.is_none() && write.before.rollout.spec.workload_ref.is_some() {
        // A log that begins later than the workload does not show its template.
        return Ok(());
    }
    let source = source.map_or(write.before.value, |source| source);
    let wanted = ["/spec/template", "/template"].iter().find_map(|pointer| source.pointer(pointer));
    let wanted = wanted.cloned().unwrap_or_else(|| json!({}));
    let image = |template: &Value| template.pointer("/spec/containers/0/image").cloned();
    let had = write.past.images.iter().any(|had| Some(had) == image(&new).as_ref())
        && super::facts::wanted(write.made()) == 0;
    if image(&wanted) != image(&new) && !had {
        return Err(format!("a ReplicaSet of {:?} where {:?} is specified", image(&new), image(&wanted)));
    }
    Ok(())
}

/// I22 History GC: a deleted rs has replicas=0, no pods, is neither stable nor current nor selected, is beyond the limit
/// and outside the rollback window.
pub fn i22(write: &Write<'_>) -> Found {
    if !write.is("ReplicaSet") || write.entry.after.is_some() {
        return Ok(());
    }
    let (facts, gone) = (write.before, write.left());
    let status = &facts.rollout.status;
    let hash = hash(gone);
    // A view of pods that is late does not show those yet that are on their way out already.
    let goes = |pod: &Value| facts.state.late_views && object::at(pod, "/metadata/deletionTimestamp").is_some();
    let own = |pod: &&Arc<Value>| object::controller_uid(pod) == Some(object::uid(gone)) && !goes(pod);
    let pods = facts.state.list("Pod", facts.namespace()).filter(own).count();
    let limit = crate::rollout::defaults::history_limit(&facts.rollout);
    let old = facts.sets().filter(|rs| {
        let other = super::facts::hash(rs);
        other != status.stable_rs && other != status.current_pod_hash
    });
    let old = old.count();
    if facts.in_window(gone) {
        return Err(format!("{hash} is deleted although it lies inside the rollback window"));
    }
    if wanted(gone) > 0 || pods > 0 || hash == status.stable_rs || hash == status.current_pod_hash || old <= limit {
        return Err(format!(
            "{hash} is deleted: {} wanted, {pods} pods, {old} old ReplicaSets, limit {limit}",
            wanted(gone)
        ));
    }
    Ok(())
}
