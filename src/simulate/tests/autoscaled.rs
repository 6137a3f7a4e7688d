//! A release in a closed loop with an autoscaler while the two versions are used unequally: pods of one at 109 % of what
//! they can do, those of the other at 32 %.

use serde_json::Value;

use super::{documents, sample, sizes};
use crate::sim::object;
use crate::simulate::behaviour::Behaviour;
use crate::simulate::load::Users;
use crate::simulate::report::{Outcome, Report};
use crate::simulate::run::with_writes;
use crate::simulate::text::duration;
use crate::simulate::timeline::State;
use crate::simulate::{Input, Options};

/// Requests a second: 100 for each of the ten pods at first.
const RATE: f64 = 1000.0;
const BUSY: f64 = 1.09;
const IDLE: f64 = 0.32;
/// Kubernetes: `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;
/// What the sample says of the autoscaler's bounds and target.
const BOUNDS: &str = "  minReplicas: 3\n  maxReplicas: 10\n";
const TARGET: &str = "averageUtilization: 70";
/// An autoscaler that wants fewer pods waits for five minutes, and does it again when that has changed the load.
const SETTLED: &str = "8m";

const HEAD: &str = "    canary:\n      stableService: search-stable\n      canaryService: search-canary\n      trafficRouting:\n        plugins:\n          argoproj-labs/gatewayAPI:\n            httpRoute: search\n";
const STEPS: &str = "      steps:\n      - setWeight: 20\n      - pause:\n          duration: 3m\n      - setWeight: 60\n      - pause:\n          duration: 3m\n";
const SLOW: &str = "      steps:\n      - setWeight: 20\n      - pause:\n          duration: 30m\n      - setWeight: 60\n      - pause:\n          duration: 30m\n";
const SWITCH: &str = "    blueGreen:\n      activeService: search-stable\n      previewService: search-canary\n      autoPromotionSeconds: 1800\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain,
    FullStable,
    Dynamic,
    BlueGreen,
}

const WAYS: [Way; 4] = [Way::Plain, Way::FullStable, Way::Dynamic, Way::BlueGreen];

/// What one release is played with: how it delivers, what a pod of each version can serve, and the autoscaler.
#[derive(Clone, Copy, Debug)]
struct Case {
    way: Way,
    /// Requests a second that a pod of the old and of the new version can serve.
    serves: (f64, f64),
    target: u32,
    least: i64,
}

impl Case {
    /// Pods of the new version have too much to do: in a full stable revision of idle pods, and with ten pods at least.
    fn busy_canary(way: Way) -> Self {
        Self { way, serves: (100.0 / IDLE, 100.0 / BUSY), target: 50, least: 10 }
    }

    /// Pods of the old version have too much to do, which the autoscaler has been told to allow.
    fn busy_stable(way: Way) -> Self {
        Self { way, serves: (100.0 / BUSY, 100.0 / IDLE), target: 110, least: 3 }
    }

    fn text(self) -> String {
        let dynamic = format!("{HEAD}      dynamicStableScale: true\n{SLOW}");
        let (plain, full) = (format!("    canary:\n{SLOW}"), format!("{HEAD}{SLOW}"));
        let strategy = match self.way {
            Way::Plain => &plain,
            Way::FullStable => &full,
            Way::Dynamic => &dynamic,
            Way::BlueGreen => SWITCH,
        };
        let bounds = format!("  minReplicas: {}\n  maxReplicas: 40\n", self.least);
        let target = format!("averageUtilization: {}", self.target);
        let written = format!("{HEAD}{STEPS}");
        let changes = [(BOUNDS, bounds.as_str()), (TARGET, &target), (&written, strategy)];
        sample("canary-autoscaled.yaml", &[&changes[..], &[("replicas: 3\n", "replicas: 10\n")]].concat())
    }

    fn play(self) -> (Report, Vec<Value>) {
        let said = [("stable", self.serves.0), ("canary", self.serves.1)];
        let said = said.map(|(version, serves)| Behaviour::parse(&format!("{version}:capacity={serves}rps")).unwrap());
        let users = Users::steady(RATE);
        let options = Options { users, versions: said.to_vec(), ..Options::default() };
        let all = documents("a.yaml", &self.text()).unwrap();
        let input = Input::read(&all, &options).unwrap();
        let (report, writes) = with_writes(&input, &options).unwrap();
        let rollouts = writes.iter().filter(|write| write.kind == "Rollout");
        (report, rollouts.filter_map(|write| Some((**write.after.as_ref()?).clone())).collect())
    }

    /// The share of what they can do that pods of each version are asked for.
    fn asked(self, state: &State) -> (f64, f64) {
        let (old, new) = (real(state.old.ready), real(state.new.ready));
        let share = match (self.way, state.weight) {
            (Way::Plain, _) => new / (old + new),
            // The active version is the old one as long as it has pods.
            (Way::BlueGreen, _) => f64::from(u8::from(state.old.ready == 0)),
            (_, weight) => weight.unwrap(),
        };
        let each = |share: f64, pods: f64, serves: f64| if pods > 0.0 { RATE * share / pods / serves } else { 0.0 };
        (each(1.0 - share, old, self.serves.0), each(share, new, self.serves.1))
    }

