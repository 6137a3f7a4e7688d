//! What the caller wants simulated, beside the files.

use std::time::Duration;

use serde_json::Value;

use super::behaviour::{Behaviour, Version};
use super::fault::Fault;
use super::load::Users;

/// How the new version differs from the old one.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A tag that nobody has used.
    Tag,
    /// A container's image.
    Image {
        /// Name of the container; `*` for all.
        container: String,
        /// The image.
        image: String,
    },
    /// A patch of the Rollout (or of the workload that it refers to), lists of named objects merged by name.
    Patch {
        /// Name of its file.
        file: String,
        /// The patch.
        patch: Value,
    },
}

/// What is done about pauses that wait for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// They are approved after so long.
    After(Duration),
    /// The simulation ends there.
    Never,
}

/// Whether the number of replicas follows the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autoscaling {
    /// Where a `HorizontalPodAutoscaler` is in the files.
    AsWritten,
    /// Also where none is.
    Always,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespace of objects that name none.
    pub namespace: String,
    /// Which Rollout, where the files hold several.
    pub rollout: Option<String>,
    /// What the new version is.
    pub change: Change,
    /// Requests.
    pub users: Users,
    /// What is said of the versions, in order.
    pub versions: Vec<(Version, Behaviour)>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Replicas.
    pub autoscaling: Autoscaling,
    /// Pauses without a duration.
    pub approval: Approval,
    /// When the simulation gives up; none: two hours beyond twice all pauses.
    pub until: Option<Duration>,
    /// Of all chance.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespace: "default".to_owned(),
            rollout: None,
            change: Change::Tag,
            users: Users::default(),
            versions: Vec::new(),
            faults: Vec::new(),
            autoscaling: Autoscaling::AsWritten,
            approval: Approval::After(Duration::from_mins(1)),
            until: None,
            seed: 1,
        }
    }
}

impl Options {
    /// How a version behaves, as far as it is said.
    pub fn behaviour(&self, version: Version) -> Behaviour {
        let mut behaviour = Behaviour::default();
        for (_, said) in self.versions.iter().filter(|(of, _)| *of == version) {
            behaviour.join(said.clone());
        }
        behaviour
    }
}
