//! Building kube's clients, and telling a newcomer what is missing when that fails.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::runtime::clock::Clock;
use crate::runtime::worker::chain;

/// Longest wait for a connection. A server that is there accepts in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The flags by which kubectl chooses a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFlags {
    /// `--kubeconfig`: a file; else `$KUBECONFIG`, `~/.kube/config`, or the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`: a context in that file.
    pub context: Option<String>,
    /// `--cluster`: a cluster in that file.
    pub cluster: Option<String>,
    /// `--user`: a user in that file.
    pub user: Option<String>,
}

/// Why there is no cluster to talk to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing says where a cluster is.
    #[error(
        "no cluster is configured: {0}. Point KUBECONFIG or --kubeconfig at a kubeconfig file, or run inside a \
         cluster. `kubectl config get-contexts` shows what you have; `siskin demo` needs no cluster"
    )]
    NoConfig(String),
    /// A kubeconfig was found and cannot be used.
    #[error("the kubeconfig cannot be used: {0}. `kubectl config view` shows it; --context chooses another context")]
    BadConfig(String),
    /// The configuration is complete and makes no client.
    #[error("no client can be made for {server}: {cause}. Check the certificates and the user in the kubeconfig")]
    NoClient {
        /// Address of the server.
        server: String,
        /// What failed.
        cause: String,
    },
    /// Nobody answers.
    #[error(
        "the cluster at {server} does not answer: {cause}. Is it running, and reachable from here? \
         Try `kubectl version`; --context chooses another cluster"
    )]
    Unreachable {
        /// Address of the server.
        server: String,
        /// What happened.
        cause: String,
    },
    /// The server answers, but not to us.
    #[error(
        "the cluster at {server} refuses us: {cause}. The credentials may have expired: log in again, or try \
         `kubectl auth whoami`"
    )]
    Refused {
        /// Address of the server.
        server: String,
        /// What it said.
        cause: String,
    },
}

/// Finds the configuration that `flags` choose. Without any flag: `$KUBECONFIG`, `~/.kube/config`, then the
/// service account of the pod.
pub async fn cluster_config(flags: &ClusterFlags) -> Result<kube::Config, ConnectError> {
    if *flags == ClusterFlags::default() {
        return kube::Config::infer().await.map_err(|error| ConnectError::NoConfig(chain(&error)));
    }
    let bad = |error: &kube::config::KubeconfigError| ConnectError::BadConfig(chain(error));
    let file = match &flags.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let options =
        KubeConfigOptions { context: flags.context.clone(), cluster: flags.cluster.clone(), user: flags.user.clone() };
    let file = file.map_err(|error| bad(&error))?;
    kube::Config::from_custom_kubeconfig(file, &options).await.map_err(|error| bad(&error))
}

/// Three clients with connections of their own: nothing that one does delays another.
#[derive(Clone)]
pub struct Clients {
    /// For lists and watches, which live long.
    pub watches: kube::Client,
    /// For everything else.
    pub calls: kube::Client,
    /// For the lease alone: load must not cost leadership.
    pub lease: kube::Client,
    /// Namespace of the context or of the pod.
    pub namespace: String,
    /// Address of the server, for messages.
    pub server: String,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Clients {
    /// Clients for `config`, without kube's own retries (fifteen of them, up to minutes, POST included).
    pub fn new(config: kube::Config) -> Result<Self, ConnectError> {
        let mut config = config;
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        let (namespace, server) = (config.default_namespace.clone(), config.cluster_url.to_string());
        let client = |config: kube::Config| {
            kube::Client::try_from(config)
                .map_err(|error| ConnectError::NoClient { server: server.clone(), cause: chain(&error) })
        };
        Ok(Self {
            watches: client(config.clone())?,
            calls: client(config.clone())?,
            lease: client(config)?,
            namespace,
            server,
        })
    }

    /// One client for all three uses, such as one that talks to a simulated server.
    pub fn shared(client: kube::Client) -> Self {
        let namespace = client.default_namespace().to_owned();
        let server = "the simulated cluster".to_owned();
        Self { watches: client.clone(), calls: client.clone(), lease: client, namespace, server }
    }

    /// Asks the server for its version, and returns it: the first request, whose failure has the best explanation.
    pub async fn check(&self, clock: &Clock) -> Result<String, ConnectError> {
        let server = self.server.clone();
        let Some(answer) = clock.within(super::READ_TIMEOUT, self.calls.apiserver_version()).await else {
            let cause = format!("no answer within {}s", super::READ_TIMEOUT.as_secs());
            return Err(ConnectError::Unreachable { server, cause });
        };
        match answer {
            Ok(version) => Ok(version.git_version),
            Err(kube::Error::Api(status)) if matches!(status.code, 401 | 403) => {
                Err(ConnectError::Refused { server, cause: status.message })
            }
            Err(error @ kube::Error::Auth(_)) => Err(ConnectError::Refused { server, cause: chain(&error) }),
            Err(error) => Err(ConnectError::Unreachable { server, cause: chain(&error) }),
        }
    }
}
