//! Whether those who read a status are told what is so: at every moment at which a Rollout is stored, what Argo CD, the
//! condition `Healthy`, the phase and `siskin status` say is compared with the pods, Services, routes and people's wishes
//! of the same moment.

use serde_json::{Value, json};

use super::argo_cd::{Health, assess};
use super::rig::{KEY, service, spec, template};
use super::trace::{Moment, Trace};
use crate::api::names::WORKLOAD_GENERATION;
use crate::cli::answer::{Answer, answer};
use crate::rollout::settings::StatusDialect;
use crate::sim::checker::facts::{Facts, hash, wanted};
use crate::sim::models::kubelet::BEHAVIOUR;
use crate::sim::object;

/// An image whose pods never come.
const BAD: &str = "shop:bad";

/// How a Rollout stands, whatever its status says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    /// The controller has not seen the specification.
    Unseen,
    /// The specification cannot be carried out.
    Wrong,
    /// Somebody or something has aborted the update.
    Aborted,
    /// The update waits for a person or a time.
    Paused,
    /// The newest revision is complete, and has all of the users.
    Finished,
    /// The same, but pods from before a restart are still to be replaced.
    Restarting,
    /// Its pods have not come within the deadline.
    Late,
    /// It goes on.
    UnderWay,
}

impl Truth {
    /// What is to be read of it once nothing moves any more.
    const fn health(self) -> Health {
        match self {
            Self::Unseen | Self::Restarting | Self::UnderWay => Health::Progressing,
            Self::Wrong | Self::Aborted | Self::Late => Health::Degraded,
            Self::Paused => Health::Suspended,
            Self::Finished => Health::Healthy,
        }
    }
}

fn truth(moment: &Moment) -> Truth {
    let rollout = &*moment.rollout;
    let Some(facts) = Facts::of(&moment.cluster, rollout).filter(|_| observed(rollout)) else { return Truth::Unseen };
    let status = &facts.rollout.status;
    let paused = facts.rollout.spec.paused || !status.pause_conditions.is_empty();
    let newest = facts.sets().find(|rs| image(rs) == specified(&facts));
    match newest {
        _ if wrong(&facts) => Truth::Wrong,
        _ if status.abort && status.stable_rs != status.current_pod_hash => Truth::Aborted,
        _ if paused => Truth::Paused,
        Some(newest) if promoted(&facts, newest) && restarting(&facts, newest) => Truth::Restarting,
        Some(newest) if promoted(&facts, newest) && wanted(newest) == facts.replicas => Truth::Finished,
        Some(newest) if late(&facts, newest) => Truth::Late,
        _ => Truth::UnderWay,
    }
}

fn observed(rollout: &Value) -> bool {
    object::text(rollout, "/status/observedGeneration") == object::generation(rollout).to_string()
}

/// Whether a referenced Deployment has changed, and nothing in the Rollout tells it yet: who reads only that cannot know.
fn unheard(moment: &Moment) -> bool {
    let name = object::text(&moment.rollout, "/spec/workloadRef/name");
    let noted = object::annotation(&moment.rollout, WORKLOAD_GENERATION).unwrap_or_default();
    let deployment = moment.cluster.get("Deployment", KEY.0, name);
    deployment.is_some_and(|deployment| object::generation(deployment).to_string() != noted)
}

fn image(owner: &Value) -> &str {
    object::text(owner, "/spec/template/spec/containers/0/image")
}

/// The image that is wanted: the Rollout's own, or the referenced Deployment's.
fn specified<'f>(facts: &'f Facts<'_>) -> &'f str {
    let reference = facts.rollout.spec.workload_ref.as_ref();
    let workload = reference.and_then(|of| facts.state.get("Deployment", KEY.0, &of.name));
    image(workload.map_or(facts.value, |workload| workload))
}

/// The mistakes that these tests make: a number below 0, a Service that does not exist.
fn wrong(facts: &Facts<'_>) -> bool {
    let missing = |name: &&str| facts.state.get("Service", KEY.0, name).is_none();
    facts.rollout.spec.min_ready_seconds < 0 || facts.services().iter().any(missing)
}

/// All pods of the revision serve, and all users come to it.
fn promoted(facts: &Facts<'_>, newest: &Value) -> bool {
    let revision = hash(newest);
    let complete = facts.state.available(newest) >= facts.replicas;
    // What a preview shows, or a canary at weight 0, is seen by no user.
    let entry = facts.active().or_else(|| facts.routed().map(|(_, stable)| stable));
    let routed = facts.canary_share().part == 0 && (facts.routed().is_none() || facts.acknowledged());
    // Without a Service that chooses, whoever has pods has users.
    let others =
        || facts.sets().filter(|rs| hash(rs) != revision).map(|rs| facts.state.pods(rs).count()).sum::<usize>();
    complete && routed && entry.map_or_else(|| others() == 0, |entry| facts.selected(entry) == revision)
}

