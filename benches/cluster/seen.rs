//! What happens in the namespace, each event with the instant at which it arrived here.

use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::watcher::{self, Config, Event};
use kube::{Client, ResourceExt};
use serde_json::Value;
use tokio::sync::mpsc;

use super::NAMESPACE;

/// Nothing takes longer, unless it never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The kinds that are looked at, and the events that the floor writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rollout,
    ReplicaSet,
    Pod,
    Event,
}

fn api(client: &Client, kind: Kind) -> Api<DynamicObject> {
    let (group, version, name, plural) = match kind {
        Kind::Rollout => ("argoproj.io", "v1alpha1", "Rollout", "rollouts"),
        Kind::ReplicaSet => ("apps", "v1", "ReplicaSet", "replicasets"),
        Kind::Pod => ("", "v1", "Pod", "pods"),
        Kind::Event => ("", "v1", "Event", "events"),
    };
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, name), plural);
    Api::namespaced_with(client.clone(), NAMESPACE, &resource)
}

/// A client for the cluster of a kubeconfig file.
pub async fn client(kubeconfig: &str) -> Client {
    let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap_or_else(|error| panic!("{kubeconfig}: {error}"));
    let config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await;
    let config = config.unwrap_or_else(|error| panic!("{kubeconfig}: {error}"));
    Client::try_from(config).unwrap_or_else(|error| panic!("{kubeconfig}: {error}"))
}

/// Makes the namespace, where it is not there.
pub async fn namespace(client: &Client) {
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Namespace"), "namespaces");
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let object = DynamicObject::new(NAMESPACE, &resource);
    match api.create(&PostParams::default(), &object).await {
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        made => drop(made.unwrap_or_else(|error| panic!("namespace {NAMESPACE}: {error}"))),
    }
}

/// A bare watch.
pub fn watch(
    client: &Client,
    kind: Kind,
    labels: &str,
) -> impl Stream<Item = watcher::Result<Event<DynamicObject>>> + Send + use<> {
    watcher::watcher(api(client, kind), Config::default().labels(labels))
}

/// Creates an object.
pub async fn created(client: &Client, kind: Kind, object: &Value) {
    let object = serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{object}: {error}"));
    let made = api(client, kind).create(&PostParams::default(), &object).await;
    drop(made.unwrap_or_else(|error| panic!("{kind:?} {}: {error}", object.name_any())));
}

/// Merge-patches a Rollout, or its status.
pub async fn merge(client: &Client, name: &str, subresource: &str, patch: &Value) {
    let (api, options) = (api(client, Kind::Rollout), PatchParams::default());
    let patched = match subresource {
        "" => api.patch(name, &options, &Patch::Merge(patch)).await,
        _ => api.patch_status(name, &options, &Patch::Merge(patch)).await,
    };
    drop(patched.unwrap_or_else(|error| panic!("Rollout {name}: {error}")));
}

/// Everything that was seen of the Rollout that is measured now.
pub struct Seen {
    client: Client,
    events: mpsc::UnboundedReceiver<(Instant, Kind, DynamicObject)>,
    log: Vec<(Instant, Kind, Value)>,
    /// What came before was about another question.
    from: usize,
}

impl Seen {
    /// Begins to watch.
    pub fn start(client: &Client) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        for kind in [Kind::Rollout, Kind::ReplicaSet, Kind::Pod] {
            let (sender, stream) = (sender.clone(), watch(client, kind, ""));
            tokio::spawn(async move {
                let mut stream = std::pin::pin!(stream);
                while let Some(event) = stream.next().await {
                    let at = Instant::now();
                    match event {
                        Ok(Event::Apply(object) | Event::InitApply(object)) => drop(sender.send((at, kind, object))),
                        Ok(_) => {}
                        Err(error) => panic!("the watch of {kind:?}: {error}"),
                    }
                }
            });
        }
        Self { client: client.clone(), events, log: Vec::new(), from: 0 }
    }

    /// Creates a Rollout.
    pub async fn create(&mut self, rollout: &Value) {
        (self.log, self.from) = (Vec::new(), 0);
        created(&self.client, Kind::Rollout, rollout).await;
    }

    /// Changes the Rollout `name`; the instant at which the request was sent. What was seen before it is forgotten.
    pub async fn patch(&mut self, name: &str, subresource: &str, patch: &Value) -> Instant {
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
        self.from = self.log.len();
        let begun = Instant::now();
        merge(&self.client, name, subresource, patch).await;
        begun
    }

    fn take(&mut self, (at, kind, object): (Instant, Kind, DynamicObject)) {
        self.log.push((at, kind, serde_json::to_value(&object).unwrap_or_default()));
    }

    /// When an object of the Rollout `name` was first seen in a state.
    pub async fn until(&mut self, name: &str, kind: &str, state: impl Fn(&Value) -> bool) -> Instant {
        let concerns = |kind_seen: Kind, object: &Value| {
            let labels = &object["spec"]["template"]["metadata"]["labels"];
            let labels = if kind_seen == Kind::Pod { &object["metadata"]["labels"] } else { labels };
            format!("{kind_seen:?}") == kind && labels["app"] == name && state(object)
        };
        let mut next = self.from;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            while let Some((at, kind, object)) = self.log.get(next) {
                if concerns(*kind, object) {
                    return *at;
                }
                next += 1;
            }
            match tokio::time::timeout_at(deadline, self.events.recv()).await {
                Ok(Some(event)) => self.take(event),
                _ => panic!("{name}: a {kind} that is waited for did not come; last: {:#?}", self.log.last()),
            }
        }
    }

    /// Deletes the Rollout and what belongs to it.
    pub async fn forget(&mut self, name: &str) {
        let deleted = api(&self.client, Kind::Rollout).delete(name, &DeleteParams::background()).await;
        drop(deleted.unwrap_or_else(|error| panic!("Rollout {name}: {error}")));
    }
}
