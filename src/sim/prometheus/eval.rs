//! Expressions into numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::parse::{Expr, Fold, Operator, Selector, Test};
use crate::api::Time;
use crate::sim::traffic::Record;
use crate::sim::traffic::times::BOUNDS;

/// Requests, by what became of them.
const REQUESTS: &str = "http_requests_total";
/// The histogram of the time that answers took: `_bucket`, `_sum` and `_count`.
const DURATION: &str = "http_request_duration_seconds";

pub(crate) type Labels = BTreeMap<String, String>;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Scalar(f64),
    Vector(Vec<(Labels, f64)>),
}

pub(crate) fn evaluate(expr: &Expr, record: &Record, now: Time) -> Answer {
    match expr {
        Expr::Number(number) => Answer::Scalar(*number),
        Expr::Vector(number) => Answer::Vector(vec![(Labels::new(), *number)]),
        Expr::Instant(selector) => Answer::Vector(select(selector, (record, None), 1.0)),
        Expr::Quantile(quantile, inner) => match evaluate(inner, record, now) {
            Answer::Vector(rows) => Answer::Vector(quantiles(*quantile, rows)),
            scalar @ Answer::Scalar(_) => scalar,
        },
        Expr::Rate(selector, window) => Answer::Vector(ranged(selector, record, (now, *window), window.as_secs_f64())),
        Expr::Increase(selector, window) => Answer::Vector(ranged(selector, record, (now, *window), 1.0)),
        Expr::Aggregate(fold, by, inner) => match evaluate(inner, record, now) {
            Answer::Vector(rows) => Answer::Vector(aggregate(*fold, by, rows)),
            scalar @ Answer::Scalar(_) => scalar,
        },
        Expr::Binary(left, operator, right) => {
            binary(evaluate(left, record, now), *operator, evaluate(right, record, now))
        }
    }
}

fn ranged(selector: &Selector, record: &Record, (now, window): (Time, Duration), divisor: f64) -> Vec<(Labels, f64)> {
    let mut rows = select(selector, (record, Some((now, window))), divisor);
    for (labels, _) in &mut rows {
        labels.remove("__name__");
    }
    rows
}

type Window = Option<(Time, Duration)>;

fn select(selector: &Selector, (record, window): (&Record, Window), divisor: f64) -> Vec<(Labels, f64)> {
    let fits = |labels: &Labels| {
        selector.tests.iter().all(|(label, test)| test.holds(labels.get(label).map(String::as_str).unwrap_or_default()))
    };
    let rows = match selector.metric.strip_prefix(DURATION) {
        Some(part) => times(part, record, window),
        None if selector.metric == REQUESTS => requests(record, window),
        None => Vec::new(),
    };
    rows.into_iter()
        .filter(|(labels, _)| fits(labels))
        .map(|(mut labels, value)| {
            labels.insert("__name__".to_owned(), selector.metric.clone());
            (labels, value / divisor)
        })
        .collect()
}

#[allow(clippy::cast_precision_loss, reason = "counts of a model stay far below 2^53")]
fn requests(record: &Record, window: Window) -> Vec<(Labels, f64)> {
    let recent = window.map(|(now, window)| record.window(now, window));
    let counts = recent.as_ref().unwrap_or_else(|| record.totals());
    counts.iter().map(|(series, count)| (series.labels(), *count as f64)).collect()
}

#[allow(clippy::cast_precision_loss, reason = "counts of a model stay far below 2^53")]
fn times(part: &str, record: &Record, window: Window) -> Vec<(Labels, f64)> {
    let recent = window.map(|(now, window)| record.times().window(now, window));
    let histograms = recent.as_ref().unwrap_or_else(|| record.times().totals());
    let mut rows = Vec::new();
    for (series, histogram) in histograms {
        let total = histogram.counts.iter().sum::<u64>() as f64;
        match part {
            "_sum" => rows.push((series.labels(), histogram.sum)),
            "_count" => rows.push((series.labels(), total)),
            "_bucket" => {
                let bounds = BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
                let mut below = 0;
                for (bound, count) in bounds.zip(histogram.counts) {
                    below += count;
                    let mut labels = series.labels();
                    labels.insert("le".to_owned(), bound);
                    rows.push((labels, below as f64));
                }
            }
            _ => {}
        }
    }
    rows
}

