//! Which Services stand for the two sides of a canary.

use crate::api::rollout::Rollout;

/// `status.canary.stablePingPong` while the ping Service is the stable one.
pub const PING: &str = "ping";
/// `status.canary.stablePingPong` while the pong Service is the stable one; empty means the same.
pub const PONG: &str = "pong";

/// The Services in front of the canary and of the stable revision; empty where none is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides<'r> {
    /// In front of the new revision.
    pub canary: &'r str,
    /// In front of the stable revision.
    pub stable: &'r str,
    /// Whether the two change roles at each promotion.
    pub ping_pong: bool,
}

impl<'r> Sides<'r> {
    /// The Services by specification and record. Source: contract, behaviour §8.3.
    pub fn of(rollout: &'r Rollout) -> Self {
        let Some(canary) = &rollout.spec.strategy.canary else { return Self::default() };
        let Some(pair) = &canary.ping_pong else {
            return Self { canary: &canary.canary_service, stable: &canary.stable_service, ping_pong: false };
        };
        let (ping, pong) = (pair.ping_service.as_str(), pair.pong_service.as_str());
        let (canary, stable) = if rollout.status.canary.stable_ping_pong == PING { (pong, ping) } else { (ping, pong) };
        Self { canary, stable, ping_pong: true }
    }
}

/// Which Service is the stable one after a promotion: the one that was the canary's.
pub fn flipped(stable: &str) -> &'static str {
    if stable == PING { PONG } else { PING }
}
