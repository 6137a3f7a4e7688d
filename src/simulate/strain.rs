//! How hard the pods of each version work where an autoscaler looks on. It sees the mean of all pods: a version whose pods
//! have too much to do may hide behind the idle ones of the other.

use std::time::Duration;

use super::stage::Stage;
use super::timeline::State;
use crate::api::Rollout;
use crate::api::names::POD_HASH;
use crate::sim::models::replica_sets::ready_since;
use crate::sim::object;
use crate::sim::traffic::Loads;

/// An autoscaler has so long to answer: four of its looks.
const ANSWER: Duration = Duration::from_mins(1);
/// From one look to the next.
const GLANCE: Duration = Duration::from_secs(5);

/// What pods are asked for, as a share of what they can do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Asked {
    /// Mean of the pods of the version that ran before.
    pub old: f64,
    /// The same of the version that is released.
    pub new: f64,
    /// Mean of the pods that the autoscaler sees.
    pub mean: f64,
    /// How many these are.
    pub pods: u32,
    /// Steps that are done.
    pub step: Option<i32>,
}

/// Looks at both versions, and keeps what an autoscaler has left without an answer.
#[derive(Debug, Default)]
pub(super) struct Strain {
    /// Name of the autoscaler; nobody looks where there is none.
    pub autoscaler: Option<String>,
    /// Too much, for longer than an answer takes; of all such moments the worst.
    pub unanswered: Option<Asked>,
    since: Option<(Duration, i64)>,
    looked: Duration,
}

impl Strain {
    /// Looks at the pods at one instant of the release.
    pub fn look(&mut self, stage: &Stage, at: Duration, (rollout, state): (&Rollout, &State), hashes: (&str, &str)) {
        let Some(name) = self.autoscaler.as_ref().filter(|_| at >= self.looked + GLANCE) else { return };
        self.looked = at;
        let Some(hpa) = stage.user.get("HorizontalPodAutoscaler", &rollout.metadata.namespace, name) else { return };
        let asked = asked(stage, rollout, hashes);
        let most = object::integer(&hpa, "/spec/maxReplicas").unwrap_or(i64::MAX);
        if asked.old.max(asked.new) <= 1.0 || asked.mean > 1.0 || state.replicas >= most {
            self.since = None;
            return;
        }
        let (since, size) = *self.since.get_or_insert((at, state.replicas));
        if state.replicas > size {
            self.since = None;
        } else if at.saturating_sub(since) >= ANSWER {
            let known = self.unanswered.map_or(0.0, |known| known.old.max(known.new));
            if asked.old.max(asked.new) > known {
                self.unanswered = Some(Asked { step: state.step.map(|(done, _)| done), ..asked });
            }
        }
    }
}

fn asked(stage: &Stage, rollout: &Rollout, (old, new): (&str, &str)) -> Asked {
    let now = stage.now();
    let loads = stage.cluster.traffic.loads();
    let loads: &Loads = &loads.lock();
    let seen = |pod: &serde_json::Value| {
        let mut terms = rollout.status.selector.split(',').filter_map(|term| term.split_once('='));
        terms.all(|(key, value)| object::label(pod, key) == Some(value))
    };
    let (mut all, mut olds, mut news) = ((0.0, 0_u32), (0.0, 0_u32), (0.0, 0_u32));
    for pod in stage.user.list("Pod", &rollout.metadata.namespace) {
        let share = loads.use_of(&pod, now).filter(|_| !object::is_terminating(&pod) && ready_since(&pod).is_some());
        let (Some(share), Some(hash)) = (share, object::label(&pod, POD_HASH)) else { continue };
        let sums = [(&mut all, seen(&pod)), (&mut olds, hash == old), (&mut news, hash == new)];
        for (sum, _) in sums.into_iter().filter(|(_, counts)| *counts) {
            *sum = (sum.0 + share, sum.1 + 1);
        }
    }
    let mean = |(sum, count): (f64, u32)| if count == 0 { 0.0 } else { sum / f64::from(count) };
    Asked { old: mean(olds), new: mean(news), mean: mean(all), pods: all.1, step: None }
}
