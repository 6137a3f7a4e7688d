//! The long view of one Rollout or Experiment: a head of facts and a tree of what belongs to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};

use super::age::{age, human_duration};
use super::info::{AnalysisRunInfo, ExperimentInfo, InfoMeta, ReplicaSetInfo, RolloutInfo};
use super::paint::{BAD, OK, Paint, UNKNOWN, WARNING};
use super::table::Table;
use crate::api::time::Time;

const HEADINGS: [&str; 5] = ["NAME", "KIND", "STATUS", "AGE", "INFO"];

/// How a view is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape codes are written.
    pub paint: Paint,
    /// The instant that ages refer to.
    pub now: Time,
}

fn line(text: &mut String, label: &str, value: impl Display) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{label:<17}{value}");
}

/// A Rollout.
pub fn rollout(info: &RolloutInfo, style: Style) -> String {
    let mut text = String::new();
    head(&mut text, &info.object_meta, &style.paint.word(&info.icon), &info.status);
    if !info.message.is_empty() {
        line(&mut text, "Message:", &info.message);
    }
    line(&mut text, "Strategy:", &info.strategy);
    if info.strategy == "Canary" {
        line(&mut text, "  Step:", &info.step);
        line(&mut text, "  SetWeight:", &info.set_weight);
        line(&mut text, "  ActualWeight:", &info.actual_weight);
    }
    images_lines(&mut text, &rollout_images(info), style.paint);
    text.push_str("Replicas:\n");
    line(&mut text, "  Desired:", info.desired);
    line(&mut text, "  Current:", info.current);
    line(&mut text, "  Updated:", info.updated);
    line(&mut text, "  Ready:", info.ready);
    line(&mut text, "  Available:", info.available);
    text.push('\n');
    text.push_str(&rollout_tree(info, style));
    text
}

/// An Experiment.
pub fn experiment(info: &ExperimentInfo, style: Style) -> String {
    let mut text = String::new();
    head(&mut text, &info.object_meta, &style.paint.word(&info.icon), &info.status);
    if !info.message.is_empty() {
        line(&mut text, "Message:", &info.message);
    }
    let mut images = Images::default();
    experiment_images(info, &mut images);
    images_lines(&mut text, &images, style.paint);
    text.push('\n');
    let mut tree = Tree { table: Table::new(&HEADINGS), style };
    tree.experiment(info, &Branch::default());
    text.push_str(&tree.table.render());
    text
}

fn head(text: &mut String, meta: &InfoMeta, icon: &str, status: &str) {
    line(text, "Name:", &meta.name);
    line(text, "Namespace:", &meta.namespace);
    line(text, "Status:", format!("{icon} {status}"));
}

/// Images with what runs them. An image used by one alone keeps the order of its tags; by several, they are sorted.
type Images = BTreeMap<String, Vec<String>>;

fn add_image(images: &mut Images, image: &str, tags: Vec<String>) {
    match images.get_mut(image) {
        None => {
            images.insert(image.to_owned(), tags);
        }
        Some(known) => {
            let all: BTreeSet<String> = known.drain(..).chain(tags).collect();
            known.extend(all);
        }
    }
}

fn rollout_images(info: &RolloutInfo) -> Images {
    let mut images = Images::new();
    for set in info.replica_sets.iter().filter(|set| set.replicas > 0) {
        let parts = [
            (set.canary, "canary"),
            (set.stable, "stable"),
            (set.active, "active"),
            (set.preview, "preview"),
            (set.ping, "ping"),
            (set.pong, "pong"),
        ];
        for image in &set.images {
            let tags = parts.iter().filter(|(plays, _)| *plays).map(|(_, tag)| (*tag).to_owned()).collect();
            add_image(&mut images, image, tags);
        }
    }
    for experiment in &info.experiments {
        experiment_images(experiment, &mut images);
    }
    images
}

