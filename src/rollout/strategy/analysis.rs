//! Which AnalysisRuns should exist. A run is found by its labels and its attempt, never by luck of a name.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{blue_green, rollback, steps};
use crate::analysis::args::{Hashes, rollout_args};
use crate::analysis::compose::{Caller, Templates, run_spec};
use crate::analysis::evidence::{self, Verdict};
use crate::api::rollout::{RolloutAnalysis, TemplateRef};
use crate::api::rollout_status::RunStatus;
use crate::api::{AnalysisRun, names};
use crate::plan::{Effect, ObjectRef, Phase as PlanPhase, Precondition, Verb};
use crate::rollout::case::Case;
use crate::rollout::safety::capacity;

/// Annotation on runs: the attempt that they belong to, as the time at which it began.
pub const ATTEMPT: &str = "siskin.dev/attempt";
/// Annotation on runs: the inconclusive run that they replace after a person resumed.
pub const REPLACES: &str = "siskin.dev/replaces";

/// The four places of analysis in an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// The current step of a canary, by its index.
    Step(i32),
    /// Beside the steps of a canary.
    Background,
    /// Before the switch of a blue-green.
    PrePromotion,
    /// After the switch of a blue-green.
    PostPromotion,
}

impl RunKind {
    /// Every kind that could concern a Rollout now.
    pub fn all(case: &Case<'_>) -> Vec<Self> {
        if case.is_canary() {
            let step = steps::index(&case.world.rollout).map(Self::Step);
            step.into_iter().chain([Self::Background]).collect()
        } else {
            vec![Self::PrePromotion, Self::PostPromotion]
        }
    }

    /// The text of the label `rollout-type`, also the beginning of the event.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Step(_) => "Step",
            Self::Background => "Background",
            Self::PrePromotion => "PrePromotion",
            Self::PostPromotion => "PostPromotion",
        }
    }

    /// What an abort message calls it.
    pub const fn abort_words(self) -> &'static str {
        match self {
            Self::Step(_) => "Step-based analysis phase error/failed",
            Self::Background => "Background analysis phase error/failed",
            Self::PrePromotion => "Blue/green pre-promotion analysis phase error/failed",
            Self::PostPromotion => "Blue/green post-promotion analysis phase error/failed",
        }
    }

    fn suffix(self) -> String {
        match self {
            Self::Step(index) => format!("-{index}"),
            Self::Background => String::new(),
            Self::PrePromotion => "-pre".to_owned(),
            Self::PostPromotion => "-post".to_owned(),
        }
    }

    /// What the record says of the run.
    pub fn recorded<'c>(self, case: &'c Case<'_>) -> Option<&'c RunStatus> {
        let status = case.status();
        match self {
            Self::Step(_) => status.canary.current_step_analysis_run_status.as_ref(),
            Self::Background => status.canary.current_background_analysis_run_status.as_ref(),
            Self::PrePromotion => status.blue_green.pre_promotion_analysis_run_status.as_ref(),
            Self::PostPromotion => status.blue_green.post_promotion_analysis_run_status.as_ref(),
        }
    }

    /// The analysis that the specification asks for.
    pub fn declared<'c>(self, case: &'c Case<'_>) -> Option<&'c RolloutAnalysis> {
        let strategy = &case.world.rollout.spec.strategy;
        let analysis = match self {
            Self::Step(index) => steps::at(&case.world.rollout, index)?.analysis.as_deref(),
            Self::Background => strategy.canary.as_ref()?.analysis.as_ref(),
            Self::PrePromotion => strategy.blue_green.as_ref()?.pre_promotion_analysis.as_ref(),
            Self::PostPromotion => strategy.blue_green.as_ref()?.post_promotion_analysis.as_ref(),
        };
        analysis.filter(|analysis| !analysis.templates.is_empty())
    }
}

/// Whether no analysis has anything to say: nothing is being updated, or the update is being undone or forced.
pub fn silent(case: &Case<'_>) -> bool {
    let status = case.status();
    status.stable_rs.is_empty()
        || status.current_pod_hash.is_empty()
        || case.fully_promoted()
        || status.abort
        || status.promote_full
        || case.cast.new.is_none()
        || rollback::direct(case.world, case.cast)
        || (!case.is_canary() && blue_green::fast_rollback(case.world, case.cast, case.now))
}

