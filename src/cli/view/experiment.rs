//! Gathers Experiments and AnalysisRuns with what belongs to them.

use std::cmp::Reverse;

use super::info::{AnalysisRunInfo, ExperimentInfo, InfoMeta, JobInfo, NonJobInfo};
use super::objects::Objects;
use super::paint::analysis_icon;
use super::rollout::{is_owned, replica_sets_of};
use crate::api::analysis::{Measurement, MetricResult};
use crate::api::meta::Meta;
use crate::api::names::REVISION;
use crate::api::{AnalysisRun, Experiment};

/// Key of a measurement's metadata: the Job that takes it.
const JOB_NAME: &str = "job-name";
/// Key of a measurement's metadata: the Job's namespace.
const JOB_NAMESPACE: &str = "job-namespace";

/// The revision that an object is marked with; 0 where it is not.
pub(super) fn revision_of(meta: &Meta) -> i64 {
    meta.annotation(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Everything that the objects say of an Experiment.
pub fn experiment_info(experiment: &Experiment, objects: &Objects) -> ExperimentInfo {
    let uid = &experiment.metadata.uid;
    ExperimentInfo {
        object_meta: InfoMeta::brief(&experiment.metadata),
        icon: analysis_icon(&experiment.status.phase).to_owned(),
        revision: revision_of(&experiment.metadata),
        status: experiment.status.phase.clone(),
        message: experiment.status.message.clone(),
        replica_sets: replica_sets_of(uid, None, objects),
        analysis_runs: runs_of(uid, objects),
    }
}

/// Experiments of a Rollout, newest revision first, then oldest first.
pub(super) fn experiments_of(uid: &str, objects: &Objects) -> Vec<ExperimentInfo> {
    let owned = objects.experiments.iter().filter(|experiment| is_owned(&experiment.metadata, uid));
    let mut infos: Vec<ExperimentInfo> = owned.map(|experiment| experiment_info(experiment, objects)).collect();
    infos.sort_by_key(|info| {
        (Reverse(info.revision), info.object_meta.creation_timestamp, info.object_meta.name.clone())
    });
    infos
}

/// AnalysisRuns of a Rollout or an Experiment, newest revision first, then oldest first.
pub(super) fn runs_of(uid: &str, objects: &Objects) -> Vec<AnalysisRunInfo> {
    let mut infos: Vec<AnalysisRunInfo> =
        objects.runs.iter().filter(|run| is_owned(&run.metadata, uid)).map(run_info).collect();
    infos.sort_by_key(|info| {
        let name = Reverse(info.object_meta.name.clone());
        (Reverse(info.revision), info.object_meta.creation_timestamp, name)
    });
    infos
}

fn run_info(run: &AnalysisRun) -> AnalysisRunInfo {
    let phase = &run.status.phase;
    let mut info = AnalysisRunInfo {
        object_meta: InfoMeta::brief(&run.metadata),
        icon: analysis_icon(phase).to_owned(),
        revision: revision_of(&run.metadata),
        status: phase.clone(),
        ..AnalysisRunInfo::default()
    };
    for result in &run.status.metric_results {
        info.successful = info.successful.saturating_add(result.successful);
        info.failed = info.failed.saturating_add(result.failed);
        info.inconclusive = info.inconclusive.saturating_add(result.inconclusive);
        info.error = info.error.saturating_add(result.error);
        for measurement in &result.measurements {
            add_measurement(&mut info, result, measurement);
        }
    }
    info
}

/// Jobs are known from the measurements, not from Job objects: those may be gone, or in another cluster.
fn add_measurement(info: &mut AnalysisRunInfo, result: &MetricResult, measurement: &Measurement) {
    let Some(job) = measurement.metadata.get(JOB_NAME) else {
        if measurement.metadata.is_empty() {
            info.non_job_info.push(NonJobInfo {
                value: measurement.value.clone(),
                status: measurement.phase.clone(),
                metric_name: result.name.clone(),
                started_at: measurement.started_at,
            });
        }
        return;
    };
    info.jobs.push(JobInfo {
        object_meta: InfoMeta {
            name: job.clone(),
            namespace: measurement.metadata.get(JOB_NAMESPACE).cloned().unwrap_or_default(),
            creation_timestamp: measurement.started_at,
            ..InfoMeta::default()
        },
        status: measurement.phase.clone(),
        icon: analysis_icon(&measurement.phase).to_owned(),
        metric_name: result.name.clone(),
        started_at: measurement.started_at,
    });
}
