use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use kube::Api;
use kube::api::{DynamicObject, ListParams, PartialObjectMeta, PatchParams, PostParams};
use serde_json::json;

use super::{bench, dynamic, refusal, replica_set, rollout};

#[tokio::test]
async fn creation_fills_in_identity() {
    let bench = bench();
    let mut given = rollout("web");
    given["status"] = json!({ "phase": "Healthy" });
    let created = bench.rollouts().create(&PostParams::default(), &dynamic(given)).await.unwrap();
    let meta = &created.metadata;
    assert_eq!(meta.generation, Some(1));
    assert_eq!(meta.namespace.as_deref(), Some("default"));
    assert_eq!(meta.uid.as_ref().unwrap().len(), 36);
    assert_eq!(serde_json::to_value(&meta.creation_timestamp).unwrap(), json!("2023-11-14T22:13:20Z"));
    assert_eq!(created.data.get("status"), None, "a status subresource drops status on creation");
    let again = bench.rollouts().create(&PostParams::default(), &dynamic(rollout("web"))).await;
    assert_eq!(refusal(again), (409, "AlreadyExists".to_owned()));
}

#[tokio::test]
async fn generated_names_and_bad_ones() {
    let bench = bench();
    let maps: Api<ConfigMap> = bench.typed();
    let make = |value| serde_json::from_value::<ConfigMap>(json!({ "metadata": value })).unwrap();
    let created = maps.create(&PostParams::default(), &make(json!({ "generateName": "cm-" }))).await.unwrap();
    assert_eq!(created.metadata.name.unwrap().len(), "cm-".len() + 5);
    for name in [json!({ "name": "Upper" }), json!({ "name": "-x" }), json!({})] {
        let refused = maps.create(&PostParams::default(), &make(name)).await;
        assert_eq!(refusal(refused), (422, "Invalid".to_owned()));
    }
    let elsewhere: Api<ConfigMap> = Api::namespaced(bench.server.client("c"), "nowhere");
    let refused = elsewhere.create(&PostParams::default(), &make(json!({ "name": "a" }))).await;
    assert_eq!(refusal(refused), (404, "NotFound".to_owned()));
}

#[tokio::test]
async fn generation_counts_spec_alone_where_status_is_a_subresource() {
    let bench = bench();
    let rollouts = bench.rollouts();
    let mut object = rollouts.create(&PostParams::default(), &dynamic(rollout("web"))).await.unwrap();
    object.data["status"] = json!({ "phase": "Healthy" });
    object.metadata.annotations = Some([("a".to_owned(), "b".to_owned())].into());
    let put = rollouts.replace("web", &PostParams::default(), &object).await.unwrap();
    assert_eq!((put.metadata.generation, put.data.get("status")), (Some(1), None));
    let mut status = put.clone();
    status.data["status"] = json!({ "phase": "Healthy" });
    status.data["spec"]["replicas"] = json!(9);
    let put = rollouts.replace_status("web", &PostParams::default(), &status).await.unwrap();
    assert_eq!(put.data["spec"]["replicas"], json!(3));
    assert_eq!((put.metadata.generation, &put.data["status"]["phase"]), (Some(1), &json!("Healthy")));
    let mut spec = put;
    spec.data["spec"]["replicas"] = json!(4);
    let put = rollouts.replace("web", &PostParams::default(), &spec).await.unwrap();
    assert_eq!((put.metadata.generation, &put.data["status"]["phase"]), (Some(2), &json!("Healthy")));
    let stale = rollouts.replace("web", &PostParams::default(), &object).await;
    assert_eq!(refusal(stale), (409, "Conflict".to_owned()));
    spec.metadata.resource_version = None;
    let blind = rollouts.replace("web", &PostParams::default(), &spec).await;
    assert_eq!(refusal(blind), (422, "Invalid".to_owned()), "a custom kind is not replaced blindly");
}

