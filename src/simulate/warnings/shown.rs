//! What the simulation has shown.

use std::time::Duration;

use super::analyses::template_of;
use super::{at, nowhere};
use crate::rollout::strategy::steps;
use crate::sim::object;
use crate::sim::prometheus::Gap;
use crate::simulate::analyst::Unanswered;
use crate::simulate::behaviour::Version;
use crate::simulate::input::Input;
use crate::simulate::observe::Observer;
use crate::simulate::options::Options;
use crate::simulate::report::model::why_lost;
use crate::simulate::report::{Outcome, Verdict, Warning};
use crate::simulate::stage::Stage;
use crate::simulate::text::{counted, percent, real};
use crate::simulate::timeline::{Kind, State};

/// A canary's pod may get so many times the requests of a stable one before that is told.
const UNEVEN: f64 = 1.5;
/// For how long a state has to last to count.
const LASTING: Duration = Duration::from_secs(5);
/// How far the share of the pods may be from the weight that a step asks for.
const COARSE: f64 = 0.04;

pub(super) fn all(
    input: &Input,
    options: &Options,
    (stage, observer, verdict): (&Stage, &Observer, &Verdict),
) -> Vec<Warning> {
    let mut found = uneven(input, observer);
    found.extend(coarse(input, observer));
    found.extend(stage.analyst.unanswered.iter().map(|unanswered| gap(input, unanswered)));
    found.extend(autoscaler(input, stage, observer));
    found.extend(unseen(input, observer));
    found.extend(lost(stage, observer));
    found.extend(promoted(options, observer, verdict));
    found
}

/// The share of the pods that take traffic.
fn share_of_pods(state: &State) -> Option<f64> {
    let (old, new) = (state.old.ready.max(0).unsigned_abs(), state.new.ready.max(0).unsigned_abs());
    (old > 0 && new > 0).then(|| real(new) / real(old + new))
}

/// Steps in which few pods get much traffic.
fn uneven(input: &Input, observer: &Observer) -> Vec<Warning> {
    let mut found: Vec<(i32, Warning)> = Vec::new();
    for (sample, next) in observer.samples.iter().zip(observer.samples.iter().skip(1)) {
        let lasted = next.at.saturating_sub(sample.at);
        let (Some(weight), Some(pods), Some((step, steps))) =
            (sample.state.weight, share_of_pods(&sample.state), sample.state.step)
        else {
            continue;
        };
        let each = weight / (1.0 - weight) / (pods / (1.0 - pods));
        if weight <= 0.0 || weight >= 1.0 || each <= UNEVEN || lasted < LASTING || step >= steps {
            continue;
        }
        if found.iter().any(|(known, _)| *known == step) {
            continue;
        }
        let text = format!(
            "at step {} the new version gets {} of the traffic with {} of the pods: each of its pods gets {:.1} times the requests \
             of an old one",
            step + 1,
            percent(weight),
            percent(pods),
            each
        );
        let path = format!("spec.strategy.canary.steps[{step}]");
        found.push((step, at((&input.document, &path), "UnevenTraffic", text)));
    }
    found.into_iter().map(|(_, warning)| warning).collect()
}

/// Weights that a number of pods cannot express.
fn coarse(input: &Input, observer: &Observer) -> Vec<Warning> {
    let mut found = Vec::new();
    for row in observer.rows.iter().filter(|row| row.kind == Kind::Step && row.state.weight.is_none()) {
        let Some((done, _)) = row.state.step else { continue };
        let index = done - 1;
        let Some(wanted) = steps::at(&input.read, index).and_then(|step| step.set_weight) else { continue };
        let wanted_share = f64::from(wanted) / 100.0;
        let Some(pods) = share_of_pods(&row.state).filter(|pods| (pods - wanted_share).abs() > COARSE) else {
            continue;
        };
        let text = format!(
            "step {done} asks for {wanted} % and gets {}: {} of {} pods are new, and without a router pods are all there is to \
             split by",
            percent(pods),
            row.state.new.ready,
            row.state.new.ready + row.state.old.ready
        );
        let path = format!("spec.strategy.canary.steps[{index}].setWeight");
        found.push(at((&input.document, &path), "CoarseWeight", text));
    }
    found
}

