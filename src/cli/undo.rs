//! `undo`: back to the pod template of an earlier revision. Source: cli §2.2.

use serde_json::{Value, json};

use super::client::{Cluster, DEPLOYMENTS, POD_TEMPLATES, Part, PatchKind, REPLICA_SETS, ROLLOUTS, Resource};
use super::explain::explain;
use super::failure::Failure;
use super::session::Session;
use super::view::objects::read;
use crate::api::names::{POD_HASH, REVISION};
use crate::api::{ReplicaSet, Rollout};

/// Go back to the pod template of an earlier revision
///
/// It is rolled out like any other change, step by step, unless spec.rollbackWindow lets it skip the steps.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  siskin undo checkout\n  siskin undo checkout --to-revision 3")]
pub struct Undo {
    /// Name of a Rollout.
    #[arg(value_name = "NAME")]
    name: String,
    /// Revision to go back to; 0: the one before the latest.
    #[arg(long, default_value_t = 0, value_name = "N")]
    to_revision: i64,
}

impl Undo {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let cluster = session.cluster().await?;
        let stored = fetch(&cluster, ROLLOUTS, &self.name).await?;
        let rollout: Rollout = read(ROLLOUTS.kind, &stored)?;
        let revisions = revisions(&cluster, &rollout).await?;
        let (revision, template) = chosen(&self.name, revisions, self.to_revision)?;
        let (resource, target) = target(&rollout)?;
        let current = if resource == ROLLOUTS { stored } else { fetch(&cluster, resource, &target).await? };
        let path = if resource == POD_TEMPLATES { "/template" } else { "/spec/template" };
        if derives(current.pointer(path).unwrap_or(&Value::Null), &template) {
            let number = if self.to_revision > 0 { self.to_revision } else { revision };
            let text = format!("skipped rollback (current template already matches revision {number})");
            session.console.print(&text);
            return Ok(());
        }
        let patch = json!([{"op": "replace", "path": path, "value": template}]);
        if let Err(refused) = cluster.patch((resource, &target, Part::Main), PatchKind::Json, &patch).await {
            return Err(explain(&cluster, refused).await);
        }
        session.console.print(&format!("rollout '{}' undo\n", self.name));
        Ok(())
    }
}

async fn fetch(cluster: &Cluster, resource: Resource, name: &str) -> Result<Value, Failure> {
    match cluster.get(resource, name).await {
        Ok(stored) => Ok(stored),
        Err(refused) => Err(explain(cluster, refused).await),
    }
}

/// The object whose template is replaced.
fn target(rollout: &Rollout) -> Result<(Resource, String), Failure> {
    let Some(workload) = &rollout.spec.workload_ref else { return Ok((ROLLOUTS, rollout.metadata.name.clone())) };
    let resource = match workload.kind.as_str() {
        "Deployment" => DEPLOYMENTS,
        "ReplicaSet" => REPLICA_SETS,
        "PodTemplate" => POD_TEMPLATES,
        kind => return Err(Failure::new(format!("workload of type {kind} is not supported"))),
    };
    Ok((resource, workload.name.clone()))
}

/// The Rollout's revisions with their templates, latest first.
async fn revisions(cluster: &Cluster, rollout: &Rollout) -> Result<Vec<(i64, Value)>, Failure> {
    let selector = rollout.spec.selector.as_ref().filter(|selector| !selector.is_empty());
    let query = selector.map(|selector| format!("labelSelector={}", encoded(&selector.format()))).unwrap_or_default();
    let listed = match cluster.list(REPLICA_SETS, Some(&cluster.namespace), &query).await {
        Ok(listed) => listed,
        Err(refused) => return Err(explain(cluster, refused).await),
    };
    let mut revisions = Vec::new();
    for value in &listed {
        let set: ReplicaSet = read(REPLICA_SETS.kind, value)?;
        let owned = set.metadata.controller().is_some_and(|owner| owner.uid == rollout.metadata.uid);
        let revision = set.metadata.annotation(REVISION).and_then(|text| text.parse().ok());
        if let (true, Some(revision)) = (owned, revision) {
            revisions.push((revision, without_hash(set.spec.template.value())));
        }
    }
    revisions.sort_by_key(|(revision, _)| std::cmp::Reverse(*revision));
    Ok(revisions)
}

fn chosen(name: &str, revisions: Vec<(i64, Value)>, wanted: i64) -> Result<(i64, Value), Failure> {
    if wanted > 0 {
        let known: Vec<String> = revisions.iter().map(|(revision, _)| revision.to_string()).collect();
        let found = revisions.into_iter().find(|(revision, _)| *revision == wanted);
        return found.ok_or_else(|| {
            Failure::new(format!("unable to find specified revision {wanted} in history"))
                .next(format!("The history holds: {}", known.join(", ")))
        });
    }
    revisions.into_iter().nth(1).ok_or_else(|| {
        Failure::new(format!("no revision found for rollout {name:?}"))
            .next("There is no earlier revision: none was made yet, or spec.revisionHistoryLimit has removed it.")
    })
}

/// The hash label belongs to the ReplicaSet, not to the template that a user wrote.
fn without_hash(mut template: Value) -> Value {
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(POD_HASH);
    }
    template
}

/// Whether every field set in `wanted` has the same value in `have`. Go: `equality.Semantic.DeepDerivative`.
fn derives(wanted: &Value, have: &Value) -> bool {
    match (wanted, have) {
        (Value::Null, _) => true,
        (Value::Object(wanted), have) => {
            wanted.iter().all(|(name, value)| derives(value, have.get(name).unwrap_or(&Value::Null)))
        }
        (Value::Array(wanted), Value::Array(have)) => {
            wanted.len() <= have.len() && wanted.iter().zip(have).all(|(wanted, have)| derives(wanted, have))
        }
        (Value::Array(wanted), _) => wanted.is_empty(),
        (Value::String(text), _) if text.is_empty() => true,
        (wanted, have) => wanted == have,
    }
}

/// Percent-encodes what a query cannot hold.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        })
        .collect()
}