/// Whether pods are left from before the restart that was asked for, or the one that has come for them.
fn restarting(facts: &Facts<'_>, newest: &Value) -> bool {
    let Some(restart) = object::time(facts.value, "/spec/restartAt") else { return false };
    let old = |pod: &Value| object::time(pod, "/metadata/creationTimestamp").unwrap() < restart;
    wanted(newest) > facts.replicas || facts.state.pods(newest).any(|pod| old(pod))
}

/// The one image of these tests whose pods never come gets no further before its first step, so its deadline counts from
/// its beginning.
fn late(facts: &Facts<'_>, newest: &Value) -> bool {
    if image(newest) != BAD {
        return false;
    }
    let deadline = facts.rollout.spec.progress_deadline_seconds.unwrap_or(600);
    let begun = object::time(newest, "/metadata/creationTimestamp").unwrap();
    facts.state.now.since(begun).as_secs() >= deadline.unsigned_abs().into()
}

fn condition<'v>(rollout: &'v Value, kind: &str) -> Option<&'v str> {
    let conditions = object::list(rollout, "/status/conditions").iter();
    conditions.filter(|condition| object::text(condition, "/type") == kind).map(|of| object::text(of, "/status")).next()
}

/// What `siskin status` prints, and whether it fails, asked once.
fn status_verb(moment: &Moment) -> Answer {
    let mut rollout = (*moment.rollout).clone();
    rollout["kind"] = json!("Rollout");
    answer(&["siskin", "status", KEY.1, "--watch=false"], &[rollout], KEY.0, moment.cluster.now)
}

/// What `siskin status` comes to, in the words of Argo CD; both kinds of waiting are one to it.
fn told_by_verb(moment: &Moment) -> Health {
    let said = status_verb(moment);
    let health = match said.stdout.split_whitespace().next().unwrap() {
        "Healthy" => Health::Healthy,
        "Degraded" => Health::Degraded,
        "Paused" => Health::Suspended,
        _ => Health::Progressing,
    };
    assert_eq!(said.failed, health == Health::Degraded, "{said:?}");
    health
}

/// Nobody is ever told that it is over before it is, and what the controller has just written is no other news than the
/// truth.
fn honest(moment: &Moment) {
    let (rollout, truth) = (&*moment.rollout, truth(moment));
    let (argo_cd, verb) = (assess(rollout).0, told_by_verb(moment));
    let story = || format!("{truth:?}, Argo CD {argo_cd:?}, siskin {verb:?}, {rollout:#}");
    for told in [argo_cd, verb] {
        assert!(told != Health::Healthy || truth == Truth::Finished || unheard(moment), "{}", story());
        assert!(told == Health::Progressing || truth != Truth::Unseen, "{}", story());
    }
    // Whoever ends with the one does not wait for ever with the other.
    let ends = |health: Health| [Health::Healthy, Health::Degraded].contains(&health).then_some(health);
    assert_eq!(ends(argo_cd), ends(verb), "{}", story());
    if !moment.told || truth == Truth::Unseen {
        return;
    }
    let bad = truth.health() == Health::Degraded;
    assert_eq!(argo_cd == Health::Degraded, bad, "{}", story());
    assert_eq!(argo_cd == Health::Suspended, truth == Truth::Paused, "{}", story());
    // By the contract the condition is about the update: it says nothing of a restart, as the phase does.
    let updated = matches!(truth, Truth::Finished | Truth::Restarting);
    assert!(condition(rollout, "Healthy") != Some("True") || updated, "{}", story());
}

/// Once nothing moves any more, all say the same, and that is so.
fn agreed(moment: &Moment, expected: Truth) {
    let (rollout, health) = (&*moment.rollout, expected.health());
    assert_eq!(truth(moment), expected, "{rollout:#}");
    let (argo_cd, message) = assess(rollout);
    assert_eq!((argo_cd, told_by_verb(moment)), (health, health), "{rollout:#}");
    assert_eq!(message, object::text(rollout, "/status/message"));
    assert_eq!(condition(rollout, "Healthy") == Some("True"), expected == Truth::Finished, "{rollout:#}");
    let phase = if health == Health::Suspended { "Paused".to_owned() } else { format!("{health:?}") };
    assert_eq!(object::text(rollout, "/status/phase"), phase);
}

struct Readers {
    trace: Trace,
    read: usize,
}

impl Readers {
    fn of(spec: &Value) -> Self {
        let trace = Trace::new(StatusDialect::Argo);
        trace.rig.create(spec);
        Self { trace, read: 0 }
    }

    /// Lets everything come to rest; every Rollout that is stored on the way is read.
    fn until(&mut self, expected: Truth) {
        let moments = self.trace.run(150);
        moments.iter().for_each(honest);
        agreed(moments.last().unwrap(), expected);
        self.read += moments.len();
    }