/// Whether a kind of run should exist now. Source: contract, behaviour §11.
pub fn wanted(case: &Case<'_>, kind: RunKind) -> bool {
    let status = case.status();
    if silent(case) || kind.declared(case).is_none() || status.pause("InconclusiveAnalysisRun").is_some() {
        return false;
    }
    let exists = current(case, kind).is_some();
    match kind {
        RunKind::Step(_) => exists || status.pause_conditions.is_empty(),
        RunKind::Background => case
            .world
            .rollout
            .spec
            .strategy
            .canary
            .as_ref()
            .is_some_and(|c| !steps::before_starting_step(&case.world.rollout, c)),
        RunKind::PrePromotion => {
            let Some(strategy) = &case.world.rollout.spec.strategy.blue_green else { return false };
            let active = capacity::selected(case.world, &strategy.active_service);
            let switched = active.is_none_or(|hash| hash == case.new_hash());
            let ready = blue_green::ready_for_pause(case.world, case.cast, strategy)
                && (blue_green::previewed(case.world, case.cast, strategy)
                    || crate::mutant!("measured-before-preview"));
            !switched && (exists || ready)
        }
        RunKind::PostPromotion => {
            let Some(strategy) = &case.world.rollout.spec.strategy.blue_green else { return false };
            let active = capacity::selected(case.world, &strategy.active_service);
            active == Some(case.new_hash()) && (exists || blue_green::saturated(case.world, case.cast))
        }
    }
}

/// The run of a kind that belongs to this revision and attempt: the recorded one or its latest replacement.
pub fn current<'c>(case: &'c Case<'_>, kind: RunKind) -> Option<&'c Arc<AnalysisRun>> {
    let recorded = kind.recorded(case).map(|run| run.name.as_str()).filter(|name| !left_behind(case, kind, name));
    let attempt = attempt(case);
    let mine = || case.world.runs.iter().filter(|run| belongs(case, kind, run));
    let mut found = match recorded {
        Some(name) => case.world.runs.iter().find(|run| run.metadata.name == name)?,
        None => mine().find(|run| {
            run.metadata.annotation(ATTEMPT) == Some(attempt.as_str()) && run.metadata.annotation(REPLACES).is_none()
        })?,
    };
    // Each link leads to a younger run, and there are finitely many.
    for _ in 0..case.world.runs.len() {
        match mine().find(|run| run.metadata.annotation(REPLACES) == Some(found.metadata.name.as_str())) {
            Some(next) => found = next,
            None => break,
        }
    }
    Some(found)
}

/// Whether a recorded run is that of another step: a person has skipped that step, and its end says nothing of this one.
pub fn left_behind(case: &Case<'_>, kind: RunKind, name: &str) -> bool {
    let RunKind::Step(index) = kind else { return false };
    let run = case.world.runs.iter().find(|run| run.metadata.name == name);
    let step = run.and_then(|run| run.metadata.label(names::STEP_INDEX));
    step.is_some_and(|step| step != index.to_string())
}

fn belongs(case: &Case<'_>, kind: RunKind, run: &AnalysisRun) -> bool {
    let meta = &run.metadata;
    let step = match kind {
        RunKind::Step(index) => meta.label(names::STEP_INDEX) == Some(index.to_string().as_str()),
        _ => true,
    };
    step && meta.label(names::ROLLOUT_TYPE) == Some(kind.label())
        && meta.label(names::POD_HASH) == Some(case.new_hash())
}

/// The attempt by the time at which it began; empty where the record does not keep it.
pub(super) fn attempt(case: &Case<'_>) -> String {
    let started = case.status().duration.as_ref().and_then(|duration| duration.rollout_started_at);
    started.map(|time| time.to_string()).unwrap_or_default()
}

/// Runs to create, runs to stop, runs to delete.
pub fn effects(case: &Case<'_>) -> (Vec<Effect>, Vec<String>) {
    let (mut effects, mut errors) = (Vec::new(), Vec::new());
    let mut kept: Vec<&str> = Vec::new();
    for kind in RunKind::all(case) {
        let existing = current(case, kind);
        if !wanted(case, kind) {
            // An inconclusive pause keeps what it is about.
            if case.status().pause("InconclusiveAnalysisRun").is_some() {
                kept.extend(existing.map(|run| run.metadata.name.as_str()));
            }
            continue;
        }
        kept.extend(existing.map(|run| run.metadata.name.as_str()));
        let replaces = match existing {
            None => None,
            Some(run) if crate::mutant!("runs-pile-up") => Some(run),
            Some(run) if is_resumed(case, kind, run) && undecided(run) => Some(run),
            Some(_) => continue,
        };
        match create(case, kind, replaces.map(|run| run.metadata.name.as_str())) {
            Ok(effect) => effects.push(effect),
            Err(error) => errors.push(error),
        }
    }
    effects.extend(super::run_upkeep::effects(case, &kept));
    (effects, errors)
}

/// Whether a person who resumed has seen the verdict of this run: the record names it. One resume asks for one replacement
/// (I32), also where that has ended before the record says that it is there.
pub fn is_resumed(case: &Case<'_>, kind: RunKind, run: &AnalysisRun) -> bool {
    let named = kind.recorded(case).is_none_or(|recorded| recorded.name == run.metadata.name);
    case.resumed() && named
}

