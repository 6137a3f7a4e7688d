//! A controller of a scenario's own, which it may kill.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::rig::{Outcome, Rig};

/// A running `siskin controller`.
#[derive(Debug)]
pub struct Controller {
    process: Child,
}

impl Controller {
    /// Starts one that looks only at objects with this instance id.
    pub fn start(rig: &Rig, instance: &str) -> Outcome<Self> {
        Self::start_with(rig, instance, &[])
    }

    /// The same, with further flags.
    pub fn start_with(rig: &Rig, instance: &str, flags: &[&str]) -> Outcome<Self> {
        let cluster = &rig.cluster;
        let path = cluster.logs.join(format!("controller-{instance}.log"));
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.map_err(|error| format!("{}: {error}", path.display()))?;
        let (metrics, health) = (free_port()?, free_port()?);
        let mut command = Command::new(&cluster.siskin);
        command.args(["controller", "--instance-id", instance]).args(flags);
        command.args(["--metricsPort", &metrics.to_string(), "--healthzPort", &health.to_string()]);
        // Short terms: the next one waits for the dead one's lease.
        command.args(["--leader-election-lease-duration", "6s", "--leader-election-renew-deadline", "4s"]);
        command.args(["--leader-election-retry-period", "1s", "--kubeconfig"]).arg(&cluster.controller_kubeconfig);
        command.stdout(log.try_clone().map_err(|error| error.to_string())?).stderr(log).stdin(Stdio::null());
        let process = command.spawn().map_err(|error| format!("siskin controller: {error}"))?;
        Ok(Self { process })
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
