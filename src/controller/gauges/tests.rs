use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::controller::cached::CachedRollout;
use crate::controller::caches::Queues;
use crate::runtime::clock::Clock;
use crate::runtime::object::{Entry, Invalid};
use crate::runtime::queue::Queue;
use crate::telemetry::metrics::Metrics;

/// Every metric of the contract (wire §4) with its labels. Not here: those of Experiments, which are not supported yet.
const CONTRACT: &[(&str, &str)] = &[
    ("rollout_info", "name namespace phase strategy traffic_router"),
    ("rollout_info_replicas_available", "name namespace"),
    ("rollout_info_replicas_unavailable", "name namespace"),
    ("rollout_info_replicas_desired", "name namespace"),
    ("rollout_info_replicas_updated", "name namespace"),
    ("rollout_phase", "name namespace phase strategy"),
    ("analysis_run_info", "name namespace phase"),
    ("analysis_run_phase", "name namespace phase"),
    ("analysis_run_metric_type", "metric name namespace type"),
    ("analysis_run_metric_phase", "dry_run metric name namespace phase type"),
    ("analysis_template_info", "name namespace"),
    ("analysis_template_metric_info", "metric name namespace type"),
    ("argo_rollouts_controller_info", "version"),
    ("build_info", "commit goarch goversion version"),
    ("rollout_reconcile", "name namespace"),
    ("analysis_run_reconcile", "name namespace"),
    ("rollout_reconcile_error", "name namespace"),
    ("analysis_run_reconcile_error", "name namespace"),
    ("rollout_events_total", "name namespace reason type"),
    ("rollout_duration_seconds", "status"),
    ("rollout_progression_duration_seconds", "status"),
    ("rollout_manual_pause_duration_seconds", "status"),
    ("notification_send_success", "name namespace reason type"),
    ("notification_send_error", "name namespace reason type"),
    ("notification_send", "name namespace"),
    ("controller_clientset_k8s_request_total", "kind name namespace status_code verb"),
    ("workqueue_adds_total", "name"),
    ("workqueue_depth", "name"),
    ("workqueue_queue_duration_seconds", "name"),
    ("workqueue_work_duration_seconds", "name"),
    ("workqueue_unfinished_work_seconds", "name"),
    ("workqueue_longest_running_processor_seconds", "name"),
    ("workqueue_retries_total", "name"),
    ("go_memstats_heap_alloc_bytes", ""),
    ("process_start_time_seconds", ""),
];

/// Of the process, and names of Siskin's own.
const BESIDE: [&str; 3] = ["process_", "siskin_", "cache_lag_total"];

fn decoded<K: serde::de::DeserializeOwned>(object: Value) -> Entry<K> {
    Entry::Valid(Arc::new(serde_json::from_value(object).unwrap()))
}

fn metric() -> Value {
    json!({"name": "errors", "provider": {"prometheus": {"query": "1"}}})
}

fn caches(metrics: &Metrics) -> Caches {
    let clock = Clock::real();
    let queues = Queues {
        rollouts: Queue::new(clock.clone(), metrics.queue("Rollouts"), 1),
        runs: Queue::new(clock.clone(), metrics.queue("AnalysisRuns"), 2),
        services: Queue::new(clock.clone(), metrics.queue("Services"), 3),
        deployments: Queue::new(clock, metrics.queue("Deployments"), 4),
    };
    let caches = Caches::new(&queues);
    let meta = json!({"namespace": "shop", "name": "web"});
    let rollout =
        json!({"metadata": meta, "spec": {"strategy": {"canary": {"trafficRouting": {"nginx": {}, "istio": {}}}}}});
    caches.rollouts.apply(&Entry::Valid(Arc::new(CachedRollout::of(&rollout).unwrap())));
    let broken = Meta { namespace: "shop".into(), name: "broken".into(), ..Meta::default() };
    caches.rollouts.apply(&Entry::Invalid(Arc::new(Invalid { meta: broken, error: "?".into() })));
    let result = json!({"name": "errors", "phase": "Running", "dryRun": true});
    caches.runs.apply(&decoded(json!({
        "metadata": meta, "spec": {"metrics": [metric()]}, "status": {"phase": "Running", "metricResults": [result]},
    })));
    caches.templates.apply(&decoded(json!({"metadata": meta, "spec": {"metrics": [metric()]}})));
    caches
}

/// Everything that has no series before something happens.
fn touch(metrics: &Metrics) {
    for kind in [&metrics.rollouts, &metrics.analysis_runs] {
        kind.took("shop", "web", Duration::from_millis(1));
        kind.failed("shop", "web");
    }
    for counter in [&metrics.rollout_events, &metrics.notification_success, &metrics.notification_error] {
        counter.with_label_values(&["shop", "web", "Normal", "RolloutUpdated"]).inc();
    }
    for histogram in [&metrics.rollout_duration, &metrics.rollout_progression, &metrics.rollout_manual_pause] {
        histogram.with_label_values(&["Promoted"]).observe(1.0);
    }
    metrics.notification_duration.with_label_values(&["shop", "web"]).observe(1.0);
    metrics.requests.with_label_values(&["rollouts", "shop", "web", "Patch", "200"]).inc();
}

/// Names and labels of a text in Prometheus' format.
fn exposed(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut kinds = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, _)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kinds.insert(name.to_owned(), BTreeSet::new());
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (series, labels) = line.split_once('{').unwrap_or((line, ""));
        let series = series.split(' ').next().unwrap();
        let family = ["", "_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| kinds.contains_key(series.strip_suffix(end)?).then(|| series.strip_suffix(end).unwrap()));
        let found = kinds.get_mut(family.unwrap()).unwrap();
        let labels = labels.split_once('}').map_or("", |(labels, _)| labels);
        found.extend(labels.split("\",").filter_map(|label| label.split('=').next()).map(str::to_owned));
        found.remove("le");
        found.remove("");
    }
    kinds
}

#[tokio::test]
async fn names_and_labels_are_the_contracts() {
    let metrics = Metrics::new().unwrap();
    metrics.register(Gauges::new(caches(&metrics), metrics.clone()).unwrap()).unwrap();
    touch(&metrics);
    let text = metrics.render().unwrap();
    let mut found = exposed(&text);
    for (name, labels) in CONTRACT {
        let labels: BTreeSet<String> = labels.split_whitespace().map(str::to_owned).collect();
        assert_eq!(found.remove(*name), Some(labels), "{name}");
    }
    let rest: Vec<&String> = found.keys().filter(|name| BESIDE.iter().all(|own| !name.starts_with(own))).collect();
    assert_eq!(rest, [""; 0], "metrics that the contract does not know");
    for line in [
        r#"rollout_info{name="web",namespace="shop",phase="Progressing",strategy="canary",traffic_router="Nginx"} 1"#,
        r#"rollout_info{name="broken",namespace="shop",phase="InvalidSpec",strategy="none",traffic_router=""} 1"#,
        r#"analysis_run_metric_type{metric="errors",name="web",namespace="shop",type="Prometheus"} 1"#,
        r#"analysis_template_metric_info{metric="errors",name="web",namespace="shop",type="Prometheus"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let phases = text.lines().filter(|line| line.starts_with("analysis_run_metric_phase{"));
    let set: Vec<&str> = phases.filter(|line| line.ends_with(" 1")).collect();
    assert!(set.len() == 1 && set[0].contains(r#"phase="Running""#) && set[0].contains(r#"dry_run="true""#), "{set:?}");
}