    fn edit(&mut self, spec: &Value, expected: Truth) {
        self.trace.rig.edit(&json!({"spec": spec}));
        self.until(expected);
    }

    fn update(&mut self, image: &str, expected: Truth) {
        self.edit(&json!({"template": template(image, "", "0.5")}), expected);
    }

    fn command(&mut self, status: &Value, expected: Truth) {
        self.trace.rig.command(status);
        self.until(expected);
    }
}

/// Each strategy waits for a person on the way.
fn strategies() -> [Value; 3] {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": 3}}]);
    [
        json!({"canary": {"steps": steps}}),
        json!({"canary": {
            "canaryService": "shop-canary", "stableService": "shop-stable", "steps": steps,
            "trafficRouting": {"gatewayAPI": {"httpRoute": "shop"}},
        }}),
        json!({"blueGreen": {
            "activeService": "shop-active", "previewService": "shop-preview", "autoPromotionEnabled": false,
        }}),
    ]
}

#[test]
fn every_reader_is_told_how_an_update_stands() {
    for strategy in strategies() {
        let mut shop = Readers::of(&spec(&strategy));
        shop.until(Truth::Finished);
        shop.update("shop:2", Truth::Paused);
        // The next revision comes before the last is done.
        shop.update("shop:3", Truth::Paused);
        shop.command(&json!({"abort": true}), Truth::Aborted);
        shop.command(&json!({"abort": false}), Truth::Paused);
        shop.command(&json!({"pauseConditions": null}), Truth::Finished);
        shop.update("shop:4", Truth::Paused);
        shop.update("shop:3", Truth::Finished);
        shop.update("shop:5", Truth::Paused);
        shop.command(&json!({"promoteFull": true}), Truth::Finished);
        assert!(shop.read > 40, "{}", shop.read);
    }
}

#[test]
fn every_reader_is_told_what_happens_to_a_finished_release() {
    for strategy in strategies() {
        let mut shop = Readers::of(&spec(&strategy));
        shop.until(Truth::Finished);
        shop.edit(&json!({"replicas": 8}), Truth::Finished);
        shop.edit(&json!({"replicas": 3}), Truth::Finished);
        let now = shop.trace.rig.core.now().truncated();
        shop.edit(&json!({"restartAt": now}), Truth::Finished);
        shop.edit(&json!({"paused": true}), Truth::Paused);
        shop.edit(&json!({"paused": false}), Truth::Finished);
        shop.command(&json!({"abort": true}), Truth::Finished);
        shop.edit(&json!({"minReadySeconds": -1}), Truth::Wrong);
        shop.edit(&json!({"minReadySeconds": 3}), Truth::Finished);
        assert!(shop.read > 30, "{}", shop.read);
    }
}

#[test]
fn every_reader_is_told_of_pods_that_do_not_come_and_of_what_is_missing() {
    for strategy in strategies() {
        let mut spec = spec(&strategy);
        spec["progressDeadlineSeconds"] = json!(60);
        let mut shop = Readers::of(&spec);
        shop.until(Truth::Finished);
        shop.edit(&json!({"template": template(BAD, "crash-loop", "0.5")}), Truth::Late);
        let mut good = template("shop:1", "", "0.5");
        good["metadata"]["annotations"][BEHAVIOUR] = Value::Null;
        shop.edit(&json!({"template": good}), Truth::Finished);
    }
    let mut shop = Readers::of(&spec(&json!({"blueGreen": {"activeService": "shop-later"}})));
    shop.until(Truth::Wrong);
    shop.trace.rig.core.user().create("Service", service("shop-later")).unwrap();
    shop.until(Truth::Finished);
}

#[test]
fn every_reader_is_told_of_a_template_that_is_kept_in_a_deployment() {
    let deployment = |image: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": KEY.0},
            "spec": {"replicas": 5, "selector": {"matchLabels": {"app": "shop"}}, "template": template(image, "", "0.5")},
        })
    };
    for strategy in strategies() {
        let reference = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "scaleDown": "progressively",
        });
        let trace = Trace::new(StatusDialect::Argo);
        trace.rig.core.user().create("Deployment", deployment("shop:1")).unwrap();
        trace.rig.create(&json!({"replicas": 5, "workloadRef": reference, "strategy": strategy}));
        let mut shop = Readers { trace, read: 0 };
        shop.until(Truth::Finished);
        let template = json!({"spec": {"template": deployment("shop:2")["spec"]["template"]}});
        shop.trace.rig.core.user().merge("Deployment", (KEY.0, "shop"), &template).unwrap();
        shop.until(Truth::Paused);
        shop.command(&json!({"pauseConditions": null}), Truth::Finished);
    }
}