#[tokio::test]
async fn status_counts_where_it_is_a_plain_field() {
    let bench = bench();
    let run =
        json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": { "name": "r" }, "spec": {} });
    bench.hand.create("AnalysisRun", run).unwrap();
    let patch = json!({ "status": { "phase": "Running" } });
    let after = bench.hand.merge("AnalysisRun", ("default", "r"), &patch).unwrap();
    assert_eq!(after["metadata"]["generation"], json!(2));
    let runs = bench.api("argoproj.io", "v1alpha1", "AnalysisRun");
    let refused = runs.patch_status("r", &PatchParams::default(), &kube::api::Patch::Merge(patch)).await;
    assert_eq!(refusal(refused).0, 404);
}

#[tokio::test]
async fn writing_the_same_is_no_write() {
    let bench = bench();
    let created = bench.hand.create("Rollout", rollout("web")).unwrap();
    let (version, entries) = (bench.server.version(), bench.server.journal().len());
    let same = bench.hand.merge("Rollout", ("default", "web"), &json!({ "spec": { "replicas": 3 } })).unwrap();
    assert_eq!(same, created);
    assert_eq!((bench.server.version(), bench.server.journal().len()), (version, entries));
}

#[tokio::test]
async fn built_in_kinds_get_their_defaults() {
    let bench = bench();
    let set: ReplicaSet = serde_json::from_value(replica_set("rs", None)).unwrap();
    let set = bench.typed::<ReplicaSet>().create(&PostParams::default(), &set).await.unwrap();
    let spec = set.spec.unwrap().template.unwrap().spec.unwrap();
    assert_eq!(spec.restart_policy.as_deref(), Some("Always"));
    assert_eq!(spec.containers[0].image_pull_policy.as_deref(), Some("IfNotPresent"));
    let service =
        json!({ "metadata": { "name": "s" }, "spec": { "ports": [{ "port": 80 }], "selector": { "app": "a" } } });
    let service: Service = serde_json::from_value(service).unwrap();
    let service = bench.typed::<Service>().create(&PostParams::default(), &service).await.unwrap().spec.unwrap();
    assert_eq!(service.cluster_ip.as_deref(), Some("10.96.0.2"));
    let mut bad = replica_set("bad", None);
    bad["spec"]["template"]["metadata"]["labels"] = json!({ "app": "other" });
    assert_eq!(bench.hand.create("ReplicaSet", bad).unwrap_err().code, 422);
    let patch = json!({ "spec": { "selector": { "matchLabels": { "x": "y" } }, "template": { "metadata": { "labels": { "x": "y" } } } } });
    assert_eq!(bench.hand.merge("ReplicaSet", ("default", "rs"), &patch).unwrap_err().code, 422);
}

#[tokio::test]
async fn lists_select_and_page_over_one_snapshot() {
    let bench = bench();
    for name in ["a", "b", "c", "d", "e"] {
        bench.hand.create("Rollout", rollout(name)).unwrap();
    }
    let rollouts = bench.rollouts();
    let one = rollouts.list(&ListParams::default().labels("app in (b)")).await.unwrap();
    assert_eq!(one.items.len(), 1);
    let one = rollouts.list(&ListParams::default().fields("metadata.name=c")).await.unwrap();
    assert_eq!(one.items[0].metadata.name.as_deref(), Some("c"));
    let bad = rollouts.list(&ListParams::default().fields("spec.replicas=3")).await;
    assert_eq!(refusal(bad).0, 400);
    let first = rollouts.list(&ListParams::default().limit(2)).await.unwrap();
    let token = first.metadata.continue_.clone().unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(3));
    bench.hand.delete("Rollout", "default", "c").unwrap();
    bench.hand.create("Rollout", rollout("aa")).unwrap();
    bench.hand.create("Rollout", rollout("dd")).unwrap();
    let rest = rollouts.list(&ListParams::default().limit(10).continue_token(&token)).await.unwrap();
    let names: Vec<_> = rest.items.iter().filter_map(|o| o.metadata.name.as_deref()).collect();
    assert_eq!(names, ["c", "d", "e"], "pages show the state of the first page");
    assert_eq!(rest.metadata.resource_version, first.metadata.resource_version);
    bench.server.compact();
    let gone = rollouts.list(&ListParams::default().limit(10).continue_token(&token)).await;
    assert_eq!(refusal(gone), (410, "Expired".to_owned()));
}

