//! Sorting with an order that can fail and need not be total: Go's `Less` knows NaN and refuses mixed types.

use super::super::super::ast::BinaryOp;
use super::super::super::error::RuntimeError;
use super::super::super::meter::Meter;
use super::super::super::value::Value;
use super::super::compare::order;

/// Which way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Order {
    Ascending,
    Descending,
}

impl Order {
    /// Whether `a` must stand before `b`.
    fn before(self, a: &Value, b: &Value) -> Result<bool, RuntimeError> {
        match self {
            Self::Ascending => order(BinaryOp::Less, a, b),
            Self::Descending => order(BinaryOp::Less, b, a),
        }
    }
}

/// Up to here Go's sort is an insertion sort, which this follows step by step: with a NaN in the list
/// the outcome depends on it.
const INSERTION_LIMIT: usize = 12;

/// Sorts elements by their keys. Longer lists are merged, so elements with equal keys keep their order.
pub(in super::super) fn sort(
    keyed: Vec<(Value, Value)>,
    order: Order,
    meter: &mut Meter,
) -> Result<Vec<(Value, Value)>, RuntimeError> {
    let mut runs: Vec<Vec<(Value, Value)>> = Vec::new();
    let mut rest = keyed.into_iter();
    loop {
        let run: Vec<_> = rest.by_ref().take(INSERTION_LIMIT).collect();
        if run.is_empty() {
            break;
        }
        runs.push(inserted(run, order, meter)?);
    }
    while runs.len() > 1 {
        let mut merged_runs = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(first) = pairs.next() {
            merged_runs.push(match pairs.next() {
                Some(second) => merged(first, second, (order, meter))?,
                None => first,
            });
        }
        runs = merged_runs;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn inserted(
    mut run: Vec<(Value, Value)>,
    order: Order,
    meter: &mut Meter,
) -> Result<Vec<(Value, Value)>, RuntimeError> {
    for end in 1..run.len() {
        for at in (1..=end).rev() {
            meter.look(1)?;
            let (Some(before), Some(this)) = (run.get(at - 1), run.get(at)) else { break };
            if !order.before(&this.0, &before.0)? {
                break;
            }
            run.swap(at - 1, at);
        }
    }
    Ok(run)
}

fn merged(
    first: Vec<(Value, Value)>,
    second: Vec<(Value, Value)>,
    (order, meter): (Order, &mut Meter),
) -> Result<Vec<(Value, Value)>, RuntimeError> {
    let mut out = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    while let (Some(a), Some(b)) = (first.peek(), second.peek()) {
        meter.look(1)?;
        let next = if order.before(&b.0, &a.0)? { second.next() } else { first.next() };
        out.extend(next);
    }
    out.extend(first);
    out.extend(second);
    Ok(out)
}
