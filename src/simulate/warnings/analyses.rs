//! Metrics that cannot do what they are there for.

use serde_json::Value as Json;

use super::at;
use crate::analysis::condition::{Verdict, judge};
use crate::analysis::effective_count;
use crate::analysis::expr::Value;
use crate::analysis::rules;
use crate::api::Time;
use crate::api::analysis::Metric;
use crate::api::intstr::IntOrString;
use crate::cli::lint::Document;
use crate::rollout::invalid::analysis_fields;
use crate::sim::object;
use crate::simulate::input::Input;
use crate::simulate::report::Warning;

/// Values of all sizes: a condition that fails none of them fails nothing.
const PROBES: &[f64] = &[
    -1e12, -1e3, -1.0, 0.0, 1e-6, 0.001, 0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0, 2.0, 5.0, 10.0, 50.0,
    100.0, 500.0, 1e3, 1e4, 1e6, 1e12,
];

/// Warnings of all metrics in the files, and of a release that nothing measures.
pub(super) fn all(input: &Input) -> Vec<Warning> {
    let fields = analysis_fields(&input.read.spec.strategy);
    if fields.is_empty() {
        let text = "nothing measures the new version: a bad one goes to everybody, unless a person looks";
        return vec![at((&input.document, "spec.strategy"), "NoAnalysis", text)];
    }
    let mut found = Vec::new();
    for document in &input.documents {
        if matches!(object::text(&document.value, "/kind"), "AnalysisTemplate" | "ClusterAnalysisTemplate") {
            found.extend(of_template(document));
        }
    }
    for (_, analysis) in fields {
        if !analysis.dry_run.is_empty() {
            let names: Vec<&str> = analysis.dry_run.iter().map(|dry| dry.metric_name.as_str()).collect();
            let text = format!("metrics {} are measured as a dry run: they cannot fail the release", names.join(", "));
            found.push(at((&input.document, "spec.strategy"), "DryRun", text));
        }
    }
    found
}

fn of_template(document: &Document) -> Vec<Warning> {
    let listed: Vec<Metric> = document
        .value
        .pointer("/spec/metrics")
        .and_then(|metrics| serde_json::from_value(metrics.clone()).ok())
        .unwrap_or_default();
    let dry =
        document.value.pointer("/spec/dryRun").cloned().and_then(|dry| serde_json::from_value::<Vec<_>>(dry).ok());
    let dry = dry.unwrap_or_default();
    let dry = rules::dry_run(&dry, &listed).map(|names| names.into_iter().map(str::to_owned).collect::<Vec<String>>());
    let dry = dry.unwrap_or_default();
    let mut found = Vec::new();
    for (index, metric) in listed.iter().enumerate() {
        let path = format!("spec.metrics[{index}]");
        let warn = |code, text: String| at((document, &path), code, text);
        if dry.contains(&metric.name) {
            found.push(warn("DryRun", format!("metric {} is measured as a dry run: it cannot fail", metric.name)));
        } else {
            found.extend(of_metric(metric).map(|(code, text)| warn(code, text)));
        }
    }
    found
}

/// Why a metric cannot fail, or fails too little: the worst of it.
fn of_metric(metric: &Metric) -> Option<(&'static str, String)> {
    let name = &metric.name;
    let cannot = |why: &str| Some(("CannotFail", format!("metric {name} cannot fail: {why}")));
    if metric.success_condition.is_empty() && metric.failure_condition.is_empty() {
        return cannot("it has no condition, so every answer is a success");
    }
    let limit = match &metric.failure_limit {
        Some(IntOrString::Int(limit)) => *limit,
        Some(IntOrString::Text(text)) => text.parse().unwrap_or(0),
        None => 0,
    };
    if limit < 0 {
        return cannot("its failureLimit is below 0, so any number of failures is tolerated");
    }
    if let Some(count) = effective_count(metric).filter(|count| limit >= *count) {
        return cannot(&format!("it is measured {count} times and tolerates {limit} failures (failureLimit)"));
    }
    let verdicts: Vec<Verdict> = PROBES.iter().map(|value| verdict(metric, vec![*value])).collect();
    let is_readable = verdicts.iter().any(|verdict| *verdict != Verdict::Error);
    if is_readable && !verdicts.contains(&Verdict::Failed) {
        return cannot("no number that was tried, from -1e12 to 1e12, fails its conditions");
    }
    if verdict(metric, Vec::new()) == Verdict::Successful {
        let text =
            format!("metric {name}: no data counts as success, so a new version that nobody reaches is promoted");
        return Some(("NoDataIsSuccess", text));
    }
    if verdict(metric, vec![f64::NAN]) == Verdict::Successful {
        let text = format!("metric {name}: NaN (a rate of 0 by 0, when there are no requests) counts as success");
        return Some(("NoDataIsSuccess", text));
    }
    None
}

fn verdict(metric: &Metric, values: Vec<f64>) -> Verdict {
    let (success, failure) = (metric.success_condition.as_str(), metric.failure_condition.as_str());
    judge(Some(success), Some(failure), &Value::floats(values), Time::default()).0
}

/// The template of a metric in the files, and the metric's place in it.
pub(super) fn template_of<'a>(documents: &'a [Document], metric: &str) -> Option<(&'a Document, usize)> {
    let mut templates = documents.iter().filter(|document| {
        matches!(object::text(&document.value, "/kind"), "AnalysisTemplate" | "ClusterAnalysisTemplate")
    });
    let place = |document: &Document| {
        let named = |listed: &Json| object::text(listed, "/name") == metric;
        object::list(&document.value, "/spec/metrics").iter().position(named)
    };
    templates.find_map(|document| Some((document, place(document)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(metric: &Json) -> Option<&'static str> {
        of_metric(&serde_json::from_value(metric.clone()).unwrap()).map(|(code, _)| code)
    }

    #[test]
    fn metrics_that_cannot_fail_are_found() {
        let metric = |condition: &str| json!({"name": "m", "interval": "1m", "successCondition": condition});
        assert_eq!(code(&metric("result[0] >= 0.95")), None);
        assert_eq!(code(&metric("len(result) == 0 || result[0] >= 0.95")), Some("NoDataIsSuccess"));
        assert_eq!(code(&metric("isNaN(result[0]) || result[0] >= 0.95")), Some("NoDataIsSuccess"));
        assert_eq!(code(&metric("result[0] >= -1e15")), Some("CannotFail"));
        assert_eq!(code(&json!({"name": "m"})), Some("CannotFail"));
        let lenient =
            json!({"name": "m", "successCondition": "result[0] > 1", "count": 3, "interval": "1m", "failureLimit": 3});
        assert_eq!(code(&lenient), Some("CannotFail"));
        assert_eq!(
            code(&json!({"name": "m", "successCondition": "result[0] > 1", "failureLimit": -1})),
            Some("CannotFail")
        );
        let both = json!({"name": "m", "successCondition": "result[0] > 1", "failureCondition": "result[0] < 0"});
        assert_eq!(code(&both), None);
    }
}
