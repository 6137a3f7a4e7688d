//! Where everything stands.

use std::time::Duration;

use super::super::model::{Outcome, Report};
use super::events::told;
use super::svg::{Anchor, fitted, rect, text, width};

const WIDTH: f64 = 1080.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 1048.0;
/// Heights of head, steps, shares, marks and pods.
const HEAD: f64 = 84.0;
const STEPS: f64 = 24.0;
const SHARES: f64 = 170.0;
const MARKS: f64 = 74.0;
/// Room for the name of a part above it.
const NAME: f64 = 26.0;
const PODS: f64 = 150.0;
const AXIS: f64 = 40.0;
/// Of a line of the list of events.
pub const LINE: f64 = 18.0;

/// The places of the picture.
pub struct Frame {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    /// Top and bottom of each part.
    pub steps: (f64, f64),
    pub shares: (f64, f64),
    pub marks: f64,
    pub pods: (f64, f64),
    /// Where the list of events begins.
    pub list: f64,
    /// The end of time.
    pub span: Duration,
    /// The most pods on the axis.
    pub most: f64,
}

impl Frame {
    pub fn of(report: &Report) -> Self {
        let steps = (HEAD, HEAD + if report.head.steps.is_empty() { 0.0 } else { STEPS });
        let shares = (steps.1 + NAME, steps.1 + NAME + SHARES);
        let pods = (shares.1 + MARKS, shares.1 + MARKS + PODS);
        let list = pods.1 + AXIS;
        let highest = report.samples.iter().map(|sample| sample.state.old.existing + sample.state.new.existing);
        let highest = highest.chain([report.head.replicas, 1]).max().unwrap_or(1);
        let rows = told(report).len();
        #[allow(clippy::cast_precision_loss, reason = "lines of a picture, numbers of pods")]
        let (height, most) = (list + rows as f64 * LINE + 24.0, (highest as f64 * 1.1).ceil());
        let span = report.lasted.max(Duration::from_secs(1));
        Self {
            width: WIDTH,
            height,
            left: LEFT,
            right: RIGHT,
            steps,
            shares,
            marks: shares.1 + 26.0,
            pods,
            list,
            span,
            most,
        }
    }

    /// The place of an instant.
    pub fn x(&self, at: Duration) -> f64 {
        self.left + (self.right - self.left) * (at.as_secs_f64() / self.span.as_secs_f64()).min(1.0)
    }

    /// The place of a share from 0 to 1.
    pub fn share(&self, share: f64) -> f64 {
        self.shares.1 - (self.shares.1 - self.shares.0) * share.clamp(0.0, 1.0)
    }

    /// The place of a number of pods.
    pub fn pod(&self, pods: f64) -> f64 {
        self.pods.1 - (self.pods.1 - self.pods.0) * (pods / self.most).min(1.0)
    }

    /// Title, verdict and legend.
    pub fn head(&self, report: &Report) -> String {
        let head = &report.head;
        let class = match report.verdict.outcome {
            Outcome::Finished => "label good",
            Outcome::Aborted | Outcome::Violated => "label bad",
            Outcome::Unfinished | Outcome::Waiting => "label neutral",
        };
        let room = self.right - self.left;
        let mut verdict = report.verdict.text.clone();
        if let Some(first) = verdict.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        let title = format!("{}: {}", head.name, head.strategy);
        let mut out = text((self.left, 26.0), "ink title", Anchor::Start, &fitted(&title, room * 0.7));
        out.push_str(&text((self.left, 47.0), class, Anchor::Start, &fitted(&verdict, room * 0.8)));
        let users = format!("{} · seed {}", head.users, head.seed);
        out.push_str(&text((self.left, 66.0), "soft small", Anchor::Start, &fitted(&users, room * 0.55)));
        out.push_str(&self.legend());
        out
    }

    fn legend(&self) -> String {
        let entries = [("old", "old version"), ("new", "new version"), ("errors", "errors"), ("lost", "lost")];
        let mut x = self.right - entries.iter().map(|(_, words)| width(words) + 30.0).sum::<f64>() + 12.0;
        let mut out = String::new();
        for (class, words) in entries {
            out.push_str(&rect((x, 57.0, 11.0, 11.0), class));
            out.push_str(&text((x + 16.0, 66.5), "soft small", Anchor::Start, words));
            x += width(words) + 30.0;
        }
        out
    }
}
