//! Tools that wait for a Rollout without knowing what one is. The commands are those of `docs/waiting.md`.

use serde_json::{Value, json};

use crate::controller::Controller;
use crate::manifest::{self, ROLLOUT};
use crate::rig::{Outcome, Rig, check};
use crate::scenario::{Scenario, good};
use crate::seen::Seen;

/// The scenarios of this theme.
pub const SCENARIOS: &[Scenario] =
    &[good("waiting", "tools that know nothing of Rollouts wait for one", play).with_kubectl()];

/// Which objects are this scenario's controller's.
const INSTANCE: &str = "e2e-waiting";

/// kstatus' conditions and number with `--kstatus`; Argo's text and conditions once it is off again.
pub fn play(rig: &Rig) -> Outcome {
    let controller = Controller::start_with(rig, INSTANCE, &["--kstatus"])?;
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut rollout = manifest::rollout(2, &manifest::canary(&steps));
    Controller::claim(&mut rollout, INSTANCE);
    rig.deploy(&rollout, &["shop-stable", "shop-canary"])?;
    waits(rig, &["--for=condition=Ready"])?;
    waits(rig, &["--for=condition=Healthy"])?;
    waits(rig, &["--for=jsonpath={.status.phase}=Healthy"])?;
    let seen = rig.now()?;
    let (generation, observed) = (&seen.object["metadata"]["generation"], &seen.object["status"]["observedGeneration"]);
    check(generation == observed, || format!("generation {generation}, observed {observed}"))?;

    rig.release("2")?;
    rig.until("pause at 50 %", |seen| seen.paused_at(1))?;
    waits(rig, &["--for=condition=Reconciling"])?;
    rig.told(&["abort", ROLLOUT], &["aborted"])?;
    waits(rig, &["--for=condition=Stalled"])?;
    drop(controller);

    let controller = Controller::start(rig, INSTANCE)?;
    rig.release("1")?;
    let last = rig.until("Healthy again", Seen::healthy)?;
    let added = |condition: &Value| ["Ready", "Reconciling", "Stalled"].iter().any(|kind| condition["type"] == *kind);
    let left = last.object["status"]["conditions"].as_array().is_some_and(|conditions| conditions.iter().any(added));
    check(!left && last.object["status"]["observedGeneration"].is_string(), || "kstatus' part was left".to_owned())?;
    drop(controller);
    rig.only("1")
}

fn waits(rig: &Rig, for_what: &[&str]) -> Outcome {
    let (worked, text) = rig.kubectl(&[&["wait", "--timeout=60s", "rollout/shop"], for_what].concat())?;
    check(worked, || format!("kubectl wait {for_what:?}: {text}"))
}
