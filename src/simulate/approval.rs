//! The person who approves pauses, or does not come.

use std::time::Duration;

use super::options::Approval;
use super::steps::waits_for_a_person;
use crate::api::{Rollout, Time};

/// What the person does.
pub(super) enum Answer {
    /// Nothing is asked, or it is not time yet.
    None,
    /// Approves, after this wait.
    Approve(Duration),
    /// Nobody comes; what is asked.
    Stop(String),
}

/// Waits with the Rollout.
pub(super) struct Approvals {
    approval: Approval,
    asked: Option<Time>,
}

impl Approvals {
    pub fn new(approval: Approval) -> Self {
        Self { approval, asked: None }
    }

    /// When the person comes.
    pub fn due(&self) -> Option<Time> {
        match self.approval {
            Approval::After(wait) => self.asked.map(|asked| asked + wait),
            Approval::Never => None,
        }
    }

    /// What the person does now. Pauses that are a question about the new version are never approved: an inconclusive
    /// analysis wants a decision, and nobody here can make it.
    pub fn answer(&mut self, rollout: &Rollout, now: Time) -> Answer {
        let Some(why) = waits_for_a_person(rollout) else {
            self.asked = None;
            return Answer::None;
        };
        let is_question = rollout.spec.paused || rollout.status.pause("InconclusiveAnalysisRun").is_some();
        let Approval::After(wait) = self.approval else { return Answer::Stop(why) };
        if is_question {
            return Answer::Stop(why);
        }
        let asked = *self.asked.get_or_insert(now);
        if asked + wait > now {
            return Answer::None;
        }
        self.asked = None;
        Answer::Approve(now.since(asked))
    }
}