    /// The documented formula over all pods that the autoscaler's selector matches: their number times the mean over the
    /// target, rounded up, and nothing within the tolerance.
    fn wanted(self, state: &State) -> i64 {
        let (old, new) = self.asked(state);
        let idle_preview = self.way == Way::BlueGreen && state.old.ready > 0;
        let seen_new = if idle_preview { 0 } else { state.new.ready };
        let pods = state.old.ready + seen_new;
        let mean = (old * real(state.old.ready) + new * real(seen_new)) / real(pods);
        let ratio = mean * 100.0 / f64::from(self.target);
        let wanted = if (ratio - 1.0).abs() <= TOLERANCE { state.replicas } else { up(ratio * real(pods)) };
        wanted.clamp(self.least, 40)
    }
}

#[allow(clippy::cast_precision_loss, reason = "numbers of pods")]
fn real(pods: i64) -> f64 {
    pods as f64
}

#[allow(clippy::cast_possible_truncation, reason = "numbers of pods")]
fn up(pods: f64) -> i64 {
    pods.ceil() as i64
}

/// States that lasted for so long that the autoscaler had said all that it had to say.
fn settled(report: &Report) -> Vec<State> {
    let least = duration(SETTLED).unwrap();
    let alike = report.samples.chunk_by(|a, b| a.state == b.state);
    let ends: Vec<_> = alike.filter_map(|chunk| chunk.first()).collect();
    let pairs = ends.iter().zip(ends.iter().skip(1));
    pairs.filter(|(sample, next)| next.at >= sample.at + least).map(|(sample, _)| sample.state.clone()).collect()
}

/// What autoscalers read of one write: the size that is wanted, the pods, and which pods are meant.
fn published(rollout: &Value) -> (i64, i64, &str) {
    let number = |pointer: &str| object::integer(rollout, pointer).unwrap_or(0);
    (number("/spec/replicas"), number("/status/HPAReplicas"), object::text(rollout, "/status/selector"))
}

/// What is published stays while nobody asks for another size, whatever the release adds meanwhile.
fn surge_stays_unseen(case: Case, writes: &[Value]) {
    let mut reached = 0;
    let all_pods: Vec<_> = writes.iter().map(published).filter(|(.., selector)| !selector.is_empty()).collect();
    assert!(!all_pods.is_empty(), "{case:?}: nothing is published");
    for (wanted, pods, selector) in all_pods {
        assert!(reached != wanted || pods == wanted, "{case:?}: {pods} pods are published of {wanted} that there are");
        assert!(selector == "app=search" || case.way == Way::BlueGreen, "{case:?}: {selector}");
        reached = if pods == wanted { wanted } else { reached };
    }
}

fn follows_the_formula(case: Case, report: &Report) {
    let settled = settled(report);
    assert!(settled.iter().any(|state| state.old.ready > 0 && state.new.ready > 0), "{case:?}: never at rest");
    for state in settled {
        assert_eq!(case.wanted(&state), state.replicas, "{case:?}: {state:?} is asked for {:?}", case.asked(&state));
    }
}

/// I21: a size that was left does not come again while as much is asked for, and by versions that are as different.
fn no_size_comes_again(case: Case, report: &Report) {
    let sizes = sizes(report);
    let mut once = sizes.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), sizes.len(), "{case:?}: {sizes:?}");
}

#[test]
fn versions_that_are_used_unequally_have_the_size_of_their_mean_and_no_cycle() {
    for case in WAYS.into_iter().flat_map(|way| [Case::busy_canary(way), Case::busy_stable(way)]) {
        let (report, writes) = case.play();
        surge_stays_unseen(case, &writes);
        assert_eq!(report.verdict.outcome, Outcome::Finished, "{case:?}");
        follows_the_formula(case, &report);
        no_size_comes_again(case, &report);
    }
}

#[test]
fn what_the_autoscaler_cannot_see_is_told_with_the_use_of_each_version() {
    let told = |case: Case| {
        let (report, _) = case.play();
        report.warnings.into_iter().find(|warning| warning.code == "OverloadUnseen").map(|warning| warning.text)
    };
    let full = told(Case::busy_canary(Way::FullStable)).unwrap();
    let start = "pods of the new version are asked for 11";
    for part in [start, "those of the old one for 2", "sees the mean of 12 pods", "adds none (set dynamicStableScale"] {
        assert!(full.contains(part), "{part} is not in {full}");
    }
    let plain = told(Case::busy_stable(Way::Plain)).unwrap();
    assert!(!plain.contains("dynamicStableScale") && plain.contains("by a metric of the whole traffic"), "{plain}");
    // The autoscaler of a blue-green sees the pods that users reach, and no others.
    assert_eq!(told(Case::busy_stable(Way::BlueGreen)), None);
    let idle = Case { serves: (200.0, 200.0), ..Case::busy_canary(Way::FullStable) };
    assert_eq!(told(idle), None);
}