/// The quantile of each histogram, by linear interpolation within its bucket; no number where nothing was counted.
/// Source: Prometheus' documentation of `histogram_quantile`.
fn quantiles(quantile: f64, rows: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for (mut labels, value) in rows {
        let bound = labels.remove("le").and_then(|le| if le == "+Inf" { Some(f64::INFINITY) } else { le.parse().ok() });
        if let Some(bound) = bound {
            groups.entry(matching(&labels)).or_default().push((bound, value));
        }
    }
    groups
        .into_iter()
        .map(|(labels, mut buckets)| {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            (labels, quantile_of(quantile, &buckets))
        })
        .collect()
}

fn quantile_of(quantile: f64, buckets: &[(f64, f64)]) -> f64 {
    let total = buckets.last().map_or(0.0, |last| last.1);
    let ends_open = buckets.last().is_some_and(|last| last.0.is_infinite());
    if total <= 0.0 || !ends_open || buckets.len() < 2 {
        return f64::NAN;
    }
    let rank = quantile * total;
    let mut before = (0.0, 0.0);
    for (bound, count) in buckets {
        if *count >= rank {
            // Beyond the last bound there is nothing to interpolate with.
            let share = if *count > before.1 { (rank - before.1) / (count - before.1) } else { 0.0 };
            return if bound.is_infinite() { before.0 } else { before.0 + (bound - before.0) * share };
        }
        before = (*bound, *count);
    }
    before.0
}

impl Test {
    /// A label that is not set is the empty text.
    pub(crate) fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equal(wanted) => value == wanted,
            Self::NotEqual(unwanted) => value != unwanted,
            Self::Like(pattern) => pattern.is_match(value),
            Self::Unlike(pattern) => !pattern.is_match(value),
        }
    }
}

/// Nothing in, nothing out: the sum of no series is no number, not zero.
#[allow(clippy::cast_precision_loss, reason = "groups of a model stay far below 2^53")]
fn aggregate(fold: Fold, by: &[String], rows: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for (labels, value) in rows {
        let kept = labels.into_iter().filter(|(label, _)| by.contains(label)).collect();
        groups.entry(kept).or_default().push(value);
    }
    let folded = |values: &[f64]| match fold {
        Fold::Sum => values.iter().sum(),
        Fold::Count => values.len() as f64,
        Fold::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Fold::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        Fold::Average => values.iter().sum::<f64>() / values.len() as f64,
    };
    groups.into_iter().map(|(labels, values)| (labels, folded(&values))).collect()
}

fn binary(left: Answer, operator: Operator, right: Answer) -> Answer {
    match (left, right) {
        (Answer::Scalar(a), Answer::Scalar(b)) => Answer::Scalar(operator.of(a, b)),
        (Answer::Vector(rows), Answer::Scalar(b)) => Answer::Vector(each(rows, |a| operator.of(a, b))),
        (Answer::Scalar(a), Answer::Vector(rows)) => Answer::Vector(each(rows, |b| operator.of(a, b))),
        (Answer::Vector(mut a), Answer::Vector(b)) if operator == Operator::Or => {
            let present: BTreeSet<Labels> = a.iter().map(|(labels, _)| matching(labels)).collect();
            a.extend(b.into_iter().filter(|(labels, _)| !present.contains(&matching(labels))));
            Answer::Vector(a)
        }
        (Answer::Vector(a), Answer::Vector(b)) => {
            let right: BTreeMap<Labels, f64> =
                b.into_iter().map(|(labels, value)| (matching(&labels), value)).collect();
            let pair = |(labels, a): (Labels, f64)| {
                let labels = matching(&labels);
                let b = *right.get(&labels)?;
                Some((labels, operator.of(a, b)))
            };
            Answer::Vector(a.into_iter().filter_map(pair).collect())
        }
    }
}

/// Series are matched by all labels but the metric's name.
fn matching(labels: &Labels) -> Labels {
    labels
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, value)| (label.clone(), value.clone()))
        .collect()
}

fn each(rows: Vec<(Labels, f64)>, apply: impl Fn(f64) -> f64) -> Vec<(Labels, f64)> {
    rows.into_iter().map(|(labels, value)| (matching(&labels), apply(value))).collect()
}

impl Operator {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            // Between scalars `or` is not allowed in PromQL; the left side is what it would mean.
            Self::Or => a,
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
        }
    }
}
