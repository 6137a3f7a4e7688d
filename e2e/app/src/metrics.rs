//! Counts answers, and decides which of them are the errors.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one process. Only the service's own answers count: probes
/// and scrapes would thin out the error rate that a test asks for.
#[derive(Debug, Default)]
pub struct Metrics {
    arrived: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Metrics {
    /// Counts one request and answers with its status code, 200 or 500.
    ///
    /// The errors are spread evenly and not at random, so that a test can count on
    /// them: at a rate of 0.25 exactly every fourth request fails.
    pub fn next_status(&self, error_rate: f64) -> u16 {
        let arrived = self.arrived.fetch_add(1, Ordering::Relaxed);
        if errors_among(arrived + 1, error_rate) > errors_among(arrived, error_rate) {
            self.failed.fetch_add(1, Ordering::Relaxed);
            500
        } else {
            self.succeeded.fetch_add(1, Ordering::Relaxed);
            200
        }
    }

    /// The counters in the text format of Prometheus.
    pub fn render(&self, version: &str) -> String {
        let mut text = String::from(
            "# HELP http_requests_total Answers of the service.\n# TYPE http_requests_total counter\n",
        );
        for (code, count) in [(200, &self.succeeded), (500, &self.failed)] {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "http_requests_total{{version=\"{version}\",code=\"{code}\"}} {}",
                count.load(Ordering::Relaxed)
            );
        }
        text
    }
}

/// How many of the first `requests` are errors. The small term keeps products
/// such as 10 × 0.1 from falling just below a whole number.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn errors_among(requests: u64, error_rate: f64) -> u64 {
    (requests as f64 * error_rate + 1e-9).floor() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_rate_is_exact_over_every_hundred_requests() {
        for (rate, errors) in [
            (0.0, 0),
            (0.01, 1),
            (0.1, 10),
            (0.25, 25),
            (0.333, 33),
            (1.0, 100),
        ] {
            let metrics = Metrics::default();
            let failed = (0..100)
                .filter(|_| metrics.next_status(rate) == 500)
                .count();
            assert_eq!(failed, errors, "rate {rate}");
        }
    }

    #[test]
    fn counters_carry_version_and_code() {
        let metrics = Metrics::default();
        for _ in 0..4 {
            metrics.next_status(0.25);
        }
        let text = metrics.render("v2");
        assert!(
            text.contains("http_requests_total{version=\"v2\",code=\"200\"} 3\n"),
            "{text}"
        );
        assert!(
            text.contains("http_requests_total{version=\"v2\",code=\"500\"} 1\n"),
            "{text}"
        );
    }
}
