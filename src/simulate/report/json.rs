//! The report as one document; `docs/simulate.md` describes it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::model::{Report, why_lost};
use crate::sim::traffic::Tally;
use crate::simulate::timeline::{Requests, rounded};

/// The version of the document's form.
const FORM: u64 = 1;
/// Pieces of the course of the traffic at most.
const PIECES: usize = 240;

/// The document, with an end of line.
pub fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(&document(report));
    // The report holds no maps with keys that are not texts.
    text.map(|text| text + "\n").unwrap_or_default()
}

fn document(report: &Report) -> Value {
    let sums = &report.sums;
    let lost: Map<String, Value> =
        report.lost.iter().map(|(reason, count)| (why_lost(*reason).to_owned(), json!(count))).collect();
    json!({
        "form": FORM,
        "release": value(&report.head),
        "verdict": {
            "outcome": report.verdict.outcome,
            "exitCode": report.verdict.outcome.exit(),
            "text": report.verdict.text,
            "atSeconds": report.verdict.at.map(rounded),
        },
        "totals": {
            "simulatedSeconds": rounded(report.lasted),
            "mostPods": sums.most_pods,
            "mostPodsAboveReplicas": sums.most_above,
            "podHoursAboveReplicas": (sums.pod_seconds_above / 3.6).round() / 1000.0,
            "requests": requests(&report.total),
            "requestsBeforeAbort": sums.aborted_at.map(|_| requests(&sums.before_abort)),
            "lostByReason": lost,
        },
        "timeline": value(&report.rows),
        "sizes": value(&report.samples),
        "traffic": traffic(report),
        "warnings": value(&report.warnings),
        "notes": report.notes,
    })
}

fn value(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}

fn requests(requests: &Requests) -> Value {
    let of = |tally: Tally| json!({"ok": tally.ok, "errors": tally.errors});
    json!({"total": requests.total(), "old": of(requests.old), "new": of(requests.new), "lost": requests.lost})
}

/// The course of the traffic, in not too many pieces.
fn traffic(report: &Report) -> Vec<Value> {
    let together = report.flows.len().div_ceil(PIECES).max(1);
    let mut from = 0.0;
    let mut pieces = Vec::new();
    for flows in report.flows.chunks(together) {
        let sum = flows.iter().fold(Requests::default(), |sum, flow| sum.and(&flow.requests));
        let to = flows.last().map_or(from, |flow| rounded(flow.to));
        let mut piece = requests(&sum);
        if let Value::Object(map) = &mut piece {
            map.insert("fromSeconds".to_owned(), json!(from));
            map.insert("toSeconds".to_owned(), json!(to));
        }
        pieces.push(piece);
        from = to;
    }
    pieces
}
