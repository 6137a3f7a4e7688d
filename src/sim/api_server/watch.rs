//! Watches: a cursor over a kind's history. They pull, so nothing is queued for a slow reader; a reader that falls
//! out of the window is told so by an `ERROR` event with code 410, as the real server does.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::faults::Cut;
use super::reject::Reject;
use super::request::Options;
use super::select::Selector;
use super::server::ApiServer;
use super::store::{Change, Store, Table};
use super::table::Shape;
use crate::api::Time;

/// Events in one piece of the response, so that a long backlog neither copies nor holds the lock at length.
const EVENTS_PER_CHUNK: usize = 500;
/// How often a quiet watch that asked for bookmarks gets one.
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);
/// How long a watch without `timeoutSeconds` runs.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(30);

/// One running watch.
pub(crate) struct Stream {
    server: ApiServer,
    resource: Arc<str>,
    namespace: String,
    selector: Selector,
    shape: Shape,
    bookmarks: bool,
    /// Everything up to this version has been handed out.
    cursor: u64,
    /// The initial state, in chunks that are ready to go out.
    ready: VecDeque<Bytes>,
    ends: Time,
    next_bookmark: Time,
    cuts: u64,
    finished: bool,
    pulse: watch::Receiver<u64>,
}

enum Step {
    Chunk(Bytes),
    Wait,
    End,
    Broken,
}

impl Stream {
    /// Starts a watch. Refusals here are HTTP errors; an expired version is an event in the stream.
    pub fn start(
        server: &ApiServer,
        (resource, namespace): (&Arc<str>, &str),
        (options, shape): (&Options, Shape),
    ) -> Result<Self, Reject> {
        let now = server.now();
        let pulse = server.pulse();
        server.with_store(|store| {
            let table = store.table(resource)?;
            let timeout = options.timeout_seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
            let mut stream = Self {
                server: server.clone(),
                resource: resource.clone(),
                namespace: namespace.to_owned(),
                selector: Selector::parse(&options.label_selector, &options.field_selector, &table.def)?,
                shape,
                bookmarks: options.bookmarks,
                cursor: store.version,
                ready: VecDeque::new(),
                ends: now + timeout,
                next_bookmark: now + BOOKMARK_EVERY,
                cuts: table.cuts,
                finished: false,
                pulse,
            };
            stream.begin(store, table, options)?;
            Ok(stream)
        })
    }

    fn begin(&mut self, store: &Store, table: &Table, options: &Options) -> Result<(), Reject> {
        let version = options.version()?.unwrap_or(0);
        if options.initial_events {
            if options.version_match != "NotOlderThan" {
                let why = "sendInitialEvents: Forbidden: requires resourceVersionMatch to be NotOlderThan";
                return Err(Reject::new(422, "Invalid", why));
            }
            self.push_state(table);
            let end = self.bookmark(table, store.version, &json!({ "k8s.io/initial-events-end": "true" }));
            self.ready.push_back(end);
        } else if version == 0 {
            self.push_state(table);
        } else if version < table.compacted {
            self.push_expired(version, table.compacted);
        } else {
            self.cursor = version;
        }
        Ok(())
    }

    fn push_state(&mut self, table: &Table) {
        let mut chunk = Vec::new();
        let mut count = 0;
        for (key, object) in &table.objects {
            if (self.namespace.is_empty() || key.0 == self.namespace) && self.selector.matches(object) {
                append(&mut chunk, "ADDED", &self.shape.object(&table.def, object));
                count += 1;
            }
            if count == EVENTS_PER_CHUNK {
                self.ready.push_back(std::mem::take(&mut chunk).into());
                count = 0;
            }
        }
        if !chunk.is_empty() {
            self.ready.push_back(chunk.into());
        }
    }

    fn push_expired(&mut self, version: u64, oldest: u64) {
        let mut chunk = Vec::new();
        append(&mut chunk, "ERROR", &Reject::expired(version, oldest).status());
        self.ready.push_back(chunk.into());
        self.finished = true;
    }

    /// The next piece of the response body; none at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, io::Error>> {
        loop {
            self.pulse.borrow_and_update();
            let server = self.server.clone();
            let now = server.now();
            match server.with_store(|store| self.advance(store, now)) {
                Step::Chunk(bytes) => return Some(Ok(bytes)),
                Step::End => return None,
                Step::Broken => {
                    self.finished = true;
                    return Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "the watch was cut")));
                }
                Step::Wait => self.pulse.changed().await.ok()?,
            }
        }
    }

    fn advance(&mut self, store: &Store, now: Time) -> Step {
        if let Some(chunk) = self.ready.pop_front() {
            return Step::Chunk(chunk);
        }
        let Ok(table) = store.table(&self.resource) else { return Step::End };
        if self.finished {
            return Step::End;
        }
        if table.cuts != self.cuts {
            return if table.cut == Cut::Broken { Step::Broken } else { Step::End };
        }
        if self.cursor < table.lost {
            self.push_expired(self.cursor, table.lost);
            return self.ready.pop_front().map_or(Step::End, Step::Chunk);
        }
        self.shape = self.shape.at(now);
        let events = self.collect(table, now);
        if !events.is_empty() {
            return Step::Chunk(events.into());
        }
        if table.history.back().is_none_or(|last| last.version <= self.cursor) {
            self.cursor = store.version;
        }
        let is_over = now >= self.ends;
        self.finished = is_over;
        if self.bookmarks && (is_over || now >= self.next_bookmark) {
            self.next_bookmark = now + BOOKMARK_EVERY;
            return Step::Chunk(self.bookmark(table, self.cursor, &json!({})));
        }
        if is_over { Step::End } else { Step::Wait }
    }

    fn collect(&mut self, table: &Table, now: Time) -> Vec<u8> {
        let mut chunk = Vec::new();
        let from = table.history.partition_point(|change| change.version <= self.cursor);
        for change in table.history.iter().skip(from).take(EVENTS_PER_CHUNK) {
            if change.time + table.watch_delay > now {
                break;
            }
            self.cursor = change.version;
            if let Some(kind) = self.kind_of(change) {
                append(&mut chunk, kind, &self.shape.object(&table.def, &change.shown));
            }
        }
        chunk
    }

    /// What the change is for this watch: an object that stops matching the selector is a deletion.
    fn kind_of(&self, change: &Change) -> Option<&'static str> {
        if !self.namespace.is_empty() && change.key.0 != self.namespace {
            return None;
        }
        let matches = |state: &Option<Arc<Value>>| state.as_ref().is_some_and(|object| self.selector.matches(object));
        match (matches(&change.before), matches(&change.after)) {
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
            (false, false) => None,
        }
    }

    fn bookmark(&self, table: &Table, version: u64, annotations: &Value) -> Bytes {
        let mut metadata = json!({ "resourceVersion": version.to_string(), "creationTimestamp": null });
        if annotations.as_object().is_some_and(|map| !map.is_empty()) {
            metadata = json!({ "resourceVersion": version.to_string(), "creationTimestamp": null, "annotations": annotations });
        }
        let object = json!({ "kind": table.def.kind, "apiVersion": table.def.api_version(), "metadata": metadata });
        let mut chunk = Vec::new();
        append(&mut chunk, "BOOKMARK", &self.shape.object(&table.def, &Arc::new(object)));
        chunk.into()
    }
}

fn append(chunk: &mut Vec<u8>, kind: &str, object: &Value) {
    // A JSON value always serialises into memory.
    let text = serde_json::to_vec(&json!({ "type": kind, "object": object })).unwrap_or_default();
    chunk.extend_from_slice(&text);
    chunk.push(b'\n');
}
