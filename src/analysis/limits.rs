//! The numbers of a metric as the rules use them.

use crate::api::analysis::Metric;
use crate::api::intstr::IntOrString;

/// Errors in a row that a metric tolerates where it does not say.
const DEFAULT_CONSECUTIVE_ERROR_LIMIT: i32 = 4;

/// The number that an int-or-string stands for: a text that is none counts as 0. Argo: `intstr.IntValue`.
fn number(value: Option<&IntOrString>) -> i32 {
    match value {
        None => 0,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::Text(text)) => {
            let wide: i64 = text.parse().unwrap_or(0);
            i32::try_from(wide).unwrap_or(if wide < 0 { i32::MIN } else { i32::MAX })
        }
    }
}

/// `count` as written; 0 where it is absent.
pub(crate) fn count(metric: &Metric) -> i32 {
    number(metric.count.as_ref())
}

/// Measurements after which the metric is complete; `None`: it goes on until it is stopped.
/// Argo: `Metric.EffectiveCount`.
pub fn effective_count(metric: &Metric) -> Option<i32> {
    match count(metric) {
        0 if metric.interval.is_empty() => Some(1),
        0 => None,
        count => Some(count),
    }
}

/// Failures tolerated; negative: any number.
pub(crate) fn failure_limit(metric: &Metric) -> i32 {
    number(metric.failure_limit.as_ref())
}

/// Inconclusive measurements tolerated.
pub(crate) fn inconclusive_limit(metric: &Metric) -> i32 {
    number(metric.inconclusive_limit.as_ref())
}

/// Errors in a row tolerated.
pub(crate) fn consecutive_error_limit(metric: &Metric) -> i32 {
    match &metric.consecutive_error_limit {
        None => DEFAULT_CONSECUTIVE_ERROR_LIMIT,
        given => number(given.as_ref()),
    }
}

/// Successes in a row that complete the metric; 0: off.
pub(crate) fn consecutive_success_limit(metric: &Metric) -> i32 {
    number(metric.consecutive_success_limit.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_numbers_or_zero() {
        let text = |text: &str| number(Some(&IntOrString::Text(text.to_owned())));
        assert_eq!([text("5"), text("+5"), text("-3"), text("x"), text(""), text("1.5")], [5, 5, -3, 0, 0, 0]);
        assert_eq!(text("9999999999"), i32::MAX);
    }

    #[test]
    fn a_metric_without_count_is_measured_once_or_for_ever() {
        let mut metric = Metric::default();
        assert_eq!(effective_count(&metric), Some(1));
        metric.interval = "5s".to_owned();
        assert_eq!(effective_count(&metric), None);
        metric.count = Some(IntOrString::Text("3".to_owned()));
        assert_eq!(effective_count(&metric), Some(3));
        assert_eq!(consecutive_error_limit(&metric), 4);
    }
}
