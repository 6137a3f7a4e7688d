//! The report as a page of its own: picture, totals, timeline, warnings. It loads nothing.

use super::chart;
use super::chart::svg::escape;
use super::model::{Outcome, Report};
use super::text::{facts, sums};
use crate::simulate::text::{clock, percent};
use crate::simulate::timeline::{Pods, Row, Tone};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1f2933;--soft:#5f6b7a;--paper:#ffffff;--line:#d9dee5;--good:#2f7d4f;--bad:#c53030}\
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b1;--paper:#14181d;--line:#2b333d;--good:#4cb47a;--bad:#e05252}}\
body{margin:2rem auto;max-width:70rem;padding:0 1rem;background:var(--paper);color:var(--ink);\
font:15px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}.good{color:var(--good)}.bad{color:var(--bad)}\
.verdict{font-weight:600;margin:.2rem 0 1rem}svg{width:100%;height:auto}.soft{color:var(--soft)}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:.25rem .7rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}\
th{color:var(--soft);font-weight:600}td.n,th.n{text-align:right;white-space:nowrap}li{margin:.3rem 0}code{font-size:.9em}";

/// The page.
pub fn render(report: &Report) -> String {
    let head = &report.head;
    let title = format!("Rollout {} in {}", head.name, head.namespace);
    let class = match report.verdict.outcome {
        Outcome::Finished => "good",
        Outcome::Aborted | Outcome::Violated => "bad",
        Outcome::Unfinished | Outcome::Waiting => "soft",
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>{0}</h1>\n<p class=\"verdict {class}\">{1}</p>\n",
        escape(&title),
        escape(&report.verdict.text)
    );
    page.push_str(&chart::render(report));
    page.push_str(&list(
        "Warnings",
        report.warnings.iter().map(|warning| {
            let place = if warning.place.is_empty() {
                String::new()
            } else {
                format!("<code>{}</code> ", escape(&warning.place))
            };
            format!("{place}{}", escape(&warning.text))
        }),
    ));
    page.push_str(&pairs("Release", &facts(report)));
    page.push_str(&pairs("Totals", &sums(report)));
    page.push_str(&timeline(report));
    page.push_str(&list("Notes", report.notes.iter().map(|note| escape(note))));
    page.push_str("</body>\n</html>\n");
    page
}

fn list(title: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| format!("<li>{item}</li>\n")).collect();
    if items.is_empty() { String::new() } else { format!("<h2>{title}</h2>\n<ul>\n{}</ul>\n", items.concat()) }
}

fn pairs(title: &str, rows: &[(&str, String)]) -> String {
    let rows = rows
        .iter()
        .map(|(label, value)| format!("<tr><th>{}</th><td>{}</td></tr>\n", escape(label.trim()), escape(value)));
    format!("<h2>{title}</h2>\n<table>\n{}</table>\n", rows.collect::<String>())
}

fn timeline(report: &Report) -> String {
    let pods = |pods: Pods| format!("{}/{}", pods.ready, pods.wanted);
    let row = |row: &Row| {
        let class = match row.tone {
            Tone::Good => " class=\"good\"",
            Tone::Bad => " class=\"bad\"",
            Tone::Neutral => "",
        };
        format!(
            "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td{class}>{}</td></tr>\n",
            clock(row.at),
            row.state.step.map_or_else(String::new, |(done, all)| format!("{done}/{all}")),
            row.state.weight.map_or_else(String::new, percent),
            pods(row.state.old),
            pods(row.state.new),
            row.new_share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0)),
            escape(&row.text)
        )
    };
    let rows: String = report.rows.iter().map(row).collect();
    let heads =
        ["time", "step", "weight", "old", "new", "to new"].map(|head| format!("<th class=\"n\">{head}</th>")).concat();
    format!("<h2>Timeline</h2>\n<table>\n<tr>{heads}<th>what</th></tr>\n{rows}</table>\n")
}
