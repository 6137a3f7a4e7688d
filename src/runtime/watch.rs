//! One task a kind keeps a [`Store`] equal to the API server, for as long as the process lives.
//!
//! kube's `watcher` does the protocol; here is what it leaves to its user: falling back where streaming lists are
//! refused, starting over where a watch cannot be started, deletions that were missed, kinds that are not
//! installed, and telling others what is ready. What the objects mean is not known here.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::watcher::{self, Event};
use serde::de::DeserializeOwned;

use super::cache::{Cached, Entry, ObjectKey, Store};
use super::clock::Clock;
use super::object::Watched;
use super::random::SplitMix;
use super::worker::chain;
use crate::api::meta::Kind;
use crate::api::text::shortened;
use crate::telemetry::metrics::WatchMetrics;

mod gate;
mod readiness;
mod tasks;
pub use gate::Gate;
pub use readiness::{KindState, Phase, Readiness};
pub use tasks::{Ended, Watches};

/// After so many failed starts in a row everything is listed anew: kube retries the same version for ever.
const START_FAILURES: u32 = 5;
/// A streaming list that says nothing for so long, and has not ended, is not understood by the server.
const STREAMING_SILENCE: Duration = Duration::from_secs(30);
/// Objects in a page of a list: a page is held whole.
const PAGE_SIZE: u32 = 100;
/// The server ends a watch after so many seconds; the next one continues where it ended.
const WATCH_SECONDS: u32 = 290;
/// Everything is listed anew about so often, because even the API server's own watch cache has lost events.
const RELIST_AFTER: Duration = Duration::from_hours(24);
/// Spread of the time between relists and re-checks, so that kinds and replicas do not relist together.
const SPREAD_PERCENT: u32 = 20;
/// Wait after an error and before starting over, doubled at each time up to the limit below.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_secs(30);
/// How often a kind that is not installed is looked for, unless its watch says otherwise.
pub const ABSENT_RECHECK: Duration = Duration::from_mins(1);

/// What to do where the server does not know the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Something is wrong: not ready until it is installed.
    Required,
    /// Fine; look again after this time.
    Optional {
        /// Time between looks.
        recheck: Duration,
    },
}

/// What to watch, and where to put it.
#[derive(Debug)]
pub struct Watch<K> {
    /// Group, version, kind and plural.
    pub resource: ApiResource,
    /// One namespace; `None` for the whole cluster, and for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Selects by labels, on the server.
    pub labels: Option<String>,
    /// What to do where the kind is not installed.
    pub presence: Presence,
    /// Where the objects go.
    pub store: Arc<Store<K>>,
    /// What its start waits for; `None`: nothing.
    pub gate: Option<Gate>,
}

impl<K: Kind + Cached> Watch<K> {
    /// All objects of a wire type, which has to be installed.
    pub fn all(store: Arc<Store<K>>) -> Self {
        let kind = GroupVersionKind::gvk(K::GROUP, K::VERSION, K::KIND);
        Self::of(ApiResource::from_gvk_with_plural(&kind, K::PLURAL), store)
    }
}

impl<K: Cached> Watch<K> {
    /// All objects of a kind that is named at run time.
    pub const fn of(resource: ApiResource, store: Arc<Store<K>>) -> Self {
        Self { resource, namespace: None, labels: None, presence: Presence::Required, store, gate: None }
    }

    /// Only those in `namespace`; `None` means all.
    #[must_use]
    pub fn within(mut self, namespace: Option<String>) -> Self {
        self.namespace = namespace;
        self
    }

    /// Only those that `selector` selects, such as `app=web` or a bare key.
    #[must_use]
    pub fn labelled(mut self, selector: impl Into<String>) -> Self {
        self.labels = Some(selector.into());
        self
    }

