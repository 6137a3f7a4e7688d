//! Expressions into numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::parse::{Expr, Fold, Operator, Selector, Test};
use crate::api::Time;
use crate::sim::traffic::Record;

/// The one metric of this model.
const METRIC: &str = "http_requests_total";

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
        Expr::Instant(selector) => Answer::Vector(select(selector, record.totals(), 1.0)),
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
    let mut rows = select(selector, &record.window(now, window), divisor);
    for (labels, _) in &mut rows {
        labels.remove("__name__");
    }
    rows
}

#[allow(clippy::cast_precision_loss, reason = "counts of a model stay far below 2^53")]
fn select(
    selector: &Selector,
    counts: &BTreeMap<crate::sim::traffic::Series, u64>,
    divisor: f64,
) -> Vec<(Labels, f64)> {
    if selector.metric != METRIC {
        return Vec::new();
    }
    let rows = counts.iter().map(|(series, count)| (series.labels(), *count as f64 / divisor));
    let fits = |labels: &Labels| {
        selector.tests.iter().all(|(label, test)| test.holds(labels.get(label).map(String::as_str).unwrap_or_default()))
    };
    rows.filter(|(labels, _)| fits(labels))
        .map(|(mut labels, value)| {
            labels.insert("__name__".to_owned(), METRIC.to_owned());
            (labels, value)
        })
        .collect()
}

impl Test {
    /// A label that is not set is the empty text.
    fn holds(&self, value: &str) -> bool {
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
