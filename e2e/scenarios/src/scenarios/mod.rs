//! The scenarios, one promise each.

mod abort;
mod analysis;
mod blue_green;
mod events;
mod header_route;
mod invalid;
mod kill;
mod midway;
mod pods;
mod reapply;
mod rolling;
mod steps;
mod waiting;
mod workload;

use crate::rig::{Outcome, Rig};

/// Whether a scenario releases a version that answers with errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// It does; only requests that are lost fail the scenario.
    Expected,
    /// Every version is good: an error is one too many.
    None,
}

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name, also a part of its namespace's.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Which errors of the application it brings.
    pub errors: Errors,
    /// The scenario itself.
    pub play: fn(&Rig) -> Outcome,
}

const fn good(name: &'static str, about: &'static str, play: fn(&Rig) -> Outcome) -> Scenario {
    Scenario { name, about, errors: Errors::None, play }
}

/// All scenarios; the longest first, so that none is left alone at the end.
pub const SCENARIOS: &[Scenario] = &[
    good("abort-retry", "a person aborts at each step and tries again", abort::play),
    good("blue-green-undo", "promoted by hand, and back within the scale-down delay", blue_green::promote_and_undo),
    good("kill", "the controller dies twice in the middle of a canary", kill::play),
    good("canary-good-numbers", "Prometheus' numbers are good: promoted by itself", analysis::good_numbers),
    Scenario {
        name: "canary-bad-numbers",
        about: "Prometheus' numbers are bad: aborted by itself",
        errors: Errors::Expected,
        play: analysis::bad_numbers,
    },
    Scenario {
        name: "background-bad-numbers",
        about: "numbers that are measured beside the steps turn bad: aborted in a long pause",
        errors: Errors::Expected,
        play: analysis::background,
    },
    good(
        "header-route",
        "a header leads to the canary at weight 0, others never; an abort ends it",
        header_route::play,
    ),
    good(
        "inconclusive",
        "numbers that say nothing pause it; who resumes it gets them measured again",
        analysis::inconclusive,
    ),
    good("blue-green-abort", "aborted by hand before the switch, and after it", blue_green::abort_by_hand),
    good(
        "blue-green-post-promotion",
        "the analysis after the switch fails: everybody back",
        blue_green::post_promotion,
    ),
    good("history", "old revisions go, but for the last", rolling::history),
    good("undo-midway", "a person takes the second version back at half of the traffic", midway::undo),
    good("scale-midway", "more pods, then fewer, at half of the traffic", midway::scale),
    good("pods-deleted", "the canary's pod and a stable one are evicted in the middle", midway::pods_deleted),
    good("promote-full", "a person promotes past all steps", midway::promote_full),
    good("weights-reset", "a delivery tool resets the route in the middle of a canary", reapply::weights_reset),
    good("deadline-aborts", "pods that do not come within the deadline are taken back", pods::deadline_aborts),
    good("paused-by-hand", "`spec.paused` holds everything where it is", steps::paused_by_hand),
    good("budget", "a disruption budget that allows none does not stop an update", pods::budget),
    good("canary-events", "update, abort, retry, promotion: the exact events", events::canary),
    good("no-surge", "a pod less, never one more", rolling::no_surge),
    good("none-unavailable", "a pod more, never one less", rolling::none_unavailable),
    good("superseded", "a third version arrives while the second has half of the traffic", steps::superseded),
    good("manual-pause", "waits for a person, who promotes on the command line", steps::manual_pause),
    good("at-once", "a release in the moment of the first Healthy", steps::at_once),
    good("pods-never-start", "the image is missing: said at once, Degraded at the deadline", pods::never_start),
    good("blue-green-pre-promotion", "the analysis before the switch fails: active stays", blue_green::pre_promotion),
    good("blue-green-events", "deployment and update: the exact events", events::blue_green),
    good("basic-canary", "no router: pods alone carry the weights", steps::basic),
    good(
        "workload-migration",
        "a Deployment that serves becomes a Rollout, and is released from there",
        workload::play,
    ),
    good("waiting", "tools that know nothing of Rollouts wait for one", waiting::play),
    good("re-apply", "the same manifest again and again changes nothing", reapply::play),
    good("bad-manifests", "each mistake is named, and nothing moves", invalid::play),
];
