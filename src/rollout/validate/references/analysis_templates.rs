//! Analysis templates combine without conflict, get their arguments, and end.
//!
//! Argo: `validation_references.go ValidateAnalysisTemplatesWithType`, `utils/analysis/helpers.go`.

use super::super::analysis::is_metadata_path;
use super::super::error::{Path, Report, quote};
use super::super::read::{get, list, object, some_text, text};
use super::check::{AnalysisKind, TemplateGroup, name_of, strategy, strategy_path};
use super::metrics;
use serde_json::Value;
use std::collections::BTreeSet;

pub fn path(kind: AnalysisKind) -> Path {
    match kind {
        AnalysisKind::PrePromotion => strategy_path(&["blueGreen", "prePromotionAnalysis", "templates"]),
        AnalysisKind::PostPromotion => strategy_path(&["blueGreen", "postPromotionAnalysis", "templates"]),
        AnalysisKind::Inline(step) => {
            strategy_path(&["canary", "steps"]).index(step).child("analysis").child("templates")
        }
        AnalysisKind::Background => strategy_path(&["canary", "analysis", "templates"]),
    }
}

/// An argument of a template, as far as it is known.
#[derive(Debug, Clone)]
pub struct Argument<'a> {
    pub name: &'a str,
    pub value: Option<&'a str>,
    pub has_source: bool,
}

/// The arguments that a template declares.
pub fn declared(spec: &Value) -> Vec<Argument<'_>> {
    let read = |argument| Argument {
        name: text(argument, "name"),
        value: some_text(argument, "value"),
        has_source: object(argument, "valueFrom").is_some(),
    };
    list(spec, "args").iter().map(read).collect()
}

pub fn check(rollout: &Value, group: &TemplateGroup<'_>, report: &mut Report) {
    let path = path(group.kind);
    let all: Vec<_> = group.templates.iter().chain(&group.cluster_templates).copied().collect();
    let canary = strategy(rollout, "canary");
    let steps = list(canary, "steps").iter().filter_map(|step| object(step, "analysis"));
    // The templates have to combine by themselves, and with the rules of each analysis step.
    for rules in std::iter::once(&Value::Null).chain(steps) {
        if let Err(cause) = combine(&all, group.args, rules) {
            let names: Vec<_> = all.iter().map(|template| name_of(template)).collect();
            let shown = quote(&format!("templateNames: [{}]", names.join(" ")));
            report.invalid(&path, shown, &cause);
            return;
        }
    }
    for template in all {
        let (name, spec) = (name_of(template), get(template, "spec").unwrap_or(&Value::Null));
        if group.kind == AnalysisKind::Background {
            check_background(canary, name, spec, &path, report);
        } else {
            metrics::check_finite(name, spec, &path, report);
        }
    }
}

/// The first conflict between templates, the arguments given and the rules of a step.
fn combine(templates: &[&Value], given: &[Value], rules: &Value) -> Result<(), String> {
    let specs: Vec<_> = templates.iter().map(|template| get(template, "spec").unwrap_or(&Value::Null)).collect();
    let named = |list_name: &'static str, key: &'static str| {
        specs.iter().flat_map(move |spec| list(spec, list_name)).map(move |item| text(item, key))
    };
    check_unique(named("metrics", "name"), "two metrics have the same name")?;
    check_unique(named("dryRun", "metricName"), "two Dry-Run metric rules have the same name")?;
    let retention = "two Measurement Retention metric rules have the same name";
    check_unique(named("measurementRetention", "metricName"), retention)?;
    let arguments = merge_arguments(specs.iter().flat_map(|spec| declared(spec)))?;
    check_given(arguments, given)?;
    let of_step = |list_name| list(rules, list_name).iter().map(|item| text(item, "metricName"));
    let dry_run = of_step("dryRun").chain(named("dryRun", "metricName"));
    check_unique(dry_run, "two Dry-Run metric rules have the same name")?;
    check_unique(of_step("measurementRetention").chain(named("measurementRetention", "metricName")), retention)
}

fn check_unique<'a>(names: impl Iterator<Item = &'a str>, message: &str) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{message} '{name}'"));
        }
    }
    Ok(())
}

/// Arguments of several templates: one that has a value wins over one that has none.
fn merge_arguments<'a>(declared: impl Iterator<Item = Argument<'a>>) -> Result<Vec<Argument<'a>>, String> {
    let mut merged: Vec<Argument<'a>> = Vec::new();
    for argument in declared {
        let Some(known) = merged.iter_mut().find(|known| known.name == argument.name) else {
            merged.push(argument);
            continue;
        };
        match (known.value, argument.value) {
            (Some(a), Some(b)) if a != b => {
                let name = argument.name;
                return Err(format!("Argument `{name}` specified multiple times with different values: '{a}', '{b}'"));
            }
            (Some(_), _) => {}
            (None, _) => *known = argument,
        }
    }
    Ok(merged)
}

/// Every argument has a value of its own, a source, or is given by the Rollout. One bad metadata path among the
/// given ones leaves none of them.
fn check_given(arguments: Vec<Argument<'_>>, given: &[Value]) -> Result<(), String> {
    let is_bad = |argument: &Value| {
        let source = object(argument, "valueFrom").unwrap_or(&Value::Null);
        let field = object(source, "fieldRef").map_or("", |field| text(field, "fieldPath"));
        let by_hash = some_text(source, "podTemplateHashValue").is_some();
        !by_hash && field.starts_with("metadata") && !is_metadata_path(field)
    };
    let usable = if given.iter().any(is_bad) { &[][..] } else { given };
    for argument in arguments {
        let supplied = usable.iter().any(|given| text(given, "name") == argument.name);
        if argument.value.is_none() && !argument.has_source && !supplied {
            return Err(format!("args.{} was not resolved", argument.name));
        }
    }
    Ok(())
}

/// A background analysis takes its arguments from `canary.analysis.args`.
fn check_background(canary: &Value, name: &str, spec: &Value, path: &Path, report: &mut Report) {
    let analysis = object(canary, "analysis").unwrap_or(&Value::Null);
    let given = analysis.get("args").is_some_and(Value::is_array);
    for argument in declared(spec).iter().filter(|argument| argument.value.is_none() && !argument.has_source) {
        if !given {
            report.invalid(path, quote(name), "missing analysis arguments in rollout spec");
        } else if !list(analysis, "args").iter().any(|given| text(given, "name") == argument.name) {
            report.invalid(path, quote(name), argument.name);
        }
    }
}
