//! What can be seen at one instant: the Rollout and what belongs to it, its traffic, its measurements, its events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::scenes::{Goal, NAMESPACE, Scene};
use super::score::Sums;
use super::stage::Stage;
use crate::api::rollout_status::BlockerStatus;
use crate::api::{Rollout, Time};
use crate::cli::view::objects::{Objects, UnreadableObject};
use crate::cli::view::pod::summary;
use crate::rollout::status::phase::{self, PhaseMessage, TemplateSource};
use crate::sim::object;
use crate::sim::traffic::Record;

/// Traffic is shown as it was within this span before now, by the cluster's clock.
const WINDOW: Duration = Duration::from_secs(1);
/// Kinds that the tree is made of.
const KINDS: [&str; 4] = ["ReplicaSet", "Pod", "AnalysisRun", "Rollout"];

/// Requests of the last second that one version answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The version; empty for requests that nobody answered.
    pub version: String,
    /// Requests.
    pub requests: u64,
    /// Of these, answered with an error.
    pub errors: u64,
}

/// A measurement of an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The `AnalysisRun`.
    pub run: String,
    /// The metric.
    pub metric: String,
    /// Its place among the measurements of the metric, from 1.
    pub number: usize,
    /// What came back, as text.
    pub value: String,
    /// The verdict.
    pub phase: String,
}

/// An event, or a line of the demo itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// One word.
    pub reason: String,
    /// The rest.
    pub message: String,
    /// Whether it is a warning.
    pub is_warning: bool,
}

/// Everything at one instant.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The instant, by the cluster's clock.
    pub at: Time,
    /// Since the scene began.
    pub elapsed: Duration,
    /// The Rollout and what belongs to it.
    pub objects: Objects,
    /// As `get` shows it.
    pub phase: PhaseMessage,
    /// Traffic of the last second, by version.
    pub shares: Vec<Share>,
    /// The weights that the gateway has in force, by Service.
    pub weights: Vec<(String, i64)>,
    /// Measurements of the latest `AnalysisRun` of this revision, oldest first.
    pub measured: Vec<Measured>,
    /// What has happened since the last look.
    pub news: Vec<Happening>,
    /// Requests of the scene so far.
    pub sums: Sums,
}

/// Looks at one Rollout again and again, and remembers which events it has told.
pub struct Watcher {
    rollout: &'static str,
    told: BTreeSet<String>,
}

impl Watcher {
    /// Nothing told yet; what has happened before this scene is not told in it.
    pub fn new(stage: &Stage, scene: &Scene) -> Self {
        let mut watcher = Self { rollout: scene.rollout, told: BTreeSet::new() };
        watcher.news(stage);
        watcher
    }

    /// Looks.
    pub fn look(&mut self, stage: &Stage, scene: &Scene) -> Result<Facts, UnreadableObject> {
        let mut objects = Objects::default();
        for kind in KINDS {
            for value in stage.user.list(kind, NAMESPACE) {
                if kind != "Rollout" || object::name(&value) == self.rollout {
                    objects.add(kind, &value)?;
                }
            }
        }
        let at = stage.now();
        let (weights, news) = (stage.weights(&scene.target), self.news(stage));
        // Taken last and alone: whoever moves the cluster holds it while it takes the record.
        let record = stage.record();
        let record = record.lock();
        let phase = objects.rollouts.first().map(|rollout| phase::client(rollout, TemplateSource::Own));
        Ok(Facts {
            at,
            elapsed: Duration::ZERO,
            phase: phase.unwrap_or_else(|| PhaseMessage { phase: "", message: String::new() }),
            shares: shares(&record, at, self.rollout),
            weights,
            measured: measured(&objects),
            news,
            sums: Sums::of(record.total()),
            objects,
        })
    }

    fn news(&mut self, stage: &Stage) -> Vec<Happening> {
        let mut fresh: Vec<_> = stage.user.list("Event", NAMESPACE);
        fresh.retain(|event| {
            let about = object::text(event, "/involvedObject/name");
            let ours = about == self.rollout || about.starts_with(&format!("{}-", self.rollout));
            ours && self.told.insert(object::uid(event).to_owned())
        });
        fresh.sort_by_key(|event| object::version(event));
        fresh.iter().map(|event| happening(event)).collect()
    }
}

fn happening(event: &Value) -> Happening {
    Happening {
        reason: object::text(event, "/reason").to_owned(),
        message: object::text(event, "/message").to_owned(),
        is_warning: object::text(event, "/type") == "Warning",
    }
}

