//! Gathers what belongs to a Rollout, by owner references.

use serde_json::Value;

use super::experiment::{experiments_of, revision_of, runs_of};
use super::info::{ContainerInfo, InfoMeta, PodInfo, ReplicaSetInfo, RolloutInfo};
use super::objects::Objects;
use super::paint::{pod_icon, replica_set_icon, rollout_icon};
use super::{pod, weight};
use crate::api::meta::Meta;
use crate::api::names::SCALE_DOWN_DEADLINE;
use crate::api::{Pod, ReplicaSet, Rollout};
use crate::rollout::status::phase::{self, PhaseMessage, TemplateSource};

/// Annotation of an Experiment's ReplicaSets: the template that they run.
const EXPERIMENT_TEMPLATE: &str = "experiment.argoproj.io/template-name";
const NEVER: &str = "Never";

/// Whether one of the owners is the object with this identity.
pub(super) fn is_owned(meta: &Meta, uid: &str) -> bool {
    !uid.is_empty() && meta.owner_references.iter().any(|owner| owner.uid == uid)
}

/// Everything that the objects say of a Rollout.
pub fn rollout_info(rollout: &Rollout, objects: &Objects) -> RolloutInfo {
    let PhaseMessage { phase, message } = phase::client(rollout, TemplateSource::Own);
    let (spec, status) = (&rollout.spec, &rollout.status);
    let template = spec.template.value();
    let mut info = RolloutInfo {
        object_meta: InfoMeta::full(&rollout.metadata),
        icon: rollout_icon(phase).to_owned(),
        status: phase.to_owned(),
        message,
        ready: status.ready_replicas,
        current: status.replicas,
        desired: spec.replicas.unwrap_or(1),
        updated: status.updated_replicas,
        available: status.available_replicas,
        restarted_at: status.restarted_at.map_or_else(|| NEVER.to_owned(), |time| go_time(&time.to_string())),
        generation: status.observed_generation.to_string(),
        replica_sets: replica_sets_of(&rollout.metadata.uid, Some(rollout), objects),
        experiments: experiments_of(&rollout.metadata.uid, objects),
        analysis_runs: runs_of(&rollout.metadata.uid, objects),
        containers: containers(&template, "/spec/containers"),
        init_containers: containers(&template, "/spec/initContainers"),
        ..RolloutInfo::default()
    };
    describe_strategy(rollout, &mut info);
    info
}

fn describe_strategy(rollout: &Rollout, info: &mut RolloutInfo) {
    let strategy = &rollout.spec.strategy;
    if let Some(canary) = &strategy.canary {
        "Canary".clone_into(&mut info.strategy);
        info.step = weight::step(rollout).unwrap_or_default();
        if rollout.status.current_step_index.is_some() {
            info.steps = canary.steps.clone().unwrap_or_default();
        }
        info.set_weight = weight::set_weight(rollout).to_string();
        let available = info.replica_sets.iter().rev().find(|replica_set| replica_set.canary).map(|set| set.available);
        info.actual_weight = weight::actual_weight(rollout, available).to_string();
    } else if strategy.blue_green.is_some() {
        "BlueGreen".clone_into(&mut info.strategy);
    }
}

/// `2026-03-02T00:00:00Z` as Go prints a time.
fn go_time(rfc3339: &str) -> String {
    format!("{} +0000 UTC", rfc3339.trim_end_matches('Z').replace('T', " "))
}

fn containers(template: &Value, pointer: &str) -> Vec<ContainerInfo> {
    let text =
        |container: &Value, name: &str| container.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = template.pointer(pointer).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|container| ContainerInfo { name: text(container, "name"), image: text(container, "image") })
        .collect()
}

/// ReplicaSets of an owner, newest revision first, then by name. Only a Rollout gives them parts to play.
pub(super) fn replica_sets_of(uid: &str, rollout: Option<&Rollout>, objects: &Objects) -> Vec<ReplicaSetInfo> {
    let owned = objects.replica_sets.iter().filter(|replica_set| is_owned(&replica_set.metadata, uid));
    let mut infos: Vec<ReplicaSetInfo> = owned
        .map(|replica_set| {
            let mut info = replica_set_info(replica_set, &objects.pods);
            if let Some(rollout) = rollout {
                assign_parts(rollout, replica_set.pod_hash(), &mut info);
            }
            info
        })
        .collect();
    infos.sort_by(|a, b| b.revision.cmp(&a.revision).then_with(|| a.object_meta.name.cmp(&b.object_meta.name)));
    infos
}

fn replica_set_info(replica_set: &ReplicaSet, pods: &[Pod]) -> ReplicaSetInfo {
    let meta = &replica_set.metadata;
    let status = replica_set_state(replica_set);
    let template = replica_set.spec.template.value();
    let images = |pointer| {
        let containers = containers(&template, pointer);
        containers.into_iter().map(|container| container.image).collect::<Vec<_>>()
    };
    let annotation = |key: &str| meta.annotation(key).unwrap_or_default().to_owned();
    let mut owned: Vec<&Pod> = pods.iter().filter(|pod| is_owned(&pod.metadata, &meta.uid)).collect();
    owned.sort_by_key(|pod| (pod.metadata.creation_timestamp, pod.metadata.name.clone()));
    ReplicaSetInfo {
        object_meta: InfoMeta::brief(meta),
        status: status.to_owned(),
        icon: replica_set_icon(status).to_owned(),
        revision: revision_of(meta),
        replicas: replica_set.status.replicas,
        available: replica_set.status.available_replicas,
        template: annotation(EXPERIMENT_TEMPLATE),
        scale_down_deadline: annotation(SCALE_DOWN_DEADLINE),
        images: images("/spec/containers"),
        init_container_images: images("/spec/initContainers"),
        pods: owned.into_iter().map(pod_info).collect(),
        ..ReplicaSetInfo::default()
    }
}

fn replica_set_state(replica_set: &ReplicaSet) -> &'static str {
    let status = &replica_set.status;
    if replica_set.metadata.generation > status.observed_generation {
        return "Progressing";
    }
    let failure = status.conditions.iter().find(|condition| condition.kind == "ReplicaFailure");
    if failure.is_some_and(|condition| condition.status == "True") {
        return "ReplicaFailure";
    }
    match replica_set.spec.replicas {
        Some(wanted) if status.available_replicas < wanted => "Progressing",
        Some(0) => "ScaledDown",
        _ => "Healthy",
    }
}

fn assign_parts(rollout: &Rollout, hash: &str, info: &mut ReplicaSetInfo) {
    let status = &rollout.status;
    if let Some(canary) = &rollout.spec.strategy.canary {
        info.stable = status.stable_rs == hash;
        info.canary = !info.stable && status.current_pod_hash == hash;
        if canary.ping_pong.is_some() && (info.stable || info.canary) {
            let stable_is_ping = status.canary.stable_ping_pong == "ping";
            info.ping = stable_is_ping == info.stable;
            info.pong = !info.ping;
        }
    }
    if rollout.spec.strategy.blue_green.is_some() {
        info.stable = status.stable_rs == hash;
        info.active = status.blue_green.active_selector == hash;
        info.preview = !info.active && status.blue_green.preview_selector == hash;
    }
}

fn pod_info(pod: &Pod) -> PodInfo {
    let summary = pod::summary(pod);
    PodInfo {
        object_meta: InfoMeta::brief(&pod.metadata),
        icon: pod_icon(&summary.status).to_owned(),
        status: summary.status,
        ready: format!("{}/{}", summary.ready, summary.total),
        restarts: summary.restarts,
    }
}