#[tokio::test]
async fn metadata_alone_and_dry_runs() {
    let bench = bench();
    bench.hand.create("ReplicaSet", replica_set("rs", None)).unwrap();
    let partial: Api<PartialObjectMeta<ReplicaSet>> = bench.typed();
    assert_eq!(partial.list(&ListParams::default()).await.unwrap().items.len(), 1);
    let version = bench.server.version();
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    bench.rollouts().create(&dry, &dynamic(rollout("web"))).await.unwrap();
    assert_eq!(bench.server.version(), version);
    assert_eq!(refusal(bench.rollouts().get("web").await).0, 404);
}

#[tokio::test]
async fn discovery_finds_the_kinds() {
    let bench = bench();
    let client = bench.server.client("c");
    assert_eq!(client.apiserver_version().await.unwrap().major, "1");
    let discovery = kube::Discovery::new(client).run().await.unwrap();
    let gvk = kube::core::GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Rollout");
    let (resource, caps) = discovery.resolve_gvk(&gvk).unwrap();
    assert_eq!(resource.plural, "rollouts");
    assert_eq!(caps.subresources.len(), 2);
    let unknown = kube::core::GroupVersionKind::gvk("networking.istio.io", "v1", "VirtualService");
    assert!(discovery.resolve_gvk(&unknown).is_none());
}

#[tokio::test]
async fn scale_moves_replicas_alone() {
    let bench = bench();
    bench.hand.create("ReplicaSet", replica_set("rs", None)).unwrap();
    let sets: Api<ReplicaSet> = bench.typed();
    let scale = sets.get_scale("rs").await.unwrap();
    assert_eq!((scale.spec.unwrap().replicas, scale.status.unwrap().selector.as_deref()), (Some(2), Some("app=rs")));
    let patch = kube::api::Patch::Merge(json!({ "spec": { "replicas": 5 } }));
    sets.patch_scale("rs", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(bench.hand.get("ReplicaSet", "default", "rs").unwrap()["spec"]["replicas"], json!(5));
    let last = bench.server.journal().pop().unwrap();
    assert_eq!((last.subresource.as_deref(), last.actor.as_str()), (Some("scale"), "client"));
}

#[tokio::test]
async fn pruned_fields_never_arrive() {
    let bench = bench();
    let def = crate::sim::api_server::ResourceDef::new("argoproj.io", "v1alpha1", "Rollout", "rollouts");
    bench.server.register(def.with_status().pruning("status.siskin"));
    bench.hand.create("Rollout", rollout("web")).unwrap();
    let status = json!({ "status": { "phase": "Healthy", "siskin": { "x": 1 } } });
    let after = bench.hand.merge_status("Rollout", ("default", "web"), &status).unwrap();
    assert_eq!(after["status"], json!({ "phase": "Healthy" }));
}

#[tokio::test]
async fn the_journal_tells_who_wrote_what() {
    let bench = bench();
    let mut cursor = bench.server.subscribe();
    let before = bench.server.counts();
    bench.rollouts().create(&PostParams::default(), &dynamic(rollout("web"))).await.unwrap();
    bench.hand.merge("Rollout", ("default", "web"), &json!({ "spec": { "paused": true } })).unwrap();
    let entries = cursor.next().await.unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e.actor.as_str(), e.verb.to_string(), e.before.is_some())).collect();
    assert_eq!(told, [("client", "create".to_owned(), false), ("tester", "patch".to_owned(), true)]);
    assert!(entries[0].version < entries[1].version);
    assert_eq!(entries[0].after, entries[1].before);
    assert!(cursor.drain().unwrap().is_empty());
    let counts = bench.server.counts().since(&before);
    assert_eq!(
        (counts.reads(), counts.writes(), counts.of(crate::sim::api_server::Verb::Create, "Rollout")),
        (0, 1, 1)
    );
}

#[tokio::test]
async fn typed_pods_round_trip() {
    let bench = bench();
    let pod = json!({ "metadata": { "name": "p" }, "spec": { "containers": [{ "name": "c", "image": "x" }] } });
    let pods: Api<Pod> = bench.typed();
    let pod = pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
    assert_eq!(pod.status.unwrap().phase.as_deref(), Some("Pending"));
    let any: Vec<DynamicObject> = bench.api("", "v1", "Pod").list(&ListParams::default()).await.unwrap().items;
    assert_eq!(any.len(), 1);
}
