//! Plans of a controller whose writes meet no trouble, and whose view shows each of them at once.

use super::apply::{Applied, Means, Progress, Run};
use super::strike::Strikes;
use crate::plan::Plan;
use crate::runtime::clock::Clock;
use crate::runtime::expectations::Expectations;
use crate::runtime::lease::Fence;
use crate::runtime::object::ObjectKey;
use crate::sim::api_server::Hand;
use crate::sim::clock::ManualClock;

/// Carries out plans for one Rollout.
pub struct Calm {
    hand: Hand,
    owner: ObjectKey,
    expectations: Expectations<ObjectKey>,
    fence: Fence,
}

impl Calm {
    /// Writes through `hand`, for the Rollout `namespace/name`.
    pub fn new(hand: Hand, clock: &ManualClock, (namespace, name): (&str, &str)) -> Self {
        let told = Clock::told(clock.now(), 1.0);
        let expectations = Expectations::new(told.clone());
        Self { hand, owner: ObjectKey::new(namespace, name), expectations, fence: Fence::open(told) }
    }

    /// Carries out a plan to its end.
    pub fn carry_out(&self, plan: Plan) -> Applied {
        let mut means = Means {
            hand: &self.hand,
            strikes: &mut Strikes::default(),
            expectations: &self.expectations,
            fence: &self.fence,
        };
        let progress = Run::new(plan, self.owner.clone()).go_on(&mut means);
        // Nobody waits: the view has seen it all.
        self.expectations.clear(&self.owner);
        match progress {
            Progress::Done(applied) => applied,
            // Only an ordered strike freezes a process, and none is.
            Progress::Frozen(..) => Applied::default(),
        }
    }
}
