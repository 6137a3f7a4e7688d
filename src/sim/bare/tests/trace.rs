//! Every Rollout that is ever stored, each with the cluster as it was just then: what tools that read a status may meet.

use std::sync::Arc;

use serde_json::Value;

use super::rig::{KEY, Rig};
use crate::rollout::Settings;
use crate::rollout::settings::StatusDialect;
use crate::sim::api_server::Cursor;
use crate::sim::checker::check::CONTROLLER;
use crate::sim::checker::state::State;

/// A rig, and whoever writes down each Rollout that is stored in it.
pub struct Trace {
    /// The rig; no Rollout yet.
    pub rig: Rig,
    cursor: Cursor,
    cluster: State,
}

/// A Rollout just after it was stored.
pub struct Moment {
    /// The Rollout.
    pub rollout: Arc<Value>,
    /// Everything else that was stored then.
    pub cluster: State,
    /// Whether the controller has just said how it stands.
    pub told: bool,
}

impl Trace {
    /// A cluster with a data plane whose controller speaks a dialect.
    pub fn new(dialect: StatusDialect) -> Self {
        let mut rig = Rig::bare(1, Some(()));
        rig.core.settings = Arc::new(Settings { dialect, ..Settings::default() });
        let cursor = rig.core.cluster.server.subscribe_after(0);
        Self { rig, cursor, cluster: State::default() }
    }

    /// Lets time pass; returns what was stored on the way, also just before.
    pub fn run(&mut self, seconds: u64) -> Vec<Moment> {
        self.rig.run(seconds).unwrap();
        let mut moments = Vec::new();
        for entry in self.cursor.drain().unwrap() {
            self.cluster.apply(&entry);
            if let Some(rollout) = entry.after.clone().filter(|_| entry.kind == "Rollout") {
                let told = entry.actor == CONTROLLER && entry.subresource.as_deref() == Some("status");
                moments.push(Moment { rollout, cluster: self.cluster.clone(), told });
            }
        }
        moments
    }

    /// The Rollout as it is stored now.
    pub fn stored(&self) -> Value {
        (*self.rig.core.user().get("Rollout", KEY.0, KEY.1).unwrap()).clone()
    }
}
