//! A kubeconfig for other terminals; it is removed with the demo.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::scenes::{Letter, Scene};
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How to follow a scene from another terminal.
    pub fn invitation(&self, scene: &Scene) -> String {
        format!("KUBECONFIG={} siskin get rollout {} -w", self.path.display(), scene.rollout)
    }
}

impl Drop for Kubeconfig {
    fn drop(&mut self) {
        // One that is gone already is as it should be.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What can be tried once the scenes are over.
pub fn advice(kubeconfig: &Kubeconfig, letters: &[Letter]) -> String {
    let name = letters.last().map_or("shop", |letter| Scene::of(*letter).rollout);
    let mut text = format!(
        "\nThe cluster stays, with its users, until Ctrl-C. From another terminal:\n  export KUBECONFIG={}\n  siskin list rollouts\n  \
         siskin get rollout {name} -w\n",
        kubeconfig.path.display()
    );
    if letters.contains(&Letter::B) {
        text.push_str("  siskin undo shop          (the bad v3 is still what its manifest asks for)\n");
    }
    text + &format!("  siskin set image {name} web=example.com/{name}:v4\n  kubectl get pods,services\n")
}