    /// It is fine if the kind is not installed.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.presence = Presence::Optional { recheck: ABSENT_RECHECK };
        self
    }

    /// Only once somebody asks for the kind.
    #[must_use]
    pub fn when(mut self, gate: Gate) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Name in logs, metrics and readiness: `plural` or `plural.group`, and what is selected of a kind that is watched
    /// only in part and only when asked for.
    pub fn name(&self) -> String {
        let ApiResource { group, plural, .. } = &self.resource;
        let name = if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") };
        match self.labels.as_ref().filter(|_| self.gate.is_some()) {
            Some(labels) => format!("{name} ({labels})"),
            None => name,
        }
    }
}

/// How the objects are listed at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    /// As the first part of a watch: little memory on both sides. Kubernetes 1.33 and later.
    Streaming,
    /// Page by page.
    Paged,
}

/// Why a stream was given up.
enum End {
    /// The server does not do streaming lists.
    StreamingRefused,
    /// The server does not know the kind.
    Absent,
    /// Its time has come, or it cannot be started: list anew.
    StartOver,
}

/// The task of one kind.
struct Runner<K> {
    watch: Watch<K>,
    name: String,
    client: kube::Client,
    clock: Clock,
    metrics: WatchMetrics,
    readiness: Readiness,
    random: SplitMix,
}

impl<K: Cached + DeserializeOwned> Runner<K> {
    async fn run(mut self) {
        if let Some(gate) = &self.watch.gate {
            gate.opened().await;
        }
        let mut listing = Listing::Streaming;
        let mut restarts = 0_u32;
        let mut absences = 0_u32;
        loop {
            let began = self.clock.monotonic();
            match self.follow(listing).await {
                End::StreamingRefused => {
                    tracing::debug!(kind = %self.name, "no streaming lists here; listing by pages");
                    listing = Listing::Paged;
                    continue;
                }
                End::Absent => {
                    absences = absences.saturating_add(1);
                    self.absent(absences);
                    let Presence::Optional { recheck } = self.watch.presence else { continue };
                    self.clock.sleep(self.random.jitter(recheck, SPREAD_PERCENT)).await;
                    continue;
                }
                End::StartOver => absences = 0,
            }
            if self.clock.monotonic().saturating_sub(began) > 2 * LAST_WAIT {
                restarts = 0;
            }
            restarts = restarts.saturating_add(1);
            self.back_off(restarts).await;
        }
    }

    /// Waits after the `times`th failure in a row. kube's own back-off would go by the computer's clock, and by chance that
    /// no seed repeats.
    async fn back_off(&mut self, times: u32) {
        let wait = FIRST_WAIT.saturating_mul(1 << times.saturating_sub(1).min(16)).min(LAST_WAIT);
        self.clock.sleep(self.random.jitter(wait, SPREAD_PERCENT)).await;
    }

    /// The kind is not installed. What was known of it goes only when a second look says the same: an API server
    /// that is starting may not know its kinds yet.
    fn absent(&self, absences: u32) {
        if absences >= 2 && !self.watch.store.is_empty() {
            self.watch.store.replace_all(Vec::new());
        }
        if absences == 1 {
            tracing::info!(kind = %self.name, "not installed; looking again from time to time");
        }
        self.readiness.set(&self.name, KindState { phase: Phase::Absent, error: None });
        self.metrics.synced.with_label_values(&[&self.name]).set(0);
    }

    /// Lists and watches until that has to be done in another way, or anew.
    async fn follow(&mut self, listing: Listing) -> End {
        let until = self.clock.monotonic().saturating_add(self.random.jitter(RELIST_AFTER, SPREAD_PERCENT));
        let api = match &self.watch.namespace {
            Some(namespace) => kube::Api::namespaced_with(self.client.clone(), namespace, &self.watch.resource),
            None => kube::Api::<Watched<K>>::all_with(self.client.clone(), &self.watch.resource),
        };
        let mut stream = std::pin::pin!(watcher::watcher(api, self.config(listing)));
        let mut listed: Option<Vec<Entry<K>>> = None;
        let mut failures = 0;
        loop {
            let mut patience = until.saturating_sub(self.clock.monotonic());
            if listing == Listing::Streaming && listed.is_some() {
                patience = patience.min(STREAMING_SILENCE);
            }
            let Some(event) = self.clock.within(patience, stream.next()).await else {
                let silent = self.clock.monotonic() < until;
                return if silent { End::StreamingRefused } else { End::StartOver };
            };
            match event {
                Some(Ok(Event::Apply(odd) | Event::InitApply(odd)))
                    if crate::mutant!("odd-object-ends-watch") && matches!(odd.entry, Entry::Invalid(_)) =>
                {
                    return End::StartOver;
                }
                Some(Ok(event)) => {
                    failures = 0;
                    self.take(event, &mut listed);
                }
                Some(Err(error)) => {
                    failures += 1;
                    if let Some(end) = self.failed(&error, listing, failures) {
                        return end;
                    }
                    self.back_off(failures).await;
                }
                None => return End::StartOver,
            }
        }
    }

