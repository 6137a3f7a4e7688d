//! The real kubectl against the loopback listener; passes without a word where no kubectl is installed.

#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{Bench, bench, replica_set};
use crate::sim::api_server::{Cut, Verb, serve};

const KUBECTL: &str = "/usr/bin/kubectl";

struct Kubectl {
    config: PathBuf,
}

impl Kubectl {
    async fn start(bench: &Bench) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        tokio::spawn(bench.server.clone().serve(listener));
        let config = std::env::temp_dir().join(format!("siskin-sim-{}-{}", std::process::id(), address.port()));
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("config"), serve::kubeconfig(address)).unwrap();
        Self { config }
    }

    async fn run(&self, arguments: &str) -> String {
        self.with_input(arguments, "").await
    }

    async fn with_input(&self, arguments: &str, input: &str) -> String {
        let file = self.config.join("input.json");
        std::fs::write(&file, input).unwrap();
        let arguments = arguments.replace("INPUT", &file.to_string_lossy());
        let cache = self.config.join("cache");
        let child = std::process::Command::new(KUBECTL)
            .env("KUBECONFIG", self.config.join("config"))
            .env("KUBECACHEDIR", cache)
            .env("NO_PROXY", "127.0.0.1")
            .args(arguments.split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "kubectl {arguments}: {err}");
        out
    }
}

impl Drop for Kubectl {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.config);
    }
}

#[tokio::test]
async fn kubectl_works() {
    if !Path::new(KUBECTL).exists() {
        return;
    }
    let bench = bench();
    let kubectl = Kubectl::start(&bench).await;
    assert!(kubectl.run("api-resources").await.contains("rollouts"));
    let mut set = replica_set("web", None);
    let applied = kubectl.with_input("apply --validate=false -f INPUT", &set.to_string()).await;
    assert_eq!(applied.trim(), "replicaset.apps/web created");
    set["spec"]["template"]["spec"]["containers"][0]["image"] = "x:2".into();
    let applied = kubectl.with_input("apply --validate=false -f INPUT", &set.to_string()).await;
    assert_eq!(applied.trim(), "replicaset.apps/web configured");
    let rollout = super::rollout("ro").to_string();
    kubectl.with_input("apply -f INPUT", &rollout).await;
    let again = kubectl.with_input("apply -f INPUT", &rollout).await;
    assert_eq!(again.trim(), "rollout.argoproj.io/ro unchanged");
    let table = kubectl.run("get rs").await;
    let header: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["NAME", "DESIRED", "CURRENT", "READY", "AGE"], "{table}");
    assert!(kubectl.run("get rs web -o yaml").await.contains("image: x:2"));
    kubectl.run("scale rs web --replicas=5").await;
    kubectl.run("scale rollout ro --replicas=7").await;
    assert_eq!(kubectl.run("get rollout ro -o jsonpath={.spec.replicas}").await, "7");
    kubectl.run(r#"patch rs web -p {"metadata":{"labels":{"a":"b"}}}"#).await;
    kubectl.run("wait --for=jsonpath={.spec.replicas}=5 rs/web --timeout=5s").await;
    assert_eq!(kubectl.run("get rs -l a=b -o name").await.trim(), "replicaset.apps/web");
    let deleted = kubectl.run("delete rs web --timeout=5s").await;
    assert!(deleted.contains("deleted"), "{deleted}");
    assert!(bench.hand.get("ReplicaSet", "default", "web").is_none());
}

#[tokio::test]
async fn kubectl_watches() {
    if !Path::new(KUBECTL).exists() {
        return;
    }
    let bench = bench();
    let kubectl = Kubectl::start(&bench).await;
    bench.hand.create("Rollout", super::rollout("web")).unwrap();
    let mut counted = bench.server.pulse();
    let (server, hand) = (bench.server.clone(), bench.hand.clone());
    let change = tokio::spawn(async move {
        // Once the watch has started, one change goes out, and then the server closes the stream.
        while server.counts().of(Verb::Watch, "Rollout") == 0 {
            let _ = tokio::time::timeout(std::time::Duration::from_millis(20), counted.changed()).await;
        }
        hand.merge("Rollout", ("default", "web"), &serde_json::json!({ "spec": { "replicas": 8 } })).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        server.cut_watches("Rollout", Cut::Clean).unwrap();
    });
    let told = kubectl.run("get rollout web -w").await;
    change.await.unwrap();
    let desired: Vec<&str> = told.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(desired, ["DESIRED", "3", "8"], "{told}");
}
