//! A kubeconfig for other terminals; it is removed with the demo.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::sim::api_server::serve::kubeconfig;

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the kubeconfig {path}: {source}; set TMPDIR to a directory that can be written")]
pub struct HoldError {
    path: String,
    source: std::io::Error,
}

/// The file.
#[derive(Debug)]
pub struct Kubeconfig {
    path: PathBuf,
}

impl Kubeconfig {
    /// Writes one for the API at `address`.
    pub fn write(address: SocketAddr) -> Result<Self, HoldError> {
        let path = std::env::temp_dir().join(format!("siskin-demo-{}.kubeconfig", address.port()));
        // A leftover of an earlier demo on the same port; a new file is never somebody else's.
        let _ = std::fs::remove_file(&path);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(kubeconfig(address).as_bytes()));
        written.map_err(|source| HoldError { path: path.display().to_string(), source })?;
        Ok(Self { path })
    }

    /// How to use it.
    pub fn advice(&self) -> String {
        let path = self.path.display();
        format!(
            "\nThe cluster stays until Ctrl-C. From another terminal:\n  export KUBECONFIG={path}\n  siskin get rollout shop -w\n  \
             siskin set image shop web=example.com/shop:v4\n  kubectl get pods,httproutes\n"
        )
    }
}

impl Drop for Kubeconfig {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