fn experiment_images(info: &ExperimentInfo, images: &mut Images) {
    for set in info.replica_sets.iter().filter(|set| set.replicas > 0) {
        for image in &set.images {
            let tags = if set.template.is_empty() { Vec::new() } else { vec![format!("Σ:{}", set.template)] };
            add_image(images, image, tags);
        }
    }
}

fn images_lines(text: &mut String, images: &Images, paint: Paint) {
    for (index, (image, tags)) in images.iter().enumerate() {
        let tags: Vec<String> = tags.iter().map(|tag| paint.word(tag)).collect();
        let tagged = if tags.is_empty() { image.clone() } else { format!("{image} ({})", tags.join(", ")) };
        line(text, if index == 0 { "Images:" } else { "" }, tagged);
    }
}

/// Where a node hangs: what stands before its name, and before the names of its children.
#[derive(Debug, Clone, Default)]
struct Branch {
    own: String,
    below: String,
}

impl Branch {
    /// The branch of the child at `index` of `count`.
    fn child(&self, index: usize, count: usize) -> Self {
        let (own, below) = if index + 1 == count { ("└──", "   ") } else { ("├──", "│  ") };
        Self { own: format!("{}{own}", self.below), below: format!("{}{below}", self.below) }
    }
}

/// One line of the tree.
struct Node<'a> {
    icon: &'a str,
    /// The name, in its colour.
    name: String,
    kind: &'a str,
    status_icon: &'a str,
    status: &'a str,
    age: String,
    info: Vec<String>,
}

struct Tree {
    table: Table,
    style: Style,
}

fn rollout_tree(info: &RolloutInfo, style: Style) -> String {
    let mut tree = Tree { table: Table::new(&HEADINGS), style };
    let root = Node {
        icon: "⟳",
        name: info.object_meta.name.clone(),
        kind: "Rollout",
        status_icon: &info.icon,
        status: &info.status,
        age: tree.age(&info.object_meta),
        info: Vec::new(),
    };
    tree.node(&Branch::default(), root);
    let sets = info.replica_sets.iter().map(|set| set.revision);
    let experiments = info.experiments.iter().map(|experiment| experiment.revision);
    let runs = info.analysis_runs.iter().map(|run| run.revision);
    let revisions: BTreeSet<i64> = sets.chain(experiments).chain(runs).collect();
    for (index, revision) in revisions.iter().rev().enumerate() {
        tree.revision(info, *revision, &Branch::default().child(index, revisions.len()));
    }
    tree.table.render()
}

impl Tree {
    fn age(&self, meta: &InfoMeta) -> String {
        age(meta.creation_timestamp, self.style.now)
    }

    fn node(&mut self, branch: &Branch, node: Node<'_>) {
        let icon = self.style.paint.word(node.status_icon);
        self.table.row(vec![
            format!("{}{} {}", branch.own, node.icon, node.name),
            node.kind.to_owned(),
            format!("{icon} {}", node.status),
            node.age,
            node.info.join(","),
        ]);
    }

    fn revision(&mut self, info: &RolloutInfo, revision: i64, branch: &Branch) {
        let blank = String::new;
        self.table.row(vec![format!("{}# revision:{revision}", branch.own), blank(), " ".to_owned(), blank(), blank()]);
        let sets: Vec<_> = info.replica_sets.iter().filter(|set| set.revision == revision).collect();
        let experiments: Vec<_> = info.experiments.iter().filter(|child| child.revision == revision).collect();
        let runs: Vec<_> = info.analysis_runs.iter().filter(|run| run.revision == revision).collect();
        let count = sets.len() + experiments.len() + runs.len();
        let mut branches = (0..count).map(|index| branch.child(index, count));
        for (set, branch) in sets.iter().zip(branches.by_ref()) {
            self.replica_set(set, &branch);
        }
        for (experiment, branch) in experiments.iter().zip(branches.by_ref()) {
            self.experiment(experiment, &branch);
        }
        for (run, branch) in runs.iter().zip(branches) {
            self.run(run, &branch);
        }
    }