    fn config(&self, listing: Listing) -> watcher::Config {
        let config = watcher::Config::default().timeout(WATCH_SECONDS);
        let config = match listing {
            Listing::Streaming => config.streaming_lists(),
            Listing::Paged => config.page_size(PAGE_SIZE),
        };
        match &self.watch.labels {
            Some(selector) => config.labels(selector),
            None => config,
        }
    }

    fn take(&self, event: Event<Watched<K>>, listed: &mut Option<Vec<Entry<K>>>) {
        let store = &self.watch.store;
        match event {
            Event::Init => *listed = Some(Vec::new()),
            Event::InitApply(watched) => {
                if self.named(&watched.entry) {
                    listed.get_or_insert_default().push(watched.entry);
                }
            }
            Event::InitDone => {
                store.replace_all(listed.take().unwrap_or_default());
                self.metrics.relists.with_label_values(&[&self.name]).inc();
                self.metrics.synced.with_label_values(&[&self.name]).set(1);
                self.readiness.set(&self.name, KindState { phase: Phase::Synced, error: None });
            }
            Event::Apply(watched) => {
                if self.named(&watched.entry) {
                    store.apply(&watched.entry);
                }
            }
            Event::Delete(watched) => store.delete(&ObjectKey::of(watched.entry.meta())),
        }
        let invalid = i64::try_from(store.invalid_len()).unwrap_or(i64::MAX);
        self.metrics.invalid.with_label_values(&[&self.name]).set(invalid);
        self.readiness.recovered(&self.name);
    }

    /// Whether an entry can be stored at all; says so where it did not decode.
    fn named(&self, entry: &Entry<K>) -> bool {
        if let Entry::Invalid(invalid) = entry {
            let object = ObjectKey::of(&invalid.meta);
            tracing::warn!(kind = %self.name, %object, error = %invalid.error, "an object does not decode");
        }
        !entry.meta().name.is_empty()
    }

    /// Whether an error, the `failures`th in a row, ends the stream. kube recovers from the others by itself.
    fn failed(&self, error: &watcher::Error, listing: Listing, failures: u32) -> Option<End> {
        self.metrics.errors.with_label_values(&[&self.name]).inc();
        let (starting, code) = match error {
            watcher::Error::InitialListFailed(kube::Error::Api(status))
            | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => (true, status.code),
            watcher::Error::InitialListFailed(_) | watcher::Error::WatchStartFailed(_) => (true, 0),
            _ => (false, 0),
        };
        if code == 404 && matches!(self.watch.presence, Presence::Optional { .. }) {
            return Some(End::Absent);
        }
        if listing == Listing::Streaming && matches!(code, 400 | 405 | 415 | 422) {
            return Some(End::StreamingRefused);
        }
        let text = remedy(code, &self.name, shortened(chain(error)));
        tracing::warn!(kind = %self.name, error = %text, failures, "watch failed");
        self.readiness.failing(&self.name, text);
        let hopeless = code == 410 || failures >= START_FAILURES;
        (starting && hopeless).then_some(End::StartOver)
    }
}

/// What went wrong, and what someone can do about it.
fn remedy(code: u16, kind: &str, error: String) -> String {
    match code {
        401 | 403 => format!("{error}; let the service account list and watch {kind}"),
        404 => format!("{error}; install the CustomResourceDefinition {kind}"),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