/// Whether a run ended without a verdict, also where it calls itself successful and has measured nothing.
fn undecided(run: &AnalysisRun) -> bool {
    matches!(evidence::verdict(run), Verdict::Inconclusive | Verdict::Unproven(_))
}

fn create(case: &Case<'_>, kind: RunKind, replaces: Option<&str>) -> Result<Effect, String> {
    let declared = kind.declared(case).ok_or_else(|| "no analysis is declared".to_owned())?;
    let spec = spec(case, declared)?;
    let name = free_name(case, kind);
    let rollout = &case.world.rollout;
    let object = ObjectRef::named::<AnalysisRun>(&rollout.metadata.namespace, &name);
    if let Some(error) = case.world.unreadable.get(&object) {
        return Err(format!("AnalysisRun {name:?} is there and cannot be read: {error}: correct or delete it"));
    }
    let labels = labels(case, kind, declared);
    let mut annotations: Map<String, Value> = Map::new();
    annotations.insert(names::REVISION.to_owned(), json!(case.revision().to_string()));
    annotations.insert(ATTEMPT.to_owned(), json!(attempt(case)));
    if let Some(replaced) = replaces {
        annotations.insert(REPLACES.to_owned(), json!(replaced));
    }
    if let Some(metadata) = &declared.analysis_run_metadata {
        annotations.extend(metadata.annotations.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
    let body = json!({
        "apiVersion": names::API_VERSION,
        "kind": "AnalysisRun",
        "metadata": {
            "name": name,
            "namespace": rollout.metadata.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [crate::rollout::revision::create::owner_reference(rollout)],
        },
        "spec": spec,
    });
    Ok(Effect {
        phase: PlanPhase::Create,
        object,
        verb: Verb::Create(body),
        precondition: Precondition::default(),
        rests_on: Vec::new(),
        reason: format!("{} analysis begins", kind.label()),
        events: Vec::new(),
    })
}

/// Labels of a run; the selector's labels win over the user's, as in Argo.
fn labels(case: &Case<'_>, kind: RunKind, declared: &RolloutAnalysis) -> Map<String, Value> {
    let rollout = &case.world.rollout;
    let mut labels: Map<String, Value> = Map::new();
    let mut put = |key: &str, value: &str| labels.insert(key.to_owned(), json!(value));
    put(names::POD_HASH, case.new_hash());
    put(names::ROLLOUT_TYPE, kind.label());
    if let RunKind::Step(index) = kind {
        put(names::STEP_INDEX, &index.to_string());
    }
    if let Some(instance) = rollout.metadata.label(names::INSTANCE_ID) {
        put(names::INSTANCE_ID, instance);
    }
    let declared = declared.analysis_run_metadata.iter().flat_map(|metadata| &metadata.labels);
    let selected = rollout.spec.selector.iter().flat_map(|selector| &selector.match_labels);
    for (key, value) in declared.chain(selected) {
        put(key, value);
    }
    labels
}

fn spec(case: &Case<'_>, declared: &RolloutAnalysis) -> Result<Value, String> {
    let templates = &case.world.templates;
    let lookup = |wanted: &TemplateRef| {
        if wanted.cluster_scope {
            templates.cluster.get(&wanted.template_name).map(|template| &template.spec)
        } else {
            templates.namespaced.get(&wanted.template_name).map(|template| &template.spec)
        }
    };
    let found = Templates::collect(&declared.templates, &lookup).map_err(|error| error.to_string())?;
    let rollout = serde_json::to_value(&*case.world.rollout).map_err(|error| error.to_string())?;
    let hashes = Hashes { stable: &case.status().stable_rs, latest: case.new_hash() };
    let args = rollout_args(&declared.args, &rollout, hashes).at_creation().map_err(|error| error.to_string())?;
    let caller =
        Caller { args: &args, dry_run: &declared.dry_run, measurement_retention: &declared.measurement_retention };
    let spec = run_spec(&found, caller).map_err(|error| error.to_string())?;
    serde_json::to_value(spec).map_err(|error| error.to_string())
}

/// `<rollout>-<hash>-<revision><suffix>`, then `.1`, `.2` … where that is taken.
fn free_name(case: &Case<'_>, kind: RunKind) -> String {
    let rollout = &case.world.rollout.metadata.name;
    let base = format!("{rollout}-{}-{}{}", case.new_hash(), case.revision(), kind.suffix());
    let taken = |name: &str| case.world.runs.iter().any(|run| run.metadata.name == name);
    if !taken(&base) {
        return base;
    }
    let numbered = (1..=case.world.runs.len() + 1).map(|number| format!("{base}.{number}"));
    numbered.into_iter().find(|name| !taken(name)).unwrap_or(base)
}