/// A query that the model has not wholly understood.
fn gap(input: &Input, unanswered: &Unanswered) -> Warning {
    let Unanswered { metric, query, gap, counts_as } = unanswered;
    let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
    let what = match gap {
        Gap::Syntax(error) => format!("the model cannot read the query ({error})"),
        Gap::Metric(name) => format!("the model has no series {name}, so the answer lacks it"),
        Gap::Label(name) => {
            format!("the model's series have no label {name}, so what the query says of it is left out")
        }
    };
    let found = template_of(&input.documents, metric);
    let template = found.map_or("", |(document, _)| object::name(&document.value));
    let text = format!(
        "metric {metric} of template {template}: {what}; its measurements here count as {}; query: {query}",
        counts_as.to_lowercase()
    );
    match found {
        Some((document, index)) => {
            at((document, &format!("spec.metrics[{index}].provider.prometheus.query")), "QueryNotModelled", text)
        }
        None => nowhere("QueryNotModelled", text),
    }
}

/// An autoscaler that does nothing, or that has a rival in the file.
fn autoscaler(input: &Input, stage: &Stage, observer: &Observer) -> Option<Warning> {
    let name = input.furniture.autoscaler.as_ref()?;
    let stored = stage.user.get("HorizontalPodAutoscaler", input.key().0, name)?;
    let idle = object::list(&stored, "/status/conditions").iter().find(|condition| {
        let kind = object::text(condition, "/type");
        matches!(kind, "ScalingActive" | "AbleToScale") && object::text(condition, "/status") == "False"
    });
    if let Some(idle) = idle {
        let unset = input.read.spec.replicas.is_none();
        let why =
            if unset { "spec.replicas is not set, so it cannot read the size" } else { object::text(idle, "/message") };
        let text = format!("the autoscaler {name} does nothing: {why}");
        return Some(at((&input.document, "spec.replicas"), "AutoscalerIdle", text));
    }
    let (written, now) = (i64::from(input.read.spec.replicas?), observer.state.replicas);
    let text = format!(
        "spec.replicas is {written} in the file, and the autoscaler has made it {now}: the next apply sets it back"
    );
    (written != now).then(|| at((&input.document, "spec.replicas"), "ReplicasOfTwoMasters", text))
}

/// A version that has too much to do, which an autoscaler does not see.
fn unseen(input: &Input, observer: &Observer) -> Option<Warning> {
    let (asked, name) = (observer.strain.unanswered?, observer.strain.autoscaler.as_ref()?);
    let canary = input.read.spec.strategy.canary.as_ref();
    let full_stable = canary.is_some_and(|canary| canary.traffic_routing.is_some() && !canary.dynamic_stable_scale);
    let advice = if full_stable {
        " (set dynamicStableScale, or scale by a metric of the whole traffic)"
    } else {
        " (scale by a metric of the whole traffic)"
    };
    let step = asked.step.filter(|_| canary.is_some());
    let text = format!(
        "{}pods of the new version are asked for {} of what they can do, and those of the old one for {}: the autoscaler {name} \
         sees the mean of {}, {}, and adds none{advice}",
        step.map_or_else(String::new, |done| format!("after {}, ", counted(u64::from(done.unsigned_abs()), "step"))),
        percent(asked.new),
        percent(asked.old),
        counted(u64::from(asked.pods), "pod"),
        percent(asked.mean)
    );
    let path = if full_stable { "spec.strategy.canary.trafficRouting" } else { "spec.strategy" };
    Some(at((&input.document, path), "OverloadUnseen", text))
}

/// Requests that the delivery has lost.
fn lost(stage: &Stage, observer: &Observer) -> Option<Warning> {
    if observer.total.lost == 0 {
        return None;
    }
    let reasons = observer.lost(stage);
    let reasons: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{} ({})", count, why_lost(*reason))).collect();
    let text = format!("{} got no answer: {}", counted(observer.total.lost, "request"), reasons.join(", "));
    Some(nowhere("RequestsLost", text))
}

/// A bad version that everybody gets.
fn promoted(options: &Options, observer: &Observer, verdict: &Verdict) -> Option<Warning> {
    let new = observer.total.new;
    let bad = options.behaviour(Version::Canary).errors.unwrap_or(0.0) > 0.0 || new.errors > 0;
    if !bad || verdict.outcome != Outcome::Finished || new.total() == 0 {
        return None;
    }
    let share = real(new.errors) / real(new.total());
    let text = format!(
        "the new version answered {} of its requests with errors, and was promoted all the same",
        percent(share)
    );
    Some(nowhere("BadVersionPromoted", text))
}
