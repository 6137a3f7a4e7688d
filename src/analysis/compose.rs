//! From templates to the specification of a run: which templates, which metrics, whose arguments.

use std::collections::BTreeSet;

use crate::api::analysis::{AnalysisRunSpec, AnalysisTemplateSpec, Argument, Metric};
use crate::api::rollout::{DryRun, MeasurementRetention, TemplateRef};

/// Templates of one composition, nested ones included. More is a mistake, or an attack on memory.
const MAX_TEMPLATES: usize = 1_000;

/// Why templates do not make a run. The texts are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A namespaced template is missing.
    #[error("analysistemplate.argoproj.io \"{0}\" not found")]
    NoTemplate(String),
    /// A cluster template is missing.
    #[error("clusteranalysistemplate.argoproj.io \"{0}\" not found")]
    NoClusterTemplate(String),
    /// The references lead on and on.
    #[error("more than {MAX_TEMPLATES} analysis templates are referenced: remove nested references")]
    TooMany,
    /// Two metrics share a name.
    #[error("two metrics have the same name '{0}'")]
    Metric(String),
    /// Two values for one argument.
    #[error("Argument `{name}` specified multiple times with different values: '{first}', '{second}'")]
    Argument {
        /// The argument.
        name: String,
        /// Its first value.
        first: String,
        /// Its other value.
        second: String,
    },
    /// An argument has neither a value nor a source.
    #[error("args.{0} was not resolved")]
    Unresolved(String),
    /// Two dry-run rules are the same.
    #[error("two Dry-Run metric rules have the same name '{0}'")]
    DryRun(String),
    /// Two retention rules are the same.
    #[error("two Measurement Retention metric rules have the same name '{0}'")]
    Retention(String),
}

/// The templates of a composition: namespaced ones, then cluster ones, each in order of reference.
#[derive(Clone, Debug, Default)]
pub struct Templates<'a> {
    /// Of the namespace.
    pub namespaced: Vec<&'a AnalysisTemplateSpec>,
    /// Of the cluster.
    pub cluster: Vec<&'a AnalysisTemplateSpec>,
    /// Their names, in the order in which they were met.
    pub names: Vec<TemplateRef>,
}

impl<'a> Templates<'a> {
    /// Follows `refs` depth first; each template counts once, where it is met first, so that a circle ends.
    ///
    /// # Errors
    /// A template that `lookup` does not find, or too many of them.
    pub fn collect(
        refs: &[TemplateRef],
        lookup: &dyn Fn(&TemplateRef) -> Option<&'a AnalysisTemplateSpec>,
    ) -> Result<Self, ComposeError> {
        let mut out = Self::default();
        let mut seen = BTreeSet::new();
        let mut open: Vec<TemplateRef> = refs.iter().rev().cloned().collect();
        while let Some(next) = open.pop() {
            if !seen.insert((next.cluster_scope, next.template_name.clone())) {
                continue;
            }
            if seen.len() > MAX_TEMPLATES {
                return Err(ComposeError::TooMany);
            }
            let Some(spec) = lookup(&next) else {
                let missing =
                    if next.cluster_scope { ComposeError::NoClusterTemplate } else { ComposeError::NoTemplate };
                return Err(missing(next.template_name));
            };
            if next.cluster_scope {
                out.cluster.push(spec);
            } else {
                out.namespaced.push(spec);
            }
            open.extend(spec.templates.iter().rev().cloned());
            out.names.push(next);
        }
        Ok(out)
    }

    fn all(&self) -> impl Iterator<Item = &'a AnalysisTemplateSpec> {
        self.namespaced.iter().chain(&self.cluster).copied()
    }
}

/// What the caller (a Rollout, an Experiment, a person) adds to the templates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller<'a> {
    /// Values of arguments; names that the templates do not declare are ignored.
    pub args: &'a [Argument],
    /// Further dry-run rules.
    pub dry_run: &'a [DryRun],
    /// Further retention rules.
    pub measurement_retention: &'a [MeasurementRetention],
}

