//! What a reader of the demo tries next: the real kubectl against the cluster that stays.

use std::time::Duration;

use crate::demo::stage::{Doors, Stage};
use crate::sim::api_server::tests::kubectl::Kubectl;

const ROLLOUT: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: web
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web }, annotations: { sim.siskin.dev/start: "0.2" } }
    spec: { containers: [{ name: web, image: "example.com/web:v1" }] }
  strategy:
    canary: { steps: [{ setWeight: 50 }, { pause: {} }] }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_by_kubectl_alone() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stage = Stage::set(5.0, Doors::Open).await.unwrap();
    let Some(kubectl) = Kubectl::at(stage.address) else { return };
    kubectl.with_input("apply --server-side -f INPUT", ROLLOUT).await;
    kubectl.run("wait rollout web --for=condition=Healthy --timeout=60s").await;
    assert!(kubectl.run("get pods").await.lines().count() > 2);
    let next = ROLLOUT.replace(":v1", ":v2");
    kubectl.with_input("apply --server-side -f INPUT", &next).await;
    kubectl.run("wait rollout web --for=jsonpath={.status.phase}=Paused --timeout=60s").await;
    let told = kubectl.run("describe rollout web").await;
    assert!(told.contains("RolloutPaused") || told.contains("CanaryPauseStep"), "{told}");
    kubectl.run(r#"patch rollout web --subresource=status --type=merge -p {"status":{"promoteFull":true}}"#).await;
    kubectl.run("wait rollout web --for=condition=Healthy --timeout=60s").await;
    kubectl.run("wait rollout web --for=jsonpath={.status.phase}=Healthy --timeout=60s").await;
    kubectl.run("scale rollout web --replicas=3").await;
    kubectl.run("wait rollout web --for=jsonpath={.status.availableReplicas}=3 --timeout=60s").await;
    kubectl.run("drain node-1 --ignore-daemonsets --force --timeout=60s").await;
    let pods = kubectl.run("get pods --field-selector spec.nodeName=node-1 -o name").await;
    assert_eq!(pods.trim(), "");
    kubectl.run("delete rollout web --cascade=foreground --timeout=60s").await;
    tokio::time::timeout(Duration::from_secs(5), stage.close()).await.unwrap();
}
