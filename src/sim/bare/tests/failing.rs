//! Pods that never come, specifications that cannot be carried out.

use serde_json::{Value, json};

use super::rig::{KEY, Rig, analysis_template, service, spec, template};
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;

const DEADLINE: u64 = 60;

fn failing(strategy: &Value, behaviour: &str, extra: &Value) -> Rig {
    let mut spec = spec(strategy);
    spec["progressDeadlineSeconds"] = json!(DEADLINE);
    json_patch::merge(&mut spec, extra);
    let mut rig = Rig::new(&spec);
    rig.run(20).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.edit(&json!({"spec": {"template": template("shop:bad", behaviour, "0.5")}}));
    rig
}

fn strategies() -> [Value; 3] {
    let routing = json!({"gatewayAPI": {"httpRoute": "shop"}});
    [
        json!({"canary": {"steps": [{"setWeight": 20}]}}),
        json!({"canary": {"canaryService": "shop-canary", "stableService": "shop-stable", "trafficRouting": routing, "steps": [{"setWeight": 20}]}}),
        json!({"blueGreen": {"activeService": "shop-active", "previewService": "shop-preview"}}),
    ]
}

#[test]
fn the_deadline_passes_once_and_not_before() {
    for strategy in strategies() {
        for behaviour in ["never-pulls", "crash-loop", "never-ready"] {
            let mut rig = failing(&strategy, behaviour, &json!({}));
            rig.run(DEADLINE - 5).unwrap();
            assert!(rig.shown().starts_with("Progressing"), "{strategy} {behaviour}: {}", rig.shown());
            rig.run(10).unwrap();
            assert!(
                rig.shown().starts_with("Degraded ProgressDeadlineExceeded"),
                "{strategy} {behaviour}: {}",
                rig.story(&rig.shown())
            );
            rig.rest().unwrap();
        }
    }
}

#[test]
fn a_crash_loop_is_no_progress() {
    for strategy in strategies() {
        let mut rig = failing(&strategy, "never-ready", &json!({}));
        let mut degraded = None;
        for second in 0..150 {
            rig.run(1).unwrap();
            let user = rig.core.user();
            let bad = user.list("Pod", KEY.0);
            for pod in bad.iter().filter(|pod| object::text(pod, "/spec/containers/0/image") == "shop:bad").take(1) {
                let behaviour = if second % 4 < 2 { Value::Null } else { json!("never-ready") };
                user.merge(
                    "Pod",
                    (KEY.0, object::name(pod)),
                    &json!({"metadata": {"annotations": {BEHAVIOUR: behaviour}}}),
                )
                .unwrap();
            }
            if rig.shown().starts_with("Degraded ProgressDeadlineExceeded") {
                degraded = Some(second);
                break;
            }
        }
        let degraded = degraded.unwrap_or_else(|| panic!("{strategy}: {}", rig.story("never degraded")));
        assert!((DEADLINE - 5..DEADLINE + 10).contains(&degraded), "{strategy}: after {degraded} s");
    }
}

#[test]
fn the_deadline_aborts_where_it_should() {
    for strategy in strategies() {
        let mut rig = failing(&strategy, "crash-loop", &json!({"progressDeadlineAbort": true}));
        rig.run(DEADLINE + 10).unwrap();
        let shown = rig.shown();
        assert!(
            shown.starts_with("Degraded RolloutAborted") && shown.contains("timed out progressing"),
            "{strategy}: {shown}"
        );
        rig.rest().unwrap();
    }
}

#[test]
fn a_new_template_starts_the_clock_anew() {
    let mut rig = failing(&strategies()[0], "crash-loop", &json!({"progressDeadlineAbort": true}));
    rig.run(DEADLINE + 100).unwrap();
    rig.update("shop:3");
    rig.edit(&json!({"spec": {"template": {"metadata": {"annotations": {BEHAVIOUR: null}}}}}));
    rig.run(30).unwrap();
    assert_eq!(rig.shown(), "Healthy");
}

