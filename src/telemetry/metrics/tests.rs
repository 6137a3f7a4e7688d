use super::*;

#[test]
fn names_and_form_are_gos() {
    let metrics = Metrics::new().unwrap();
    metrics.rollouts.took("shop", "web", Duration::from_millis(200));
    metrics.rollouts.failed("shop", "web");
    metrics.rollout_duration.with_label_values(&["Promoted"]).observe(31.0);
    let queue = metrics.queue("Rollouts");
    queue.adds.inc();
    queue.waited(Duration::from_micros(5));
    queue.probe(|| (Duration::from_secs(3), Duration::from_secs(2)));
    let text = metrics.render().unwrap();
    for line in [
        r#"rollout_reconcile_error{name="web",namespace="shop"} 1"#,
        r#"rollout_reconcile_bucket{name="web",namespace="shop",le="1"} 1"#,
        r#"rollout_duration_seconds_bucket{status="Promoted",le="60"} 1"#,
        r#"workqueue_adds_total{name="Rollouts"} 1"#,
        r#"workqueue_unfinished_work_seconds{name="Rollouts"} 3"#,
        r#"workqueue_longest_running_processor_seconds{name="Rollouts"} 2"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("process_start_time_seconds"));
}

#[test]
fn a_forgotten_object_leaves_nothing_behind() {
    let metrics = Metrics::new().unwrap();
    for name in ["gone", "kept"] {
        metrics.rollouts.failed("shop", name);
        metrics.analysis_runs.failed("shop", name);
        metrics.rollout_events.with_label_values(&["shop", name, "Normal", "RolloutUpdated"]).inc();
        for kind in ["rollouts", "analysisruns"] {
            metrics.requests.with_label_values(&[kind, "shop", name, "Patch", "200"]).inc();
        }
    }
    metrics.forget_rollout("shop", "gone");
    let text = metrics.render().unwrap();
    assert_eq!(text.matches(r#"name="gone""#).count(), 2, "a run of the same name keeps its own: {text}");
    metrics.forget_run("shop", "gone");
    let text = metrics.render().unwrap();
    assert!(!text.contains(r#"name="gone""#), "{text}");
    assert_eq!(text.matches(r#"name="kept""#).count(), 5);
}

#[test]
fn a_name_can_be_taken_once() {
    let metrics = Metrics::new().unwrap();
    let twin = IntCounter::new("rollout_events_total", "Another.").unwrap();
    assert!(metrics.register(twin).is_err());
}
