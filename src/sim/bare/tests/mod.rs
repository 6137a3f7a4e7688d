//! The bare core under test.
//!
//! | file | theme |
//! | --- | --- |
//! | [`releases`] | whole releases, their exact events |
//! | [`analysis`] | runs, verdicts, attempts |
//! | [`commands`] | what people do, at every instant |
//! | [`deleted`] | Rollouts that are deleted, Deployments that are applied again and again |
//! | [`evidence`] | verdicts that are unread, or of another attempt; what runs are about |
//! | [`managed`] | header and mirror routes |
//! | [`routes`] | routes of all kinds, by name and by label |
//! | [`failing`] | pods that never come, invalid specifications |
//! | [`churn`] | many pods that come and go all the time |
//! | [`pairs`] | two fields that change in one apply |
//! | [`refused`] | routes that the server will not have |
//! | [`found`] | defects that generated worlds have shown |
//! | [`restarts`] | what a restart costs, with and without the record |
//! | [`scale`] | sizes that follow the weight, floors and thresholds |
//! | [`ping_pong`] | two Services that change roles |
//! | [`takeover`] | worlds that Argo Rollouts left |
//! | [`pods`] | metadata and anti-affinity of pods |
//! | [`restart`] | restarts, at every instant |
//! | [`rollback`] | straight back inside the window |
//! | [`kstatus`] | what readers without knowledge of Rollouts make of the status |
//! | [`contests`] | somebody who writes what we have written again and again |
//! | [`unreached`] | Services with users and without endpoints |
//! | [`health`], [`argo_cd`] | what Argo CD, `kubectl wait` and `siskin status` make of it, against what is so |
//! | [`edited`] | a ReplicaSet's template that somebody has edited |
//! | [`forced`] | an abort of a full promotion |
//! | [`snippets`] | what the documentation tells other tools to read |
//! | [`workload`] | templates that are kept in another workload |
//! | [`recorded`] | clusters recorded from Argo Rollouts |
//! | [`trace`] | every Rollout that is ever stored, with the cluster of the moment |
//! | [`rig`], [`analyst`] | names for what these tests use of [`crate::sim::search`] |
mod analysis;
mod analyst;
mod argo_cd;
mod churn;
mod commands;
mod contests;
mod deleted;
mod downtime;
mod edited;
mod evidence;
mod failing;
mod forced;
mod found;
mod health;
mod kstatus;
mod managed;
mod pairs;
mod ping_pong;
mod pods;
mod recorded;
mod refused;
mod releases;
mod restart;
mod restarts;
mod rig;
mod rollback;
mod routes;
mod scale;
mod snippets;
mod takeover;
mod trace;
mod unreached;
mod workload;