#[test]
fn fail_fast_does_not_wait() {
    for strategy in strategies() {
        let mut rig = failing(&strategy, "never-ready", &json!({"failFast": true}));
        rig.run(5).unwrap();
        let user = rig.core.user();
        let pods = user.list("Pod", KEY.0);
        let pod = pods.iter().find(|pod| object::text(pod, "/spec/containers/0/image") == "shop:bad").unwrap();
        let waiting = json!([{"name": "shop", "image": "shop:bad", "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "InvalidImageName", "message": "couldn't parse image"}}}]);
        user.merge_status("Pod", (KEY.0, object::name(pod)), &json!({"status": {"containerStatuses": waiting}}))
            .unwrap();
        rig.core.settle().unwrap();
        let shown = rig.shown();
        assert!(
            shown.starts_with("Degraded RolloutAborted") && shown.contains("InvalidImageName"),
            "{strategy}: {shown}"
        );
    }
}

/// What passes by itself is given time: registries and programs another attempt, nodes and quotas some minutes.
#[test]
fn fail_fast_gives_time_to_what_may_pass() {
    let patient = json!({"failFast": true, "progressDeadlineSeconds": 3600});
    let quota = json!({"metadata": {"namespace": KEY.0, "name": "small"}, "spec": {"hard": {"pods": "4"}}});
    let cases = [
        ("never-pulls", "ImagePullBackOff", 75),
        ("crash-loop", "CrashLoopBackOff", 75),
        ("", "exceeded quota: small", 300),
    ];
    for strategy in strategies() {
        for (behaviour, said, patience) in cases {
            let mut rig = failing(&strategy, "never-ready", &patient);
            if behaviour.is_empty() {
                rig.core.user().create("ResourceQuota", quota.clone()).unwrap();
            }
            rig.edit(&json!({"spec": {"template": template("shop:worse", behaviour, "0.5")}}));
            rig.run(patience - 10).unwrap();
            assert!(rig.shown().starts_with("Progressing"), "{strategy} {said}: {}", rig.story(&rig.shown()));
            rig.run(20).unwrap();
            let shown = rig.shown();
            let aborted = shown.starts_with("Degraded RolloutAborted") && shown.contains(said);
            assert!(aborted, "{strategy} {said}: {}", rig.story(&shown));
            rig.rest().unwrap();
        }
    }
}

/// What needs four minutes to become free is in time.
#[test]
fn fail_fast_waits_for_room() {
    let mut rig = failing(&strategies()[2], "never-ready", &json!({"failFast": true, "progressDeadlineSeconds": 3600}));
    let quota = json!({"metadata": {"namespace": KEY.0, "name": "small"}, "spec": {"hard": {"pods": "4"}}});
    rig.core.user().create("ResourceQuota", quota).unwrap();
    rig.update("shop:good");
    rig.edit(&json!({"spec": {"template": {"metadata": {"annotations": {BEHAVIOUR: null}}}}}));
    rig.run(240).unwrap();
    assert!(rig.shown().starts_with("Progressing"), "{}", rig.shown());
    rig.core.look();
    let blocker = rig.core.plan.blockers.iter().find(|blocker| blocker.code == "PodCannotBeCreated").unwrap();
    assert!(blocker.remedy.contains("make room"), "{blocker:?}");
    rig.core.user().delete("ResourceQuota", KEY.0, "small").unwrap();
    rig.run(60).unwrap();
    assert_eq!(rig.shown(), "Healthy", "{}", rig.story("room"));
}

/// Somebody's pod has the labels of the stable revision: the routes never settle, and people are told which pod it is.
#[test]
fn a_stray_pod_is_named() {
    let mut strategy = strategies()[1].clone();
    strategy["canary"]["steps"] = json!([{"setWeight": 20}, {"pause": {"duration": 5}}, {"setWeight": 60}]);
    let mut rig = Rig::new(&spec(&strategy));
    rig.run(30).unwrap();
    let labels = json!({"app": "shop", crate::api::names::POD_HASH: rig.rollout().unwrap().status.stable_rs});
    let pod = json!({
        "metadata": {"namespace": KEY.0, "name": "debug", "labels": labels},
        "spec": {"containers": [{"name": "shop", "image": "shop:debug"}]},
    });
    rig.core.user().create("Pod", pod).unwrap();
    rig.update("shop:2");
    rig.run(40).unwrap();
    let told = rig.rollout().unwrap().status.siskin.unwrap().blockers;
    let stray = told.iter().find(|told| (&*told.code, &*told.object) == ("StrayPod", "Service/shop-stable"));
    let remedy = &stray.unwrap_or_else(|| panic!("{told:?}")).remedy;
    assert!(remedy.starts_with("delete pod debug, or take the labels off it"), "{remedy}");
    rig.core.user().delete("Pod", KEY.0, "debug").unwrap();
    rig.run(120).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    assert!(rig.rollout().unwrap().status.siskin.is_none_or(|own| own.blockers.is_empty()));
    rig.rest().unwrap();
}

#[test]
fn a_quota_says_why_and_is_cured_by_room() {
    for mut strategy in strategies() {
        if let Some(canary) = strategy.get_mut("canary") {
            canary["maxUnavailable"] = json!(0);
        }
        let mut rig = Rig::new(&spec(&strategy));
        rig.run(20).unwrap();
        let user = rig.core.user();
        let pods = user.list("Pod", KEY.0).len();
        let quota = |pods: usize| json!({"metadata": {"namespace": KEY.0, "name": "small"}, "spec": {"hard": {"pods": pods.to_string()}}});
        user.create("ResourceQuota", quota(pods)).unwrap();
        rig.update("shop:2");
        rig.run(DEADLINE).unwrap();
        let status = rig.rollout().unwrap().status;
        let told = status.siskin.unwrap().blockers;
        let blocker = told.iter().find(|blocker| blocker.code == "PodCannotBeCreated");
        let blocker = blocker.unwrap_or_else(|| panic!("{strategy}: {told:?}"));
        assert!(blocker.message.contains("exceeded quota: small, requested: pods=1"), "{strategy}: {blocker:?}");
        assert!(status.conditions.iter().any(|condition| condition.kind == "ReplicaFailure"), "{strategy}");
        rig.core.user().merge("ResourceQuota", (KEY.0, "small"), &quota(4 * pods)).unwrap();
        rig.run(100).unwrap();
        assert_eq!(rig.shown(), "Healthy", "{strategy}");
        let status = rig.rollout().unwrap().status;
        assert!(!status.conditions.iter().any(|condition| condition.kind == "ReplicaFailure"), "{strategy}");
        rig.rest().unwrap();
    }
}

#[test]
fn pods_that_cannot_start_say_why() {
    for (behaviour, reason) in [("never-pulls", "ImagePullBackOff"), ("crash-loop", "CrashLoopBackOff")] {
        let mut rig = failing(&strategies()[0], behaviour, &json!({}));
        rig.run(10).unwrap();
        rig.core.look();
        let blocker = rig.core.plan.blockers.iter().find(|blocker| blocker.code == "PodCannotStart").unwrap();
        let status = rig.core.rollout().unwrap().status.siskin.unwrap();
        assert!(status.blockers.iter().any(|told| told.code == "PodCannotStart" && told.message == blocker.message));
        assert!(blocker.message.contains(reason), "{}", blocker.message);
        // Nothing else changes in the meantime, and people read it all the same.
        let told = rig.rollout().unwrap().status.siskin.unwrap().blockers;
        assert!(told.iter().any(|told| told.message.contains(reason)), "{told:?}");
        rig.run(DEADLINE).unwrap();
        let told = rig.rollout().unwrap().status.siskin.unwrap().blockers;
        assert!(told.iter().any(|blocker| blocker.message.contains(reason)), "{told:?}");
        assert!(rig.shown().contains(reason), "{}", rig.shown());
    }
}

#[test]
fn what_is_not_supported_touches_nothing() {
    let routed = |routing: &Value| json!({"canary": {"canaryService": "shop-canary", "stableService": "shop-stable", "trafficRouting": routing}});
    let cases = [
        (
            json!({"strategy": {"canary": {"steps": [{"setWeight": 5}, {"experiment": {"templates": [{"name": "a", "specRef": "canary"}]}}]}}}),
            "steps[1].experiment",
        ),
        (json!({"strategy": {"canary": {"steps": [{"plugin": {"name": "a/b"}}]}}}), "steps[0].plugin"),
        (json!({"strategy": routed(&json!({}))}), "no router is configured"),
        (json!({"strategy": routed(&json!({"nginx": {"stableIngress": "a"}}))}), "trafficRouting.nginx"),
        (json!({"strategy": routed(&json!({"managedRoutes": [{"name": "a"}]}))}), "no router is configured"),
        (json!({"strategy": {"canary": {"canaryMetadata": {"labels": {"app": "b"}}}}}), "canaryMetadata.labels"),
        (json!({"strategy": {"canary": {"maxSurge": 0, "maxUnavailable": 0}}}), "can not be zero"),
        (json!({"selector": {"matchLabels": {"app": "other"}}}), "selector"),
    ];
    for (patch, expected) in cases {
        let mut rig = Rig::new(&spec(&json!({"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}})));
        rig.run(20).unwrap();
        rig.update("shop:2");
        rig.run(20).unwrap();
        assert_eq!(rig.shown(), "Paused CanaryPauseStep");
        let kinds = ["ReplicaSet", "Service", "HTTPRoute"];
        let before = rig.core.cluster.server.version_of(&kinds);
        rig.edit(&json!({"spec": {"strategy": null}}));
        let mut broken = spec(&json!({"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}}));
        broken["template"] = template("shop:3", "", "0.5");
        if patch.get("strategy").is_some() {
            broken["strategy"] = Value::Null;
        }
        json_patch::merge(&mut broken, &patch);
        rig.edit(&json!({"spec": broken}));
        rig.run(100).unwrap();
        let shown = rig.shown();
        assert!(shown.starts_with("Degraded InvalidSpec") && shown.contains(expected), "{expected}: {shown}");
        assert_eq!(rig.core.cluster.server.version_of(&kinds), before, "{expected}");
    }
}

#[test]
fn a_missing_service_is_waited_for() {
    let strategy = json!({"blueGreen": {"activeService": "late"}});
    let mut rig = Rig::new(&spec(&strategy));
    rig.run(50).unwrap();
    assert!(rig.shown().contains("service \"late\" not found"), "{}", rig.shown());
    assert!(rig.core.user().list("ReplicaSet", KEY.0).is_empty());
    rig.core.user().create("Service", service("late")).unwrap();
    rig.run(30).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.core.user().delete("Service", KEY.0, "late").unwrap();
    rig.run(30).unwrap();
    assert!(rig.shown().starts_with("Degraded InvalidSpec"), "{}", rig.shown());
    rig.core.user().create("Service", service("late")).unwrap();
    rig.run(30).unwrap();
    assert_eq!(rig.shown(), "Healthy");
    rig.rest().unwrap();
}

/// What a strategy names, what is wrong with it, and the condition's text after the Rollout's name.
fn wrong_references() -> Vec<(Value, &'static str)> {
    let step =
        |template: &str| json!({"canary": {"steps": [{"analysis": {"templates": [{"templateName": template}]}}]}});
    let canary = json!({"canary": {"canaryService": "shop-canary", "stableService": "shop-stable", "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}}}});
    let active = |service: &str| json!({"blueGreen": {"activeService": service}});
    vec![
        (active("none"), "spec.strategy.blueGreen.activeService: Invalid value: \"none\": service \"none\" not found"),
        (
            active("foreign"),
            "spec.strategy.blueGreen.activeService: Invalid value: \"foreign\": Service \"foreign\" is managed by \
             another Rollout",
        ),
        (
            active("other"),
            "spec.strategy.blueGreen.activeService: Invalid value: \"other\": Service \"other\" has unmatch label \
             \"app\" in rollout",
        ),
        (
            step("none"),
            "spec.strategy.canary.steps[0].analysis.templates: Invalid value: \"none\": AnalysisTemplate 'none' not \
             found",
        ),
        (step("outer"), "spec.templates: Invalid value: \"none\": AnalysisTemplate 'none' not found"),
        (
            step("endless"),
            "spec.strategy.canary.steps[0].analysis.templates: Invalid value: \"endless\": AnalysisTemplate endless \
             has metric errors which runs indefinitely. Invalid value for count: <nil>",
        ),
        (
            step("needy"),
            "spec.strategy.canary.steps[0].analysis.templates: Invalid value: \"templateNames: [needy]\": args.host \
             was not resolved",
        ),
        (
            step("web"),
            "not supported yet: spec.strategy.canary.steps[0].analysis.templates [web]: metric 'errors': provider.web \
             is not supported yet: use provider.prometheus",
        ),
        (canary, ""),
    ]
}

#[test]
fn objects_that_a_rollout_names_are_judged_by_the_contract() {
    for (strategy, expected) in wrong_references() {
        let mut rig = Rig::bare(1, Some(()));
        let user = rig.core.user();
        let mut foreign = service("foreign");
        foreign["metadata"]["annotations"] = json!({crate::api::names::MANAGED_BY: "web"});
        let mut other = service("other");
        other["spec"]["selector"] = json!({"app": "web"});
        for object in [foreign, other] {
            user.create("Service", object).unwrap();
        }
        let metric = |change: &Value| {
            let mut template = analysis_template("needy");
            json_patch::merge(&mut template["spec"]["metrics"][0], change);
            template["spec"].clone()
        };
        let templates = [
            ("endless", metric(&json!({"count": null}))),
            ("needy", json!({"args": [{"name": "host"}], "metrics": metric(&json!({}))["metrics"]})),
            ("outer", json!({"templates": [{"templateName": "none"}]})),
            ("web", metric(&json!({"provider": {"prometheus": null, "web": {"url": "http://shop"}}}))),
        ];
        for (name, spec) in templates {
            let mut template = analysis_template(name);
            template["spec"] = spec;
            user.create("AnalysisTemplate", template).unwrap();
        }
        rig.create(&spec(&strategy));
        rig.run(20).unwrap();
        let invalid = if expected.is_empty() {
            "Healthy".to_owned()
        } else {
            format!("Degraded InvalidSpec: The Rollout \"shop\" is invalid: {expected}")
        };
        assert_eq!(rig.shown(), invalid);
    }
}
