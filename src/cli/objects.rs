//! Fetches what a view is made of.

use super::client::{Cluster, EXPERIMENTS, PODS, REPLICA_SETS, RUNS, Resource};
use super::explain::explain;
use super::failure::Failure;
use super::session::Console;
use super::view::objects::Objects;

/// What surrounds a Rollout or an Experiment in its namespace. A kind that may not be listed is left out, with a remark.
pub(super) async fn surroundings(cluster: &Cluster, console: &Console) -> Result<Objects, Failure> {
    let mut objects = Objects::default();
    for resource in [REPLICA_SETS, PODS, EXPERIMENTS, RUNS] {
        match cluster.list(resource, Some(&cluster.namespace), "").await {
            Ok(values) => {
                for value in &values {
                    objects.add(resource.kind, value)?;
                }
            }
            Err(refused) if is_optional(resource, refused.code()) => {
                console.remark(&format!("Note: {refused}; shown without them.\n"));
            }
            Err(refused) => return Err(explain(cluster, refused).await),
        }
    }
    Ok(objects)
}

/// Someone who may see the Rollout sees it, even without the right to everything around it.
fn is_optional(resource: Resource, code: u16) -> bool {
    code == 403 || (code == 404 && [EXPERIMENTS, RUNS].contains(&resource))
}
