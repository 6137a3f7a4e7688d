//! Long connections: requests of a user stay with the pod that the connection was opened to, whatever selectors and
//! weights say since, until the pod closes it or is gone.

use super::flow::{Choice, Pods, Reason};
use crate::api::Time;
use crate::sim::models::gateway::Key;
use std::time::Duration;

/// How a load's requests travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connections {
    /// Each request on its own.
    #[default]
    PerRequest,
    /// Over this many connections, in turn.
    KeepAlive {
        /// At least 1.
        count: usize,
        /// A connection is opened anew after this; zero: never.
        lifetime: Duration,
    },
}

#[derive(Clone, Debug)]
struct Pinned {
    opened: Time,
    service: Key,
    pod: String,
    uid: String,
}

/// The open connections of one load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    open: Vec<Option<Pinned>>,
    next: usize,
}

/// What a connection says to the next request.
pub(crate) enum Way {
    /// It has to be opened first; the place in the pool.
    Open(usize),
    /// It leads to this pod.
    To(Choice),
    /// It broke: the pod vanished under it.
    Broken(Reason, String),
}

impl Pool {
    /// The way of the next request; none where there are no connections.
    pub fn next(&mut self, kind: Connections, pods: &mut Pods<'_>, now: Time) -> Option<Way> {
        let Connections::KeepAlive { count, lifetime } = kind else { return None };
        self.open.resize(count.max(1), None);
        let place = self.next % self.open.len();
        self.next = place + 1;
        let Some(pinned) = self.open.get(place).cloned().flatten() else { return Some(Way::Open(place)) };
        let facts = pods.get(&(pinned.service.0.clone(), pinned.pod.clone())).filter(|pod| pod.uid == pinned.uid);
        let old = !lifetime.is_zero() && pinned.opened + lifetime <= now;
        Some(match facts {
            // A pod that stops closes its connections in order: the user opens another.
            Some(pod) if pod.is_stopping || old => self.forget(place, Way::Open(place)),
            Some(pod) if pod.is_running => Way::To(Choice { service: pinned.service, pod }),
            _ => self.forget(place, Way::Broken(Reason::DeadPod, pinned.service.1)),
        })
    }

    fn forget(&mut self, place: usize, way: Way) -> Way {
        if let Some(slot) = self.open.get_mut(place) {
            *slot = None;
        }
        way
    }

    /// Keeps the connection that was opened to a pod.
    pub fn keep(&mut self, place: usize, choice: &Choice, pod: String, now: Time) {
        if let Some(slot) = self.open.get_mut(place) {
            let uid = choice.pod.uid.clone();
            *slot = Some(Pinned { opened: now, service: choice.service.clone(), pod, uid });
        }
    }
}
