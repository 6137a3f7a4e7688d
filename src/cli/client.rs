//! Requests to the API server, as the contract fixes them (cli §2). One function for each; nothing is retried here.

use std::path::Path;

use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Deserialize;
use serde_json::Value;

use super::args::Flags;
use super::failure::Failure;
use crate::api::meta::Kind;
use crate::api::{AnalysisRun, Experiment, Pod, ReplicaSet, Rollout};

/// Most objects asked for at once.
const PAGE: usize = 500;
/// Most pages of one list: ends a list that an API server would continue for ever.
const PAGES: usize = 1_000;

/// A kind as the API server serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// Group; empty for the core group.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// Plural.
    pub plural: &'static str,
    /// Kind.
    pub kind: &'static str,
}

impl Resource {
    const fn of<K: Kind>() -> Self {
        Self { group: K::GROUP, version: K::VERSION, plural: K::PLURAL, kind: K::KIND }
    }

    /// `rollouts.argoproj.io`, as the API server's messages name it.
    pub fn full_name(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `rollout.argoproj.io`, as the messages of Argo's cached views name it.
    pub fn singular_name(&self) -> String {
        format!("{}.{}", self.kind.to_lowercase(), self.group)
    }
}

/// Rollouts.
pub const ROLLOUTS: Resource = Resource::of::<Rollout>();
/// Experiments.
pub const EXPERIMENTS: Resource = Resource::of::<Experiment>();
/// AnalysisRuns.
pub const RUNS: Resource = Resource::of::<AnalysisRun>();
/// ReplicaSets.
pub const REPLICA_SETS: Resource = Resource::of::<ReplicaSet>();
/// Pods.
pub const PODS: Resource = Resource::of::<Pod>();
/// Deployments.
pub const DEPLOYMENTS: Resource = Resource { group: "apps", version: "v1", plural: "deployments", kind: "Deployment" };
/// Pod templates.
pub const POD_TEMPLATES: Resource = Resource { group: "", version: "v1", plural: "podtemplates", kind: "PodTemplate" };

/// Which part of an object a patch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The object itself.
    Main,
    /// Its `status` subresource.
    Status,
}

/// How a patch is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 7396.
    Merge,
    /// RFC 6902.
    Json,
}

/// A request that was not answered as hoped, with what it was for.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {} {name}: {source}", resource.full_name())]
pub struct Refused {
    /// What was attempted: `get`, `list`, `patch`, `update`.
    pub verb: &'static str,
    /// On which kind.
    pub resource: Resource,
    /// On which object; empty for lists.
    pub name: String,
    /// What came back.
    pub source: kube::Error,
}

impl Refused {
    /// HTTP status of the answer; 0 where there was none.
    pub fn code(&self) -> u16 {
        if let kube::Error::Api(status) = &self.source { status.code } else { 0 }
    }

    /// Whether the object, or its kind, does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code() == 404
    }
}

/// The cluster and the namespace that a verb works on.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    /// The current namespace.
    pub namespace: String,
    /// What to call the cluster in messages: its address.
    pub address: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    items: Option<Vec<Value>>,
    #[serde(default)]
    metadata: PageMeta,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PageMeta {
    #[serde(rename = "continue")]
    next: String,
}

