//! The order in which facts are judged: the first that decides, decides.

use super::{abort, deadline, pause, promotion, reset, restart, rollback, step, verdict};
use crate::api::{Kind, ReplicaSet, RolloutStatus, Time};
use crate::plan::{Event, Plan};
use crate::rollout::case::Case;
use crate::rollout::memory::{Cause, Failure};

/// New decisions, as the record that they make.
#[derive(Clone, Debug, Default)]
pub struct Ruling {
    /// The record with the new decisions in it; counts and conditions are the report's.
    pub next: RolloutStatus,
    /// What clients are told of them.
    pub events: Vec<Event>,
    /// Whether a new attempt begins.
    pub reset: bool,
    /// Whether the user took an abort back.
    pub retried: bool,
    /// Whether a person's resume stands for an inconclusive run whose replacement is not there yet.
    pub replacing: bool,
    /// Why the update was aborted just now.
    pub abort_message: Option<String>,
    /// When a decision falls due by time alone.
    pub wake_at: Option<Time>,
}

impl Ruling {
    /// Notes that time alone decides something at `time`.
    pub fn wake(&mut self, time: Time) {
        self.wake_at = Some(self.wake_at.map_or(time, |earlier| earlier.min(time)));
    }

    /// Hands the due time on.
    pub fn wake_plan(&self, plan: &mut Plan) {
        if let Some(time) = self.wake_at {
            plan.wake(time);
        }
    }
}

/// Judges the facts of one look.
pub fn rule(case: &Case<'_>) -> Ruling {
    let mut ruling = Ruling { next: case.status().clone(), ..Ruling::default() };
    avoid_collision(case, &mut ruling);
    if reset::needed(case) {
        reset::begin(case, &mut ruling);
        rollback::skip(case, &mut ruling);
        return ruling;
    }
    restart::judge(case, &mut ruling);
    abort::settle_contradictions(case, &mut ruling);
    verdict::hear(case, &mut ruling);
    pause::lift_for_full_promotion(&mut ruling);
    deadline::judge(case, &mut ruling);
    abort::acknowledge(case, &mut ruling);
    rollback::skip(case, &mut ruling);
    if promotion::judge(case, &mut ruling) || ruling.next.abort {
        return ruling;
    }
    if case.is_canary() {
        if !step::advance(case, &mut ruling) {
            pause::canary(case, &mut ruling);
        }
    } else {
        pause::blue_green(case, &mut ruling);
    }
    ruling
}

/// The name of the new ReplicaSet belongs to somebody else: the next one is computed with another count.
fn avoid_collision(case: &Case<'_>, ruling: &mut Ruling) {
    let name = format!("{}-{}", case.world.rollout.metadata.name, case.world.digest.pod_hash);
    let taken = |failure: &Failure| {
        failure.cause == Cause::NameTaken
            && failure.object.resource.kind == ReplicaSet::KIND
            && failure.object.name == name
    };
    if case.cast.new.is_none() && case.world.memory.failures.iter().any(taken) {
        ruling.next.collision_count = Some(case.status().collision_count.unwrap_or(0).saturating_add(1));
    }
}
