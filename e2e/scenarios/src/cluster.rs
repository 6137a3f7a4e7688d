//! The cluster that the harness started, as its environment describes it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::api::Api;
use crate::manifest::HASH;

/// Addresses and programs.
#[derive(Debug)]
pub struct Cluster {
    /// Requests to the API server.
    pub api: Api,
    /// Where users are served.
    pub gateway: SocketAddr,
    /// `namespace/name` of the Gateway.
    pub gateway_name: String,
    /// `host:port` of Prometheus.
    pub prometheus: String,
    /// The program under test.
    pub siskin: PathBuf,
    /// The cluster's own kubectl; the cluster in memory may have none.
    pub kubectl: Option<PathBuf>,
    /// What gives a person's rights.
    pub kubeconfig: PathBuf,
    /// What gives the controller's rights.
    pub controller_kubeconfig: PathBuf,
    /// Where logs go.
    pub logs: PathBuf,
    /// Where the cluster is.
    pub tier: Tier,
    proxy: Option<Child>,
}

/// What kind of cluster it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Nodes, containers and proxies; Prometheus reads in this file what to scrape.
    Real(PathBuf),
    /// One process of models, which serves everybody on loopback.
    Memory,
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("${name} is not set: start the scenarios by e2e/run"))
}

fn address(name: &str) -> Result<SocketAddr, String> {
    let text = variable(name)?;
    text.parse().map_err(|error| format!("{name} is {text}: {error}"))
}

impl Cluster {
    /// Reads the environment and, for a real cluster, starts `kubectl proxy`.
    pub fn from_environment() -> Result<Self, String> {
        let kubectl = std::env::var_os("KUBECTL").map(PathBuf::from).filter(|path| path.is_file());
        let kubeconfig = PathBuf::from(variable("KUBECONFIG")?);
        let gateway = address("GATEWAY_ADDR")?;
        let tier = match variable("TIER")?.as_str() {
            "memory" => Tier::Memory,
            _ => Tier::Real(PathBuf::from(variable("PROM_TARGETS_FILE")?)),
        };
        let mut cluster = Self {
            api: Api { server: gateway },
            gateway,
            gateway_name: variable("GATEWAY")?,
            prometheus: variable("PROMETHEUS_ADDR")?,
            siskin: PathBuf::from(variable("SISKIN_BIN")?),
            controller_kubeconfig: PathBuf::from(variable("CONTROLLER_KUBECONFIG")?),
            logs: PathBuf::from(variable("E2E_LOGS")?),
            proxy: None,
            kubectl,
            kubeconfig,
            tier,
        };
        cluster.api.server = match cluster.tier {
            Tier::Memory => address("API_ADDR")?,
            Tier::Real(_) => cluster.start_proxy()?,
        };
        Ok(cluster)
    }

    /// A `kubectl proxy` on loopback that carries the credentials.
    fn start_proxy(&mut self) -> Result<SocketAddr, String> {
        let kubectl = self.kubectl.as_ref().ok_or("$KUBECTL is not set: start the scenarios by e2e/run")?;
        let mut command = Command::new(kubectl);
        command.args(["proxy", "--port=0", "--kubeconfig"]).arg(&self.kubeconfig).stdout(Stdio::piped());
        let proxy = command.spawn().map_err(|error| format!("kubectl proxy: {error}"))?;
        proxy_address(self.proxy.insert(proxy))
    }

    /// Tells Prometheus of every pod of every scenario that runs now.
    pub fn scrape(&self) -> Result<(), String> {
        // The one in memory counts what the gateway has answered.
        let Tier::Real(file) = &self.tier else { return Ok(()) };
        let pods = self.api.list("Pod", "", "?labelSelector=siskin-e2e%3Dapp")?;
        let target = |pod: &Value| {
            let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            let address = text("/status/podIP");
            let hash = text("/metadata/labels/rollouts-pod-template-hash");
            let labels = json!({"namespace": text("/metadata/namespace"), "pod": text("/metadata/name"), HASH: hash});
            (!address.is_empty() && text("/status/phase") == "Running")
                .then(|| json!({"targets": [format!("{address}:8080")], "labels": labels}))
        };
        let targets: Vec<Value> = pods.iter().filter_map(target).collect();
        let partial = file.with_extension("partial");
        fs::write(&partial, Value::from(targets).to_string()).map_err(|error| error.to_string())?;
        // Renamed, so that Prometheus never reads half a file.
        fs::rename(&partial, file).map_err(|error| error.to_string())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        if let Some(proxy) = &mut self.proxy {
            drop(proxy.kill());
            drop(proxy.wait());
        }
    }
}

/// `Starting to serve on 127.0.0.1:41231`
fn proxy_address(proxy: &mut Child) -> Result<SocketAddr, String> {
    let output = proxy.stdout.take().ok_or("kubectl proxy has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).map_err(|error| format!("kubectl proxy: {error}"))?;
    let address = line.trim().rsplit(' ').next().unwrap_or_default();
    address.parse().map_err(|_| format!("kubectl proxy said {line:?} and no address"))
}
