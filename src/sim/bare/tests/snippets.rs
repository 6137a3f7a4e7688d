//! What `docs/waiting.md` tells tools to read, evaluated on every status that a release stores: finished, aborted, and on
//! the way there.

use std::sync::Arc;

use regex::Regex;
use serde_json::{Value, json};

use super::rig::spec;
use super::trace::Trace;
use crate::api::crd::cel;
use crate::rollout::settings::StatusDialect;
use crate::sim::object;

const PAGE: &str = include_str!("../../../../docs/waiting.md");

/// The code below a heading of the page.
fn snippet(heading: &str, language: &str) -> &'static str {
    let (_, below) = PAGE.split_once(&format!("\n### {heading}\n")).unwrap();
    let (_, code) = below.split_once(&format!("```{language}\n")).unwrap();
    code.split_once("```").unwrap().0
}

/// Every Rollout that is stored while one is deployed, updated and aborted.
fn stored(dialect: StatusDialect) -> Vec<Arc<Value>> {
    let mut trace = Trace::new(dialect);
    trace.rig.create(&spec(&json!({"canary": {
        "canaryService": "shop-canary", "stableService": "shop-stable",
        "steps": [{"setWeight": 20}, {"pause": {"duration": 5}}, {"setWeight": 60}, {"pause": {}}],
        "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
    }})));
    let mut moments = trace.run(40);
    trace.rig.update("shop:2");
    moments.extend(trace.run(40));
    trace.rig.command(&json!({"abort": true}));
    moments.extend(trace.run(40));
    moments.into_iter().map(|moment| moment.rollout).collect()
}

/// The phase, and whether the generation is observed; nothing before there is a status.
fn says(rollout: &Value) -> Option<(&str, bool)> {
    let observed = rollout.pointer("/status/observedGeneration")?;
    let number = observed.as_str().map_or_else(|| observed.as_i64(), |text| text.parse().ok());
    Some((object::text(rollout, "/status/phase"), number == Some(object::generation(rollout))))
}

/// Whether an expression holds, given the phase and whether the generation is observed.
type Says = fn(&str, bool) -> bool;

#[test]
fn flux_gets_one_answer_for_each_status() {
    let manifest: Value = serde_saphyr::from_str(snippet("Flux", "yaml")).unwrap();
    let check = &manifest["spec"]["healthCheckExprs"][0];
    assert_eq!((&check["apiVersion"], &check["kind"]), (&json!("argoproj.io/v1alpha1"), &json!("Rollout")));
    let expected: [(&str, Says); 3] = [
        ("current", |phase, observed| phase == "Healthy" && observed),
        ("inProgress", |phase, observed| ["Progressing", "Paused"].contains(&phase) || !observed),
        ("failed", |phase, observed| phase == "Degraded" && observed),
    ];
    for dialect in [StatusDialect::Argo, StatusDialect::Kstatus] {
        let mut answers = [0; 3];
        for rollout in stored(dialect) {
            let holds = |name: &str| {
                let fields = ["metadata", "status"].map(|field| (field, &rollout[field]));
                cel::holds(check[name].as_str().unwrap(), fields)
            };
            let Some((phase, observed)) = says(&rollout) else {
                assert!(expected.iter().all(|(name, _)| holds(name).is_err()), "no status is no answer");
                continue;
            };
            for (count, (name, expected)) in answers.iter_mut().zip(expected) {
                let holds = holds(name).unwrap();
                assert_eq!(holds, expected(phase, observed), "{name}: {phase} {observed}");
                *count += usize::from(holds);
            }
        }
        assert!(answers.iter().all(|count| *count > 0), "each is said at some time: {answers:?}");
    }
}

/// `wait.fields`: the value at each path, as text, has to match an expression. Source: the documentation of the resource
/// `kubernetes_manifest`.
#[test]
fn terraform_goes_on_in_the_phase_healthy_only() {
    let pair = Regex::new(r#"(?m)^\s*"([^"]+)" = "([^"]+)"$"#).unwrap();
    let fields: Vec<(String, Regex)> = pair
        .captures_iter(snippet("Terraform", "hcl"))
        .map(|pair| (format!("/{}", pair[1].replace('.', "/")), Regex::new(&pair[2]).unwrap()))
        .collect();
    assert!(!fields.is_empty());
    for dialect in [StatusDialect::Argo, StatusDialect::Kstatus] {
        let mut went_on = 0;
        for rollout in stored(dialect) {
            let goes_on = fields.iter().all(|(path, wanted)| wanted.is_match(object::text(&rollout, path)));
            assert_eq!(goes_on, says(&rollout).is_some_and(|(phase, _)| phase == "Healthy"), "{}", rollout["status"]);
            went_on += usize::from(goes_on);
        }
        assert!(went_on > 0);
    }
}
