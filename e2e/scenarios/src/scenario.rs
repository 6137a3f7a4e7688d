//! What a scenario is: a name, a promise, what it needs, and the play itself.

use crate::cluster::Cluster;
use crate::rig::{Outcome, Rig};

/// Whether a scenario releases a version that answers with errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// It does; only requests that are lost fail the scenario.
    Expected,
    /// Every version is good: an error is one too many.
    None,
}

/// A scenario.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own, asked in another place")]
pub struct Scenario {
    /// Its name, also a part of its namespace's.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Which errors of the application it brings.
    pub errors: Errors,
    /// Whether it is one of the few that stand for all where time is short.
    pub smoke: bool,
    /// Whether it lasts so long that it has to begin early.
    pub long: bool,
    /// Whether its effects are compared with those on file: see `effects`.
    pub parity: bool,
    /// Whether it runs the real kubectl.
    kubectl: bool,
    /// The scenario itself.
    pub play: fn(&Rig) -> Outcome,
}

/// A scenario of good versions.
pub const fn good(name: &'static str, about: &'static str, play: fn(&Rig) -> Outcome) -> Scenario {
    let (smoke, long, parity, kubectl) = (false, false, false, false);
    Scenario { name, about, errors: Errors::None, smoke, long, parity, kubectl, play }
}

/// A scenario that releases a version that answers with errors.
pub const fn bad(name: &'static str, about: &'static str, play: fn(&Rig) -> Outcome) -> Scenario {
    Scenario { errors: Errors::Expected, ..good(name, about, play) }
}

impl Scenario {
    /// Makes it one of those that stand for all.
    pub const fn smoke(self) -> Self {
        Self { smoke: true, ..self }
    }

    /// Lets it begin early.
    pub const fn long(self) -> Self {
        Self { long: true, ..self }
    }

    /// Compares its effects with those on file.
    pub const fn parity(self) -> Self {
        Self { parity: true, ..self }
    }

    /// It runs the real kubectl.
    pub const fn with_kubectl(self) -> Self {
        Self { kubectl: true, ..self }
    }

    /// Why it cannot be played on a cluster.
    pub fn obstacle(&self, cluster: &Cluster) -> Option<&'static str> {
        let kubectl = self.kubectl && cluster.kubectl.is_none();
        kubectl.then_some("there is no kubectl on this machine")
    }
}