/// Traffic of the scene's own Services, which are named after its Rollout, and what was lost before it reached any.
fn shares(record: &Record, now: Time, rollout: &str) -> Vec<Share> {
    let mut versions: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let window = record.window(now, WINDOW).into_iter();
    for (series, count) in window.filter(|(series, _)| series.service.is_empty() || series.service.starts_with(rollout))
    {
        let (requests, errors) = versions.entry(series.version).or_default();
        *requests += count;
        *errors += if series.code == 500 { count } else { 0 };
    }
    let seen = versions.into_iter().filter(|(_, (requests, _))| *requests > 0);
    seen.map(|(version, (requests, errors))| Share { version, requests, errors }).collect()
}

fn measured(objects: &Objects) -> Vec<Measured> {
    let Some(rollout) = objects.rollouts.first() else { return Vec::new() };
    let current = &rollout.status.current_pod_hash;
    let ours = objects.runs.iter().filter(|run| {
        let owned = run.metadata.owner_references.iter().any(|owner| owner.uid == rollout.metadata.uid);
        owned && run.metadata.labels.get("rollouts-pod-template-hash") == Some(current)
    });
    let latest = ours.max_by_key(|run| (run.metadata.creation_timestamp, run.metadata.name.clone()));
    let results = latest.into_iter().flat_map(|run| run.status.metric_results.iter().map(move |result| (run, result)));
    results
        .flat_map(|(run, result)| {
            result.measurements.iter().enumerate().map(move |(index, measurement)| Measured {
                run: run.metadata.name.clone(),
                metric: result.name.clone(),
                number: index + 1,
                value: measurement.value.clone(),
                phase: measurement.phase.clone(),
            })
        })
        .collect()
}

impl Facts {
    /// The Rollout.
    pub fn rollout(&self) -> Option<&Rollout> {
        self.objects.rollouts.first()
    }

    /// What the update waits for.
    pub fn blockers(&self) -> &[BlockerStatus] {
        self.rollout().and_then(|rollout| rollout.status.siskin.as_ref()).map_or(&[], |siskin| &siskin.blockers)
    }

    /// Whether the goal is reached.
    pub fn meets(&self, goal: Goal) -> bool {
        let settled = |phase: &str, version: &str| self.phase.phase == phase && self.served_by(version);
        match goal {
            Goal::Serving(version) => settled("Healthy", version),
            Goal::Alone(version) => settled("Healthy", version) && self.runs_only(version),
            Goal::Waiting(version) => settled("Paused", version) && self.preview_is_complete(),
            Goal::Aborted(version) => {
                let aborted = self.rollout().is_some_and(|rollout| rollout.status.abort);
                aborted && settled("Degraded", version) && self.runs_only(version)
            }
        }
    }

    /// Whether the goal cannot be reached any more.
    pub fn forbids(&self, goal: Goal) -> bool {
        self.phase.phase == "Degraded" && !matches!(goal, Goal::Aborted(_))
    }

    fn served_by(&self, version: &str) -> bool {
        !self.shares.is_empty() && self.shares.iter().all(|share| share.version == version)
    }

    /// Whether every pod, also one that is stopping, is of this version.
    fn runs_only(&self, version: &str) -> bool {
        let suffix = format!(":{version}");
        let Some(rollout) = self.rollout() else { return false };
        let sets = self.objects.replica_sets.iter();
        let sets = sets.filter(|set| set.metadata.owner_references.iter().any(|o| o.uid == rollout.metadata.uid));
        let others = sets.filter(|set| {
            let template = set.spec.template.value();
            !object::text(&template, "/spec/containers/0/image").ends_with(&suffix)
        });
        let others: Vec<&str> = others.map(|set| set.metadata.uid.as_str()).collect();
        let of_others = |owner: &str| others.contains(&owner);
        !self.objects.pods.iter().any(|pod| pod.metadata.owner_references.iter().any(|owner| of_others(&owner.uid)))
    }

    fn preview_is_complete(&self) -> bool {
        let Some(rollout) = self.rollout() else { return false };
        let hash = &rollout.status.current_pod_hash;
        let pods = self.objects.pods.iter().filter(|pod| {
            pod.metadata.labels.get("rollouts-pod-template-hash") == Some(hash) && summary(pod).status == "Running"
        });
        let wanted = usize::try_from(rollout.spec.replicas.unwrap_or(1)).unwrap_or(1);
        rollout.status.blue_green.preview_selector == *hash && pods.count() >= wanted
    }
}
