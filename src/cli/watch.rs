//! Follows objects, and says when to draw anew: at most every 200 ms, at least each second.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::time::Duration;

use futures::stream::{SelectAll, StreamExt as _};
use futures::{FutureExt as _, Stream};
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;

use super::client::{Cluster, Resource};
use super::failure::Failure;
use super::view::objects::Objects;

/// A terminal that is drawn more often flickers.
const SHORTEST: Duration = Duration::from_millis(200);
/// Ages count in seconds.
const LONGEST: Duration = Duration::from_secs(1);

type Events = Pin<Box<dyn Stream<Item = (Resource, Result<Event<DynamicObject>, watcher::Error>)> + Send>>;

/// What is stored, kept up to date.
pub(super) struct Follower {
    events: SelectAll<Events>,
    stored: BTreeMap<(&'static str, String), Value>,
    /// Kinds whose list is not complete.
    pending: BTreeSet<&'static str>,
}

/// Which objects are followed.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// `None`: all namespaces.
    pub(super) namespace: Option<String>,
    /// `None`: all names.
    pub(super) name: Option<String>,
}

impl Follower {
    /// Begins to follow.
    pub(super) fn new(cluster: &Cluster, followed: &[(Resource, Scope)]) -> Self {
        let mut events: SelectAll<Events> = SelectAll::new();
        for (resource, scope) in followed {
            events.push(stream(cluster, *resource, scope));
        }
        Self { events, stored: BTreeMap::new(), pending: followed.iter().map(|(resource, _)| resource.kind).collect() }
    }

    /// Waits for the next moment to draw; an error of a watch is retried by the watch itself.
    #[allow(clippy::disallowed_methods, reason = "a person waits here")]
    pub(super) async fn changed(&mut self) {
        let mut deadline = Box::pin(tokio::time::sleep(LONGEST));
        let mut changed = false;
        loop {
            tokio::select! {
                biased;
                () = &mut deadline, if self.pending.is_empty() => break,
                next = self.events.next() => {
                    let Some((resource, event)) = next else { break };
                    self.take(resource, event);
                    if !changed && self.pending.is_empty() {
                        changed = true;
                        deadline = Box::pin(tokio::time::sleep(SHORTEST));
                    }
                }
            }
        }
        // What has come in meanwhile is drawn with it.
        while let Some(Some((resource, event))) = self.events.next().now_or_never() {
            self.take(resource, event);
        }
    }

    fn take(&mut self, resource: Resource, event: Result<Event<DynamicObject>, watcher::Error>) {
        match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => {
                let key = (resource.kind, path(&object));
                if let Ok(value) = serde_json::to_value(object) {
                    self.stored.insert(key, value);
                }
            }
            Ok(Event::Delete(object)) => {
                self.stored.remove(&(resource.kind, path(&object)));
            }
            // A new list replaces what was known of the kind. Until it is complete nothing is drawn: what is not yet
            // listed would look deleted.
            Ok(Event::Init) => {
                self.stored.retain(|(kind, _), _| *kind != resource.kind);
                self.pending.insert(resource.kind);
            }
            Ok(Event::InitDone) => {
                self.pending.remove(resource.kind);
            }
            // Without the right to list a kind, the others are shown. Any other error is tried again by the watch.
            Err(watcher::Error::InitialListFailed(kube::Error::Api(status))) if status.code == 403 => {
                self.pending.remove(resource.kind);
            }
            Err(_) => {}
        }
    }

    /// What is stored now.
    pub(super) fn objects(&self) -> Result<Objects, Failure> {
        let mut objects = Objects::default();
        for ((kind, _), value) in &self.stored {
            objects.add(kind, value)?;
        }
        Ok(objects)
    }
}

fn path(object: &DynamicObject) -> String {
    let meta = &object.metadata;
    format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

fn stream(cluster: &Cluster, resource: Resource, scope: &Scope) -> Events {
    let Resource { group, version, plural, kind } = resource;
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let described = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    };
    let api: Api<DynamicObject> = match &scope.namespace {
        Some(namespace) => Api::namespaced_with(cluster.client(), namespace, &described),
        None => Api::all_with(cluster.client(), &described),
    };
    let config = match &scope.name {
        Some(name) => watcher::Config::default().fields(&format!("metadata.name={name}")),
        None => watcher::Config::default(),
    };
    Box::pin(watcher::watcher(api, config).default_backoff().map(move |event| (resource, event)))
}
