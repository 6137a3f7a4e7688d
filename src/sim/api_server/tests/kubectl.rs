//! The real kubectl against the loopback listener. Where there is none, the tests say so and pass: the end-to-end
//! tests build one into their cache (`e2e/cluster/lib/build.sh`).

#![allow(clippy::disallowed_methods, reason = "tests wait on the clock that tokio pauses, and end with their tasks")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use super::{Bench, bench, replica_set};
use crate::sim::api_server::{Cut, Verb, serve};

/// The kubectl of the end-to-end tests' cache, else the system's.
fn program() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = set("SISKIN_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?.join("siskin")));
    let entries = cache.and_then(|cache| std::fs::read_dir(cache.join("e2e")).ok()).into_iter().flatten().flatten();
    let boxes = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("kubebox-"));
    let built = boxes.map(|entry| entry.path().join("kubectl"));
    built.chain([PathBuf::from("/usr/local/bin/kubectl"), PathBuf::from("/usr/bin/kubectl")]).find(|path| path.exists())
}

/// A kubectl with a kubeconfig and a cache of its own.
pub(crate) struct Kubectl {
    program: PathBuf,
    config: PathBuf,
}

impl Kubectl {
    /// Serves the bench's API; none where there is no kubectl.
    async fn start(bench: &Bench) -> Option<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        tokio::spawn(bench.server.clone().serve(listener));
        Self::at(address)
    }

    /// For an API at `address`; none where there is no kubectl.
    pub fn at(address: SocketAddr) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("SKIPPED: no kubectl in the cache of the end-to-end tests, and none installed");
            return None;
        };
        let config = std::env::temp_dir().join(format!("siskin-sim-{}-{}", std::process::id(), address.port()));
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("config"), serve::kubeconfig(address)).unwrap();
        Some(Self { program, config })
    }

    /// What it prints; panics where it fails.
    pub async fn run(&self, arguments: &str) -> String {
        self.with_input(arguments, "").await
    }

    /// The same with a file that stands as `INPUT` among the arguments.
    pub async fn with_input(&self, arguments: &str, input: &str) -> String {
        let (succeeds, out, err) = self.attempt(arguments, input).await;
        assert!(succeeds, "kubectl {arguments}: {err}");
        out
    }

    /// What it prints as it fails.
    pub async fn refused(&self, arguments: &str, input: &str) -> String {
        let (succeeds, out, err) = self.attempt(arguments, input).await;
        assert!(!succeeds, "kubectl {arguments}: {out}");
        err
    }

    async fn attempt(&self, arguments: &str, input: &str) -> (bool, String, String) {
        let file = self.config.join("input.json");
        std::fs::write(&file, input).unwrap();
        let arguments = arguments.replace("INPUT", &file.to_string_lossy());
        let cache = self.config.join("cache");
        let child = std::process::Command::new(&self.program)
            .env("KUBECONFIG", self.config.join("config"))
            .env("KUBECACHEDIR", cache)
            .env("NO_PROXY", "127.0.0.1")
            .env("KUBE_EDITOR", "sed -i /minReadySeconds/s/1$/2/")
            .args(arguments.split(' '))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        (output.status.success(), out, err)
    }
}

impl Drop for Kubectl {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.config);
    }
}

#[tokio::test]
async fn kubectl_works() {
    let bench = bench();
    let Some(kubectl) = Kubectl::start(&bench).await else { return };
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
    let bench = bench();
    let Some(kubectl) = Kubectl::start(&bench).await else { return };
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

#[tokio::test]
async fn kubectl_applies_by_our_definitions() {
    let bench = bench();
    let Some(kubectl) = Kubectl::start(&bench).await else { return };
    for file in crate::api::crd::files(&crate::api::crd::crds()).unwrap() {
        kubectl.with_input("apply --server-side -f INPUT", &file.text).await;
    }
    kubectl.run("wait --for=condition=Established crd/rollouts.argoproj.io --timeout=5s").await;
    let mut rollout = super::rollout("web");
    rollout["spec"]["selector"] = serde_json::json!({ "matchLabels": { "app": "web" } });
    rollout["spec"]["strategy"] = serde_json::json!({ "canary": {} });
    let applied = kubectl.with_input("apply --server-side -f INPUT", &rollout.to_string()).await;
    assert_eq!(applied.trim(), "rollout.argoproj.io/web serverside-applied");
    kubectl.run("scale rollout web --replicas=4").await;
    let refused = kubectl.refused("apply --server-side -f INPUT", &rollout.to_string()).await;
    assert!(refused.contains("conflict") && refused.contains(".spec.replicas"), "{refused}");
    kubectl.with_input("apply --server-side --force-conflicts -f INPUT", &rollout.to_string()).await;
    let owners =
        kubectl.run("get rollout web --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}").await;
    assert!(owners.starts_with("kubectl"), "{owners}");
    rollout["spec"]["replcas"] = 1.into();
    let refused = kubectl.refused("apply --server-side -f INPUT", &rollout.to_string()).await;
    assert!(refused.contains("unknown field") && refused.contains("spec.replcas"), "{refused}");
    let refused = kubectl.refused("patch rollout web --type=merge -p {\"spec\":{\"replicas\":\"x\"}}", "").await;
    assert!(refused.contains("must be of type integer"), "{refused}");
    assert!(kubectl.run("explain rollout.spec.strategy").await.contains("blueGreen"));
    assert!(kubectl.run("describe rollout web").await.contains("Canary"));
    kubectl.run("patch rollout web --type=merge -p {\"spec\":{\"minReadySeconds\":1}}").await;
    kubectl.run("edit rollout web").await;
    assert_eq!(kubectl.run("get rollout web -o jsonpath={.spec.minReadySeconds}").await, "2");
    kubectl.run("delete crd rollouts.argoproj.io --timeout=5s").await;
    assert!(bench.hand.get("Rollout", "default", "web").is_none());
}

#[tokio::test]
async fn kubectl_deletes_with_what_belongs_to_it() {
    let bench = bench();
    let Some(kubectl) = Kubectl::start(&bench).await else { return };
    for (cascade, is_left) in [("background", false), ("foreground", false), ("orphan", true)] {
        let owner = bench.hand.create("Rollout", super::rollout("web")).unwrap();
        let owned = replica_set(&format!("web-{cascade}"), Some(&owner));
        bench.hand.create("ReplicaSet", owned).unwrap();
        kubectl.run(&format!("delete rollout web --cascade={cascade} --timeout=5s")).await;
        let left = bench.hand.get("ReplicaSet", "default", &format!("web-{cascade}"));
        assert_eq!(left.is_some(), is_left, "{cascade}");
    }
    let pod =
        serde_json::json!({ "metadata": { "name": "p" }, "spec": { "containers": [{ "name": "c", "image": "x" }] } });
    bench.hand.create("Pod", pod).unwrap();
    let refused = kubectl.refused("logs p", "").await;
    assert!(refused.contains("run no programs"), "{refused}");
    assert!(kubectl.run("describe pod p").await.contains("Image:"));
}
