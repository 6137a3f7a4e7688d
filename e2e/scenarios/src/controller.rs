//! Controllers: the one that all scenarios share, and those of a scenario's own, which it may kill.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::http::{Connection, Request};
use crate::rig::{Outcome, Rig};

/// How long the first one may take to be ready.
const READY_LIMIT: Duration = Duration::from_mins(1);
/// One answer about readiness.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// A running `siskin controller`.
#[derive(Debug)]
pub struct Controller {
    process: Child,
    health: u16,
}

impl Controller {
    /// The label that says which controller an object belongs to.
    pub const LABEL: &str = "argo-rollouts.argoproj.io/controller-instance-id";

    /// Makes an object that of the controller with this instance id.
    pub fn claim(object: &mut Value, instance: &str) {
        object["metadata"]["labels"][Self::LABEL] = json!(instance);
    }

    /// Starts the one that looks at every object without an instance id, and waits until it is ready.
    pub fn shared(cluster: &Cluster) -> Outcome<Self> {
        let level = std::env::var("LOGLEVEL").unwrap_or_else(|_| "info".to_owned());
        let log = cluster.logs.join("controller.log");
        // Of this run only.
        drop(std::fs::remove_file(&log));
        let mut controller = Self::spawn(cluster, "controller", &["--loglevel", &level])?;
        let began = Instant::now();
        while !controller.is_ready() {
            let ended = controller.process.try_wait().map_err(|error| error.to_string())?;
            if let Some(code) = ended {
                return Err(format!("the controller ended ({code}): see {}", log.display()));
            }
            if began.elapsed() > READY_LIMIT {
                return Err(format!("the controller is not ready: see {}", log.display()));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(controller)
    }

    /// Starts one that looks only at objects with this instance id.
    pub fn start(rig: &Rig, instance: &str) -> Outcome<Self> {
        Self::start_with(rig, instance, &[])
    }

    /// The same, with further flags.
    pub fn start_with(rig: &Rig, instance: &str, flags: &[&str]) -> Outcome<Self> {
        // Short terms: the next one waits for the dead one's lease.
        let own = ["--instance-id", instance, "--leader-election-lease-duration", "6s"];
        let terms = ["--leader-election-renew-deadline", "4s", "--leader-election-retry-period", "1s"];
        Self::spawn(&rig.cluster, &format!("controller-{instance}"), &[&own, &terms, flags].concat())
    }

    fn spawn(cluster: &Cluster, name: &str, flags: &[&str]) -> Outcome<Self> {
        let path = cluster.logs.join(format!("{name}.log"));
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.map_err(|error| format!("{}: {error}", path.display()))?;
        let (metrics, health) = (free_port()?, free_port()?);
        let mut command = Command::new(&cluster.siskin);
        command.arg("controller").args(flags).arg("--kubeconfig").arg(&cluster.controller_kubeconfig);
        command.args(["--metricsPort", &metrics.to_string(), "--healthzPort", &health.to_string()]);
        command.stdout(log.try_clone().map_err(|error| error.to_string())?).stderr(log).stdin(Stdio::null());
        let process = command.spawn().map_err(|error| format!("siskin controller: {error}"))?;
        Ok(Self { process, health })
    }

    fn is_ready(&self) -> bool {
        let request = Request { method: "GET", path: "/readyz", host: "localhost", content_type: "", header: None };
        let address = SocketAddr::from(([127, 0, 0, 1], self.health));
        let answer = Connection::open(address, ASK_LIMIT).and_then(|mut connection| connection.ask(request, &[]));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Ends it at once (SIGKILL), as a crash of its node does.
    pub fn kill(mut self) -> Outcome {
        self.end().map_err(|error| format!("the controller had ended before it was killed: {error}"))
    }

    fn end(&mut self) -> std::io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have been killed before.
        drop(self.end());
    }
}

fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| format!("a free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
