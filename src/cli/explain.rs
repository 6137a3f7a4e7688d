//! Refused requests in words for someone who meets this cluster for the first time.

use serde_json::Value;

use super::client::{Cluster, ROLLOUTS, Refused, Resource};
use super::failure::Failure;
use super::suggest::nearest;

/// Most namespaces that are named.
const NAMESPACES: usize = 5;

/// Says what is wrong and what to do next. May ask the API server for names; if it refuses, there are just fewer words.
pub(super) async fn explain(cluster: &Cluster, refused: Refused) -> Failure {
    let resource = refused.resource;
    let (name, full) = (refused.name.as_str(), resource.full_name());
    let kube::Error::Api(status) = &refused.source else { return unanswered(cluster, &refused) };
    match status.code {
        404 if is_kind_missing(&refused) => Failure::new("the server could not find the requested resource")
            .next(format!("The cluster does not know {full}: its definition is not installed."))
            .next("Install the definitions: siskin crds | kubectl apply --server-side -f -"),
        404 => not_found(cluster, resource, name).await,
        401 => Failure::new(format!("the API server does not accept your credentials: {}", status.message))
            .next("Log in again, or choose another user with --user or --context."),
        403 => Failure::new(status.message.clone())
            .next(format!("You may not {} {full} in namespace {}.", refused.verb, cluster.namespace))
            .next(format!("Check with: kubectl auth can-i {} {full} -n {}", refused.verb, cluster.namespace))
            .next("Roles argo-rollouts-aggregate-to-view, -edit and -admin extend the cluster's view, edit and admin."),
        409 => Failure::new(status.message.clone()).next("Someone else changed the object meanwhile: run it again."),
        _ => Failure::new(status.message.clone()),
    }
}

/// An unknown kind is answered in plain text, or with a status that names no object.
fn is_kind_missing(refused: &Refused) -> bool {
    let kube::Error::Api(status) = &refused.source else { return false };
    let names_object = status.details.as_ref().is_some_and(|details| !details.name.is_empty());
    !names_object && (refused.name.is_empty() || !status.message.contains(&format!("{:?}", refused.name)))
}

fn unanswered(cluster: &Cluster, refused: &Refused) -> Failure {
    if let kube::Error::SerdeError(error) = &refused.source {
        return Failure::new(format!("{refused}"))
            .next(format!("The answer could not be read ({error}). Is {} an API server?", cluster.address));
    }
    let mut cause: &dyn std::error::Error = &refused.source;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Failure::new(format!("cannot reach the cluster at {}: {cause}", cluster.address))
        .next("Check with: kubectl cluster-info")
        .next("Another cluster? `kubectl config get-contexts` lists them; choose one with --context.")
}

/// The message of the API server, with near names, or with the namespaces where one of this name exists.
async fn not_found(cluster: &Cluster, resource: Resource, name: &str) -> Failure {
    let failure = Failure::new(format!("{} {name:?} not found", resource.full_name()));
    if resource != ROLLOUTS {
        return failure.next(format!("Looked in namespace {}.", cluster.namespace));
    }
    let here = cluster.list(resource, Some(&cluster.namespace), "").await.unwrap_or_default();
    let names: Vec<&str> = here.iter().map(|object| text(object, "name")).collect();
    let elsewhere = cluster.list(resource, None, &format!("fieldSelector=metadata.name%3D{name}")).await;
    let elsewhere = elsewhere.unwrap_or_default();
    let namespaces: Vec<&str> = elsewhere
        .iter()
        .filter(|object| text(object, "name") == name)
        .map(|object| text(object, "namespace"))
        .filter(|namespace| *namespace != cluster.namespace)
        .take(NAMESPACES)
        .collect();
    if !namespaces.is_empty() {
        return failure
            .next(format!(
                "Namespace {} has none of this name, but there is one in: {}",
                cluster.namespace,
                namespaces.join(", ")
            ))
            .next(format!("Choose it with -n {}", namespaces.first().unwrap_or(&"NAMESPACE")));
    }
    if let Some(near) = nearest(name, names.iter().copied()) {
        return failure.next(format!("Did you mean {near:?}?"));
    }
    if names.is_empty() {
        return failure
            .next(format!("There are no Rollouts in namespace {}.", cluster.namespace))
            .next("All of them: siskin list rollouts -A");
    }
    failure.next(format!("Those of namespace {}: siskin list rollouts", cluster.namespace))
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
}
