//! From manifests to what is simulated, or to what is wrong with them: each problem with file, path and line.

use serde_json::{Value, json};

use super::change::{Release, release};
use super::furniture::{Furniture, furnish};
use super::missing::missing;
use super::options::Options;
use crate::api::{LabelSelector, Rollout, TextMap};
use crate::cli::lint::{Document, Finding, findings_together};
use crate::sim::object;

/// Kinds that the simulated cluster has a use for, with their groups.
const KNOWN: &[(&str, &str)] = &[
    ("", "ConfigMap"),
    ("", "PodTemplate"),
    ("", "ResourceQuota"),
    ("", "Secret"),
    ("", "Service"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("argoproj.io", "AnalysisTemplate"),
    ("argoproj.io", "ClusterAnalysisTemplate"),
    ("argoproj.io", "Rollout"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("gateway.networking.k8s.io", "GRPCRoute"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "TCPRoute"),
    ("gateway.networking.k8s.io", "TLSRoute"),
    ("networking.istio.io", "DestinationRule"),
    ("networking.istio.io", "VirtualService"),
    ("networking.k8s.io", "Ingress"),
    ("policy", "PodDisruptionBudget"),
];
/// Kinds that stand in no namespace.
const CLUSTER_WIDE: &[&str] = &["ClusterAnalysisTemplate", "GatewayClass"];

/// What is wrong with the files or the options.
#[derive(Debug, Clone)]
pub enum Problem {
    /// Places in the files.
    Found(Vec<Finding>),
    /// Something else; the text says what to do.
    Said(String),
}

/// The objects of the files, by kind.
#[derive(Clone, Debug, Default)]
pub struct Files {
    objects: Vec<(String, Value)>,
}

impl Files {
    /// Objects of a kind: the kind with its group, and the object.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let of_kind = self.objects.iter().filter(move |(_, value)| object::text(value, "/kind") == kind);
        of_kind.map(|(kind, value)| (kind.as_str(), value))
    }

    /// One object; the namespace of a cluster-wide one is empty.
    pub fn get<'a>(&'a self, kind: &'a str, namespace: &str, name: &str) -> Option<(&'a str, &'a Value)> {
        self.of(kind).find(|(_, value)| object::namespace(value) == namespace && object::name(value) == name)
    }

    /// All of them but Rollouts, with their kinds.
    pub fn others(&self) -> impl Iterator<Item = &(String, Value)> {
        self.objects.iter().filter(|(_, value)| object::text(value, "/kind") != "Rollout")
    }

    /// Takes an object out.
    pub fn remove(&mut self, kind: &str, (namespace, name): (&str, &str)) {
        self.objects.retain(|(known, value)| {
            known != kind || object::namespace(value) != namespace || object::name(value) != name
        });
    }

    /// Adds an object that no file holds.
    pub fn assume(&mut self, value: Value) {
        self.objects.push((kind_of(&value), value));
    }
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Input {
    /// The Rollout, as it is applied first.
    pub rollout: Value,
    /// The same, read.
    pub read: Rollout,
    /// Where it stands.
    pub document: Document,
    /// All documents of the files.
    pub documents: Vec<Document>,
    /// The other objects.
    pub files: Files,
    /// The next version.
    pub release: Release,
    /// Who sends requests, and what else is not in the files.
    pub furniture: Furniture,
    /// What the reader should know of the input.
    pub notes: Vec<String>,
}

impl Input {
    /// Reads manifests.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(documents: &[Document], options: &Options) -> Result<Self, Problem> {
        let found = findings_together(documents);
        if !found.is_empty() {
            return Err(Problem::Found(found));
        }
        let mut notes = Vec::new();
        let mut files = Files::default();
        let namespace = namespace(documents, options);
        let mut ignored: Vec<String> = Vec::new();
        for document in documents {
            let value = &document.value;
            let group = object::text(value, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
            let kind = object::text(value, "/kind");
            if kind == "Rollout" {
                continue;
            }
            if KNOWN.contains(&(group, kind)) {
                let value = placed(value, &namespace);
                files.objects.push((kind_of(&value), value));
            } else {
                ignored.push(format!("{kind} {}", object::name(value)).trim().to_owned());
            }
        }
        if !ignored.is_empty() {
            notes.push(format!("ignored, for the simulated cluster has no use for it: {}", ignored.join(", ")));
        }
        let document = chosen(documents, options)?;
        let rollout = placed(&document.value, &namespace);
        let read: Rollout = serde_json::from_value(rollout.clone())
            .map_err(|error| Problem::Said(format!("{}: the Rollout cannot be read: {error}", document.file)))?;
        let lacking = missing(document, &read, &files);
        if !lacking.is_empty() {
            return Err(Problem::Found(lacking));
        }
        let release = release(&rollout, &read, &files, &options.change).map_err(Problem::Said)?;
        notes.extend(release.note.clone());
        let furniture = furnish(&read, &mut files, (options, &mut notes));
        let (document, documents) = (document.clone(), documents.to_vec());
        Ok(Self { rollout, read, document, documents, files, release, furniture, notes })
    }

    /// Namespace and name of the Rollout.
    pub fn key(&self) -> (&str, &str) {
        (&self.read.metadata.namespace, &self.read.metadata.name)
    }

    /// Replicas before the release.
    pub fn replicas(&self) -> i64 {
        let workload = self.release.workload.as_ref().and_then(|value| object::integer(value, "/spec/replicas"));
        self.read.spec.replicas.map(i64::from).or(workload).unwrap_or(1)
    }
}

/// The kind as the store names it: with its group, for there are several Gateways.
pub(super) fn kind_of(value: &Value) -> String {
    let kind = object::text(value, "/kind");
    match object::text(value, "/apiVersion").rsplit_once('/') {
        Some((group, _)) => format!("{kind}.{group}"),
        None => kind.to_owned(),
    }
}

/// Whether a selector takes an object by its labels.
pub(super) fn labels_match(selector: &LabelSelector, value: &Value) -> bool {
    let labels = value.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    selector.matches(&serde_json::from_value::<TextMap>(labels).unwrap_or_default())
}

/// The namespace of objects that name none: the Rollout's, where it names one.
fn namespace(documents: &[Document], options: &Options) -> String {
    let rollouts = documents.iter().filter(|document| object::text(&document.value, "/kind") == "Rollout");
    let mut named = rollouts.map(|document| object::namespace(&document.value)).filter(|name| !name.is_empty());
    named.next().map_or_else(|| options.namespace.clone(), str::to_owned)
}

/// The object with a namespace, and without a status.
fn placed(value: &Value, namespace: &str) -> Value {
    let mut value = value.clone();
    object::take(&mut value, &["status"]);
    if CLUSTER_WIDE.contains(&object::text(&value, "/kind")) {
        object::take(&mut value, &["metadata", "namespace"]);
    } else {
        object::put_default(&mut value, &["metadata", "namespace"], json!(namespace));
    }
    value
}

/// The Rollout that is meant.
fn chosen<'a>(documents: &'a [Document], options: &Options) -> Result<&'a Document, Problem> {
    let rollouts: Vec<&Document> =
        documents.iter().filter(|document| object::text(&document.value, "/kind") == "Rollout").collect();
    let names: Vec<&str> = rollouts.iter().map(|document| object::name(&document.value)).collect();
    match (&options.rollout, rollouts.as_slice()) {
        (_, []) => {
            Err(Problem::Said("there is no Rollout in the files: name the file that holds it with -f".to_owned()))
        }
        (None, [only]) => Ok(only),
        (None, _) => Err(Problem::Said(format!(
            "there are several Rollouts in the files: choose one with --rollout: {}",
            names.join(", ")
        ))),
        (Some(name), _) => {
            rollouts.iter().find(|document| object::name(&document.value) == name).copied().ok_or_else(|| {
                Problem::Said(format!("there is no Rollout {name:?} in the files; there is: {}", names.join(", ")))
            })
        }
    }
}