/// The specification of a run; its metrics are not substituted. Argo: `NewAnalysisRunFromTemplates`.
///
/// # Errors
/// Names that clash, and arguments without a value.
pub fn run_spec(templates: &Templates<'_>, caller: Caller<'_>) -> Result<AnalysisRunSpec, ComposeError> {
    let metrics = metrics(templates)?;
    let dry_run = unique_dry_run(templates.all().flat_map(|spec| &spec.dry_run))?;
    let retention = unique_retention(templates.all().flat_map(|spec| &spec.measurement_retention))?;
    let args = caller_args(declared_args(templates)?, caller.args)?;
    Ok(AnalysisRunSpec {
        metrics,
        args,
        dry_run: unique_dry_run(caller.dry_run.iter().chain(&dry_run))?,
        measurement_retention: unique_retention(caller.measurement_retention.iter().chain(&retention))?,
        ..AnalysisRunSpec::default()
    })
}

fn metrics(templates: &Templates<'_>) -> Result<Vec<Metric>, ComposeError> {
    let mut names = BTreeSet::new();
    let mut out = Vec::new();
    for metric in templates.all().flat_map(|spec| &spec.metrics) {
        if !names.insert(metric.name.as_str()) {
            return Err(ComposeError::Metric(metric.name.clone()));
        }
        out.push(metric.clone());
    }
    Ok(out)
}

/// The templates' arguments, each once: a value wins over none, and two different values are an error.
fn declared_args(templates: &Templates<'_>) -> Result<Vec<Argument>, ComposeError> {
    let mut out: Vec<Argument> = Vec::new();
    for arg in templates.all().flat_map(|spec| &spec.args) {
        let Some(known) = out.iter_mut().find(|known| known.name == arg.name) else {
            out.push(arg.clone());
            continue;
        };
        match (&known.value, &arg.value) {
            (Some(first), Some(second)) if first != second => {
                let (first, second) = (first.clone(), second.clone());
                return Err(ComposeError::Argument { name: arg.name.clone(), first, second });
            }
            (Some(_), _) => {}
            (None, _) => known.clone_from(arg),
        }
    }
    Ok(out)
}

/// Gives the caller's values to the declared arguments. A value does not take away a source: the source wins when the run
/// is measured, as in Argo's `MergeArgs`.
fn caller_args(mut declared: Vec<Argument>, given: &[Argument]) -> Result<Vec<Argument>, ComposeError> {
    for arg in given {
        let Some(known) = declared.iter_mut().find(|known| known.name == arg.name) else { continue };
        if arg.value.is_some() {
            known.value.clone_from(&arg.value);
        } else if arg.value_from.is_some() {
            known.value_from.clone_from(&arg.value_from);
        }
    }
    match declared.iter().find(|arg| arg.value.is_none() && arg.value_from.is_none()) {
        Some(arg) => Err(ComposeError::Unresolved(arg.name.clone())),
        None => Ok(declared),
    }
}

fn unique_dry_run<'r>(rules: impl Iterator<Item = &'r DryRun>) -> Result<Vec<DryRun>, ComposeError> {
    let mut names = BTreeSet::new();
    rules
        .map(|rule| {
            let new = names.insert(&rule.metric_name);
            new.then(|| rule.clone()).ok_or_else(|| ComposeError::DryRun(rule.metric_name.clone()))
        })
        .collect()
}

fn unique_retention<'r>(
    rules: impl Iterator<Item = &'r MeasurementRetention>,
) -> Result<Vec<MeasurementRetention>, ComposeError> {
    let mut names = BTreeSet::new();
    rules
        .map(|rule| {
            let new = names.insert(&rule.metric_name);
            new.then(|| rule.clone()).ok_or_else(|| ComposeError::Retention(rule.metric_name.clone()))
        })
        .collect()
}

/// Whether two runs measure the same: metrics, arguments, dry-run and retention rules. A run that is found under the name
/// of one to be created, and is equal to it, is that run.
pub fn equal(left: &AnalysisRunSpec, right: &AnalysisRunSpec) -> bool {
    // The wire types read every empty form (absent, null, empty) as one value, so that comparing them compares the JSON.
    left.metrics == right.metrics
        && left.args == right.args
        && left.dry_run == right.dry_run
        && left.measurement_retention == right.measurement_retention
}

#[cfg(test)]
mod tests;
