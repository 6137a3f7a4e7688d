//! The cluster that the harness started, as its environment describes it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::api::Api;

/// Addresses and programs.
#[derive(Debug)]
pub struct Cluster {
    /// Requests to the API server.
    pub api: Api,
    /// Where Envoy serves.
    pub gateway: SocketAddr,
    /// `namespace/name` of the Gateway.
    pub gateway_name: String,
    /// `host:port` of Prometheus.
    pub prometheus: String,
    /// The file that names what Prometheus scrapes.
    targets: PathBuf,
    /// The program under test.
    pub siskin: PathBuf,
    /// The cluster's own kubectl.
    pub kubectl: PathBuf,
    /// What gives a person's rights.
    pub kubeconfig: PathBuf,
    /// What gives the controller's rights.
    pub controller_kubeconfig: PathBuf,
    /// Where logs go.
    pub logs: PathBuf,
    proxy: Child,
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("${name} is not set: start the scenarios by e2e/run"))
}

impl Cluster {
    /// Reads the environment and starts `kubectl proxy`.
    pub fn from_environment() -> Result<Self, String> {
        let kubectl = PathBuf::from(variable("KUBECTL")?);
        let kubeconfig = PathBuf::from(variable("KUBECONFIG")?);
        let gateway = variable("GATEWAY_ADDR")?;
        let gateway = gateway.parse().map_err(|error| format!("GATEWAY_ADDR is {gateway}: {error}"))?;
        // Before the proxy: what fails from here on would leave it running.
        let mut cluster = Self {
            api: Api { proxy: gateway },
            gateway,
            gateway_name: variable("GATEWAY")?,
            prometheus: variable("PROMETHEUS_ADDR")?,
            targets: PathBuf::from(variable("PROM_TARGETS_FILE")?),
            siskin: PathBuf::from(variable("SISKIN_BIN")?),
            controller_kubeconfig: PathBuf::from(variable("CONTROLLER_KUBECONFIG")?),
            logs: PathBuf::from(variable("E2E_LOGS")?),
            proxy: Command::new(&kubectl)
                .args(["proxy", "--port=0", "--kubeconfig"])
                .arg(&kubeconfig)
                .stdout(Stdio::piped())
                .spawn()
                .map_err(|error| format!("kubectl proxy: {error}"))?,
            kubectl,
            kubeconfig,
        };
        cluster.api.proxy = proxy_address(&mut cluster.proxy)?;
        Ok(cluster)
    }

    /// Tells Prometheus of every pod of every scenario that runs now.
    pub fn scrape(&self) -> Result<(), String> {
        let pods = self.api.list("Pod", "", "?labelSelector=siskin-e2e%3Dapp")?;
        let target = |pod: &Value| {
            let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            let address = text("/status/podIP");
            let hash = text("/metadata/labels/rollouts-pod-template-hash");
            let labels = json!({"namespace": text("/metadata/namespace"), "pod": text("/metadata/name"), "hash": hash});
            (!address.is_empty() && text("/status/phase") == "Running")
                .then(|| json!({"targets": [format!("{address}:8080")], "labels": labels}))
        };
        let targets: Vec<Value> = pods.iter().filter_map(target).collect();
        let partial = self.targets.with_extension("partial");
        fs::write(&partial, Value::from(targets).to_string()).map_err(|error| error.to_string())?;
        // Renamed, so that Prometheus never reads half a file.
        fs::rename(&partial, &self.targets).map_err(|error| error.to_string())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.proxy.kill());
        drop(self.proxy.wait());
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