impl Cluster {
    /// A cluster behind a given client.
    pub fn new(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned(), address: String::new() }
    }

    /// The cluster that flags and kubeconfig name. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no usable kubeconfig.
    pub async fn connect(flags: &Flags) -> Result<Self, Failure> {
        let mut config = load(flags).await?;
        if let Some(server) = &flags.server {
            config.cluster_url =
                server.parse().map_err(|error| Failure::new(format!("--server {server} is no address: {error}")))?;
        }
        if let Some(token) = &flags.token {
            config.auth_info.token = Some(token.clone().into());
        }
        if flags.impersonate.is_some() {
            config.auth_info.impersonate.clone_from(&flags.impersonate);
        }
        if !flags.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(flags.impersonate_groups.clone());
        }
        config.accept_invalid_certs |= flags.insecure_skip_tls_verify;
        let namespace = flags.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let address = config.cluster_url.to_string();
        let client = Client::try_from(config)
            .map_err(|error| Failure::new(format!("cannot set up the connection to {address}: {error}")))?;
        Ok(Self { client, namespace, address })
    }

    /// The client itself, for watches.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    async fn send<T: serde::de::DeserializeOwned>(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<T, kube::Error> {
        self.client.request(request.body(body).map_err(kube::Error::HttpError)?).await
    }

    fn path(&self, resource: Resource, name: &str) -> String {
        format!("{}/{name}", collection(resource, Some(&self.namespace)))
    }

    /// Reads one object of the current namespace.
    ///
    /// # Errors
    /// When the API server refuses, or does not answer.
    pub async fn get(&self, resource: Resource, name: &str) -> Result<Value, Refused> {
        let request = Request::builder().method(Method::GET).uri(self.path(resource, name));
        let answer = self.send(request, Vec::new()).await;
        answer.map_err(|source| Refused { verb: "get", resource, name: name.to_owned(), source })
    }

    /// Reads all objects of a namespace (`None`: of all), page by page. `query` is added to the address as it is.
    ///
    /// # Errors
    /// When the API server refuses, or does not answer.
    pub async fn list(&self, resource: Resource, namespace: Option<&str>, query: &str) -> Result<Vec<Value>, Refused> {
        let mut found = Vec::new();
        let mut next = String::new();
        for _ in 0..PAGES {
            let mut uri = format!("{}?limit={PAGE}", collection(resource, namespace));
            for (name, value) in [("", query), ("continue=", next.as_str())] {
                if !value.is_empty() {
                    uri.extend(["&", name, value]);
                }
            }
            let request = Request::builder().method(Method::GET).uri(uri);
            let page: Page = self.send(request, Vec::new()).await.map_err(|source| Refused {
                verb: "list",
                resource,
                name: String::new(),
                source,
            })?;
            found.extend(page.items.unwrap_or_default());
            next = page.metadata.next;
            if next.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// Patches an object of the current namespace, and returns what is then stored.
    ///
    /// # Errors
    /// When the API server refuses, or does not answer.
    pub async fn patch(&self, target: (Resource, &str, Part), kind: PatchKind, body: &Value) -> Result<Value, Refused> {
        let (resource, name, part) = target;
        let suffix = if part == Part::Status { "/status" } else { "" };
        let content = match kind {
            PatchKind::Merge => "application/merge-patch+json",
            PatchKind::Json => "application/json-patch+json",
        };
        let request = Request::builder()
            .method(Method::PATCH)
            .uri(format!("{}{suffix}", self.path(resource, name)))
            .header(http::header::CONTENT_TYPE, content);
        let answer = self.send(request, body.to_string().into_bytes()).await;
        answer.map_err(|source| Refused { verb: "patch", resource, name: name.to_owned(), source })
    }

    /// Stores an object of the current namespace whole; its `resourceVersion` guards against lost updates.
    ///
    /// # Errors
    /// When the API server refuses, or does not answer.
    pub async fn put(&self, resource: Resource, name: &str, body: &Value) -> Result<Value, Refused> {
        let request = Request::builder()
            .method(Method::PUT)
            .uri(self.path(resource, name))
            .header(http::header::CONTENT_TYPE, "application/json");
        let answer = self.send(request, body.to_string().into_bytes()).await;
        answer.map_err(|source| Refused { verb: "update", resource, name: name.to_owned(), source })
    }
}

fn collection(resource: Resource, namespace: Option<&str>) -> String {
    let Resource { group, version, plural, .. } = resource;
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    namespace.map_or_else(|| format!("{root}/{plural}"), |namespace| format!("{root}/namespaces/{namespace}/{plural}"))
}

async fn load(flags: &Flags) -> Result<Config, Failure> {
    let options =
        KubeConfigOptions { context: flags.context.clone(), cluster: flags.cluster.clone(), user: flags.user.clone() };
    let chosen = flags.context.is_some() || flags.cluster.is_some() || flags.user.is_some();
    let loaded = match &flags.kubeconfig {
        Some(path) => from_file(path, &options).await,
        None if chosen => Config::from_kubeconfig(&options).await.map_err(|error| error.to_string()),
        None => Config::infer().await.map_err(|error| error.to_string()),
    };
    loaded.map_err(|error| no_kubeconfig(flags, &error))
}

async fn from_file(path: &Path, options: &KubeConfigOptions) -> Result<Config, String> {
    let kubeconfig = Kubeconfig::read_from(path).map_err(|error| error.to_string())?;
    Config::from_custom_kubeconfig(kubeconfig, options).await.map_err(|error| error.to_string())
}

fn no_kubeconfig(flags: &Flags, error: &str) -> Failure {
    let looked = match (&flags.kubeconfig, std::env::var("KUBECONFIG")) {
        (Some(path), _) => format!("--kubeconfig {}", path.display()),
        (None, Ok(path)) if !path.is_empty() => format!("$KUBECONFIG ({path})"),
        _ => "~/.kube/config, and found no service account of a pod".to_owned(),
    };
    let failure = Failure::new(format!("no usable kubeconfig: {error}"));
    let failure = failure.next(format!("Looked at {looked}.")).next("Name one with --kubeconfig PATH or $KUBECONFIG.");
    match &flags.context {
        Some(context) => {
            failure.next(format!("`kubectl config get-contexts` lists the contexts; {context:?} must be one of them."))
        }
        None => failure.next("No cluster at hand? `siskin demo` runs one in this process."),
    }
}
