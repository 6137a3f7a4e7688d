//! What one Rollout's decision can see: snapshots of the objects that concern it, nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::digest::SpecDigest;
use super::memory::Memory;
use super::settings::Settings;
use super::workload::WorkloadView;
use crate::api::{
    AnalysisRun, AnalysisTemplate, ClusterAnalysisTemplate, EndpointSlice, Pod, ReplicaSet, Rollout, Service, names,
};
use crate::plan::ObjectRef;

/// A route that the Rollout names, as it was observed.
#[derive(Clone, Debug)]
pub struct RouteView {
    /// Which route.
    pub object: ObjectRef,
    /// Whether managed routes may be put on it.
    pub header_routes: bool,
    /// The route; `None` where it does not exist.
    pub found: Option<Arc<Value>>,
}

/// Another Rollout that names the same Service or route, and came first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The shared object.
    pub object: ObjectRef,
    /// The Rollout that has it.
    pub owner: String,
}

/// The analysis templates that the Rollout names, directly or through other templates.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// Of the Rollout's namespace, by name.
    pub namespaced: BTreeMap<String, Arc<AnalysisTemplate>>,
    /// Cluster-wide, by name.
    pub cluster: BTreeMap<String, Arc<ClusterAnalysisTemplate>>,
}

/// Everything that a decision about one Rollout rests on.
///
/// ReplicaSets are those that the Rollout owns or could adopt, pods those that these ReplicaSets own; all lists are in
/// a fixed order (age, then name), so that the same world gives the same plan.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The Rollout.
    pub rollout: Arc<Rollout>,
    /// What follows from its specification alone.
    pub digest: Arc<SpecDigest>,
    /// ReplicaSets, oldest first.
    pub replica_sets: Vec<Arc<ReplicaSet>>,
    /// Their pods, oldest first.
    pub pods: Vec<Arc<Pod>>,
    /// Services that the Rollout names and that exist.
    pub services: BTreeMap<String, Arc<Service>>,
    /// Endpoints of these Services.
    pub endpoints: BTreeMap<String, Vec<Arc<EndpointSlice>>>,
    /// Routes that the Rollout names.
    pub routes: Vec<RouteView>,
    /// AnalysisRuns that the Rollout owns, oldest first.
    pub runs: Vec<Arc<AnalysisRun>>,
    /// Templates that the Rollout names.
    pub templates: Templates,
    /// Templates that the Rollout names and runs that it owns which do not decode, each with what is wrong.
    pub unreadable: BTreeMap<ObjectRef, String>,
    /// The workload that the template comes from. `rollout` has the template in it already.
    pub workload: WorkloadView,
    /// Objects that belong to somebody else.
    pub claims: Vec<Claim>,
    /// What earlier looks left behind.
    pub memory: Memory,
    /// What the operator chose.
    pub settings: Arc<Settings>,
}

impl World {
    /// Wanted pods: `spec.replicas`; where it is absent, what already runs (here, or in the Deployment that the template
    /// comes from), and never less than one.
    ///
    /// Argo writes 1 into an absent field, which takes a running workload down to one pod; nothing is written here (I20).
    pub fn replicas(&self) -> i32 {
        self.rollout.spec.replicas.unwrap_or_else(|| {
            let stable = &self.rollout.status.stable_rs;
            if crate::mutant!("absent-replicas-are-one") {
                return 1;
            }
            let sizes = self.replica_sets.iter().filter(|rs| rs.pod_hash() == stable).map(|rs| whole(rs));
            let deployment = self.workload.deployment().map(|(_, deployment)| deployment.wanted());
            sizes.chain(deployment).max().unwrap_or(1).max(1)
        })
    }

    /// A Service by name, if it exists.
    pub fn service(&self, name: &str) -> Option<&Arc<Service>> {
        self.services.get(name)
    }
}

/// Pods that a revision stood for when it was scaled last: in the middle of an update it is smaller than that, and while
/// its pods are restarted one larger, which must not count: the next look would take that for the scale, and add one more.
fn whole(rs: &ReplicaSet) -> i32 {
    let noted = rs.metadata.annotation(names::DESIRED_REPLICAS).and_then(|text| text.parse::<i32>().ok());
    noted.unwrap_or_else(|| rs.wanted())
}
