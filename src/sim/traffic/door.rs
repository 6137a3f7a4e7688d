//! A door for users from outside of the model: whoever speaks HTTP to it brings one request at a time, each of which
//! goes the way that the data plane's view says at that moment, and is counted like those of the model's own users.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::flow::{Outcome, Pods, Reason, Target, answer, lead};
use super::loads::Loads;
use super::record::Record;
use crate::sim::api_server::Hand;
use crate::sim::models::DataPlane;
use crate::sim::models::gateway::Key;
use crate::sim::object;
use crate::sim::random::SplitMix;

/// The door. Clones are handles to the same one.
#[derive(Clone)]
pub struct Door {
    pub(super) hand: Hand,
    pub(super) plane: DataPlane,
    pub(super) record: Arc<Mutex<Record>>,
    pub(super) loads: Arc<Mutex<Loads>>,
    pub(super) random: Arc<Mutex<SplitMix>>,
}

/// What became of a request from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What became of it.
    pub outcome: Outcome,
    /// Name of the pod that answered; empty where none did.
    pub pod: String,
}

impl Door {
    /// The route of a host, as far as the data plane has it: the first by namespace and name that names the host.
    pub fn route_of(&self, host: &str) -> Option<Key> {
        let view = self.plane.lock();
        let mut routes = view.routes.iter();
        let names = |spec| object::list(spec, "/hostnames").iter().any(|name| name.as_str() == Some(host));
        routes.find(|(_, (_, spec))| names(spec)).map(|(key, _)| key.clone())
    }

    /// Takes one request in. The names of `headers` are in lower case.
    pub fn ask(&self, target: &Target, headers: &BTreeMap<String, String>) -> Reply {
        let now = self.hand.server().now();
        let mut random = self.random.lock();
        let mut pods = Pods { hand: &self.hand, now, known: BTreeMap::new() };
        let led = lead((target, headers), &self.plane.lock(), &mut pods, &mut random);
        let (outcome, took, pod) = match led {
            Ok((choice, pod)) => {
                let (outcome, took) = answer(choice, &mut self.loads.lock(), &mut random, now);
                (outcome, took, pod)
            }
            Err(astray) => (astray.into(), None, String::new()),
        };
        let mut record = self.record.lock();
        record.add(&outcome, now);
        if let Some(seconds) = took {
            record.took(&outcome, seconds, now);
        }
        let pod = if matches!(outcome, Outcome::Lost { .. }) { String::new() } else { pod };
        Reply { outcome, pod }
    }
}

impl Reason {
    /// Why, in the words of a proxy's own answer.
    pub const fn as_text(self) -> &'static str {
        match self {
            Self::NoBackend => "no route",
            Self::NoEndpoint => "no healthy upstream",
            Self::DeadPod => "upstream connect error: the pod is gone",
            Self::Draining => "upstream connect error: the pod refuses",
            Self::Overload => "upstream connect error: the pod is overloaded",
        }
    }
}