    fn replica_set(&mut self, set: &ReplicaSetInfo, branch: &Branch) {
        let paint = self.style.paint;
        let role = [(set.canary, "canary"), (set.active, "active"), (set.preview, "preview")];
        let role = role.iter().find(|(plays, _)| *plays).map(|(_, tag)| *tag);
        let stable = set.stable.then_some("stable");
        let tags = stable.into_iter().chain(role).chain(set.ping.then_some("ping")).chain(set.pong.then_some("pong"));
        let mut name = set.object_meta.name.clone();
        let mut info = Vec::new();
        for tag in tags {
            info.push(paint.word(tag));
            name = paint.as_word(&set.object_meta.name, tag);
        }
        info.extend(self.scale_down_delay(set));
        let node = Node {
            icon: "⧉",
            name,
            kind: "ReplicaSet",
            status_icon: &set.icon,
            status: &set.status,
            age: self.age(&set.object_meta),
            info,
        };
        self.node(branch, node);
        for (index, pod) in set.pods.iter().enumerate() {
            let mut info = vec![format!("ready:{}", pod.ready)];
            if pod.restarts > 0 {
                info.push(format!("restarts:{}", pod.restarts));
            }
            let node = Node {
                icon: "□",
                name: pod.object_meta.name.clone(),
                kind: "Pod",
                status_icon: &pod.icon,
                status: &pod.status,
                age: self.age(&pod.object_meta),
                info,
            };
            self.node(&branch.child(index, set.pods.len()), node);
        }
    }

    /// `delay:25s` until the ReplicaSet is scaled down; an unreadable deadline leaves the time out.
    fn scale_down_delay(&self, set: &ReplicaSetInfo) -> Option<String> {
        if set.scale_down_deadline.is_empty() {
            return None;
        }
        let left = match set.scale_down_deadline.parse::<Time>() {
            Ok(deadline) if deadline < self.style.now => "passed".to_owned(),
            Ok(deadline) => human_duration(deadline.since(self.style.now)),
            Err(_) => String::new(),
        };
        Some(format!("delay:{left}"))
    }

    fn experiment(&mut self, info: &ExperimentInfo, branch: &Branch) {
        let node = Node {
            icon: "Σ",
            name: self.style.paint.as_word(&info.object_meta.name, &info.status),
            kind: "Experiment",
            status_icon: &info.icon,
            status: &info.status,
            age: self.age(&info.object_meta),
            info: Vec::new(),
        };
        self.node(branch, node);
        let count = info.replica_sets.len() + info.analysis_runs.len();
        let mut branches = (0..count).map(|index| branch.child(index, count));
        for (set, branch) in info.replica_sets.iter().zip(branches.by_ref()) {
            self.replica_set(set, &branch);
        }
        for (run, branch) in info.analysis_runs.iter().zip(branches) {
            self.run(run, &branch);
        }
    }

    fn run(&mut self, run: &AnalysisRunInfo, branch: &Branch) {
        let paint = self.style.paint;
        let counts = [(OK, run.successful), (BAD, run.failed), (UNKNOWN, run.inconclusive), (WARNING, run.error)];
        let counts = counts.iter().filter(|(_, count)| *count > 0);
        let node = Node {
            icon: "α",
            name: paint.as_word(&run.object_meta.name, &run.status),
            kind: "AnalysisRun",
            status_icon: &run.icon,
            status: &run.status,
            age: self.age(&run.object_meta),
            info: counts.map(|(icon, count)| format!("{} {count}", paint.word(icon))).collect(),
        };
        self.node(branch, node);
        for (index, job) in run.jobs.iter().enumerate() {
            let node = Node {
                icon: "⊞",
                name: paint.as_word(&job.object_meta.name, &job.status),
                kind: "Job",
                status_icon: &job.icon,
                status: &job.status,
                age: self.age(&job.object_meta),
                info: Vec::new(),
            };
            self.node(&branch.child(index, run.jobs.len()), node);
        }
    }
}
