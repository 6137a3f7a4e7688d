//! Objects as API servers of busy clusters return them: with `managedFields`, annotations and sidecars.

use serde_json::{Map, Value, json};

/// What tells an object from the others of its kind.
#[derive(Clone, Copy)]
pub struct Nth {
    /// Which Rollout it belongs to.
    pub app: usize,
    /// Which revision of it, or which part of the revision.
    pub part: usize,
}

impl Nth {
    fn namespace(self) -> String {
        format!("team-{:03}", self.app % 200)
    }

    /// Name of the Rollout.
    fn name(self) -> String {
        format!("checkout-service-{:05}", self.app)
    }

    fn hash(self) -> String {
        format!("{:010x}", (self.app * 31 + self.part + 1) * 2_654_435_761 % (1 << 40))
    }

    fn uid(self, kind: u32) -> String {
        format!("{kind:08x}-{:04x}-4a7e-9c1d-{:012x}", self.part, self.app)
    }

    fn meta(self, kind: u32, name: &str) -> Value {
        json!({
            "name": name, "namespace": self.namespace(), "uid": self.uid(kind), "generation": 4,
            "resourceVersion": (81_234_567 + self.app * 40 + self.part).to_string(),
            "creationTimestamp": "2026-11-20T09:14:51Z",
        })
    }

    fn owner(self, kind: &str, group: &str, number: u32, name: &str) -> Value {
        json!([{"apiVersion": group, "kind": kind, "name": name, "uid": self.uid(number),
            "controller": true, "blockOwnerDeletion": true}])
    }
}

fn labels() -> Value {
    json!({
        "app": "checkout-service", "app.kubernetes.io/name": "checkout-service", "team": "payments",
        "app.kubernetes.io/part-of": "shop", "sidecar.istio.io/inject": "true",
    })
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// `{"f:a": {"f:b": {}}}` for `{"a": {"b": 1}}`, as the API server keeps it for each manager of fields.
fn fields(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (format!("f:{key}"), fields(value))).collect(),
        Value::Array(items) => {
            let mut found = Map::new();
            for item in items {
                let key = json!({"name": item["name"]});
                found.insert(format!("k:{key}"), fields(item));
            }
            Value::Object(found)
        }
        _ => json!({}),
    }
}

fn managed(object: &mut Value, managers: &[(&str, &str, &[&str])]) {
    let entries: Vec<Value> = managers
        .iter()
        .map(|(manager, group, parts)| {
            let owned: Map<String, Value> =
                parts.iter().map(|part| (format!("f:{part}"), fields(&object[part]))).collect();
            json!({"manager": manager, "operation": "Update", "apiVersion": group, "fieldsType": "FieldsV1",
                "time": "2026-11-20T09:14:51Z", "fieldsV1": owned})
        })
        .collect();
    object["metadata"]["managedFields"] = json!(entries);
}

fn container(name: &str, image: &str, variables: usize) -> Value {
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "timeoutSeconds": 1,
        "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3});
    let env: Vec<Value> = (0..variables)
        .map(|n| match n % 3 {
            0 => json!({"name": format!("SERVICE_{n}_ADDRESS"), "value": format!("http://service-{n}.shop.svc:8080")}),
            1 => json!({"name": format!("FEATURE_{n}_ENABLED"), "value": "true"}),
            _ => json!({"name": format!("SECRET_{n}"), "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}),
        })
        .collect();
    json!({
        "name": name, "image": image, "env": env, "livenessProbe": probe, "readinessProbe": probe,
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}, {"name": "tmp", "mountPath": "/tmp"}],
        "securityContext": {"runAsNonRoot": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    })
}

/// A pod template of about 3 KB: an application and what collects its logs.
fn template(nth: Nth) -> Value {
    json!({
        "metadata": {"labels": labels(), "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9090"}},
        "spec": {
            "containers": [
                container("app", &format!("registry.example/shop/checkout:v1.{}.{}", nth.part, nth.app), 12),
                container("logs", "registry.example/platform/logs:v3.2.1", 3),
            ],
            "volumes": [{"name": "config", "configMap": {"name": "checkout"}}, {"name": "tmp", "emptyDir": {}}],
            "serviceAccountName": "checkout", "terminationGracePeriodSeconds": 45, "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "securityContext": {"fsGroup": 1000},
        },
    })
}

/// A pod with a mesh's sidecar: about 37 KB, more than half of it `managedFields` and annotations.
pub fn pod(nth: Nth) -> Value {
    let (rs, hash) = (format!("{}-{}", nth.name(), nth.hash()), nth.hash());
    let mut metadata = nth.meta(1, &format!("{rs}-x7k2p"));
    metadata["labels"] = labels();
    metadata["labels"]["rollouts-pod-template-hash"] = json!(hash);
    let sidecar = json!({"initContainers": ["istio-init"], "containers": ["istio-proxy"], "revision": "default",
        "volumes": ["workload-socket", "credential-socket", "istio-envoy", "istio-data", "istio-token"]});
    metadata["annotations"] = json!({
        "prometheus.io/scrape": "true", "sidecar.istio.io/status": sidecar.to_string(),
        "kubectl.kubernetes.io/restartedAt": "2026-11-20T09:14:51Z",
        "vault.example/template": "{{ with secret \"database\" }}{{ .Data.password }}{{ end }}\n".repeat(20),
    });
    metadata["ownerReferences"] = nth.owner("ReplicaSet", "apps/v1", 2, &rs);
    let conditions: Vec<Value> = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .iter()
        .map(|kind| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-20T09:15:20Z"}))
        .collect();
    let state = |name: &str| {
        json!({"name": name, "ready": true, "started": true, "restartCount": 0, "lastState": {},
            "image": format!("registry.example/{name}:v1"), "containerID": format!("containerd://{}", "4f".repeat(32)),
            "imageID": format!("registry.example/{name}@sha256:{}", "9c".repeat(32)),
            "state": {"running": {"startedAt": "2026-11-20T09:15:02Z"}}})
    };
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": template(nth)["spec"],
        "status": {
            "phase": "Running", "qosClass": "Burstable", "hostIP": "10.4.7.19", "podIP": "10.244.3.7",
            "podIPs": [{"ip": "10.244.3.7"}], "startTime": "2026-11-20T09:14:51Z", "conditions": conditions,
            "containerStatuses": [state("app"), state("logs"), state("istio-proxy")],
            "initContainerStatuses": [state("istio-init")],
        },
    });
    pod["spec"]["nodeName"] = json!("ip-10-4-7-19.eu-central-1.compute.internal");
    if let Some(containers) = pod["spec"]["containers"].as_array_mut() {
        containers.push(container("istio-proxy", "registry.example/istio/proxyv2:1.31.0", 40));
    }
    pod["spec"]["initContainers"] = json!([container("istio-init", "registry.example/istio/proxyv2:1.31.0", 24)]);
    managed(&mut pod, &[("kube-controller-manager", "v1", &["metadata", "spec"]), ("kubelet", "v1", &["status"])]);
    pod
}

/// A ReplicaSet with the template of its revision.
pub fn replica_set(nth: Nth) -> Value {
    let hash = nth.hash();
    let mut metadata = nth.meta(2, &format!("{}-{hash}", nth.name()));
    metadata["labels"] = labels();
    metadata["labels"]["rollouts-pod-template-hash"] = json!(hash);
    metadata["annotations"] = json!({"rollout.argoproj.io/desired-replicas": "3",
        "rollout.argoproj.io/revision": (nth.part + 1).to_string()});
    metadata["ownerReferences"] = nth.owner("Rollout", "argoproj.io/v1alpha1", 3, &nth.name());
    let mut template = template(nth);
    template["metadata"]["labels"]["rollouts-pod-template-hash"] = json!(hash);
    let size = if nth.part == 0 { 3 } else { 0 };
    let mut rs = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata,
        "spec": {"replicas": size, "template": template,
            "selector": {"matchLabels": {"app": "checkout-service", "rollouts-pod-template-hash": hash}}},
        "status": {"replicas": size, "readyReplicas": size, "availableReplicas": size, "fullyLabeledReplicas": size,
            "observedGeneration": 4},
    });
    managed(&mut rs, &[("rollouts-controller", "apps/v1", &["metadata", "spec"])]);
    rs
}

/// A Rollout at rest, as `kubectl apply` made it: its manifest once more in an annotation.
pub fn rollout(nth: Nth) -> Value {
    let mut metadata = nth.meta(3, &nth.name());
    metadata["labels"] = labels();
    let hash = nth.hash();
    let spec = json!({
        "replicas": 3, "revisionHistoryLimit": 10, "selector": {"matchLabels": {"app": "checkout-service"}},
        "template": template(nth),
        "strategy": {"canary": {
            "canaryService": format!("{}-canary", nth.name()), "stableService": format!("{}-stable", nth.name()),
            "trafficRouting": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": nth.name()}}},
            "steps": [{"setWeight": 10}, {"pause": {"duration": "5m"}}, {"setWeight": 50}, {"pause": {}}],
        }},
    });
    let applied = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "spec": spec,
        "metadata": {"name": nth.name(), "namespace": nth.namespace()}});
    metadata["annotations"] = json!({"rollout.argoproj.io/revision": "10",
        "kubectl.kubernetes.io/last-applied-configuration": applied.to_string()});
    let condition = |kind: &str, reason: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": format!("{} is fine", nth.name()),
            "lastTransitionTime": "2026-11-20T09:15:20Z", "lastUpdateTime": "2026-11-20T09:15:20Z"})
    };
    let weight = |n: u32, part: &str| json!({"weight": n, "podTemplateHash": hash, "serviceName": format!("{}-{part}", nth.name())});
    let mut rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec,
        "status": {
            "HPAReplicas": 3, "replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "updatedReplicas": 3,
            "observedGeneration": "4", "phase": "Healthy", "stableRS": hash, "currentPodHash": hash,
            "currentStepHash": "7c9b5d8f6", "currentStepIndex": 4,
            "selector": format!("app=checkout-service,rollouts-pod-template-hash={hash}"), "blueGreen": {},
            "canary": {"weights": {"canary": weight(0, "canary"), "stable": weight(100, "stable")}},
            "conditions": [condition("Available", "AvailableReason"), condition("Healthy", "RolloutHealthy"),
                condition("Progressing", "NewReplicaSetAvailable"), condition("Completed", "RolloutCompleted")],
        },
    });
    let group = "argoproj.io/v1alpha1";
    managed(&mut rollout, &[("kubectl", group, &["spec"]), ("rollouts-controller", group, &["metadata", "status"])]);
    rollout
}

/// One of the two Services of a Rollout: part 0 is stable, 1 canary.
pub fn service(nth: Nth) -> Value {
    let name = format!("{}-{}", nth.name(), if nth.part == 0 { "stable" } else { "canary" });
    let mut metadata = nth.meta(4, &name);
    metadata["labels"] = labels();
    metadata["annotations"] = json!({"argo-rollouts.argoproj.io/managed-by-rollouts": nth.name()});
    let hash = Nth { part: 0, ..nth }.hash();
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": metadata,
        "spec": {"selector": {"app": "checkout-service", "rollouts-pod-template-hash": hash}, "type": "ClusterIP",
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}], "clusterIP": "10.96.4.7",
            "clusterIPs": ["10.96.4.7"], "ipFamilies": ["IPv4"], "sessionAffinity": "None"},
        "status": {"loadBalancer": {}},
    });
    managed(&mut service, &[("kubectl", "v1", &["metadata", "spec"])]);
    service
}

/// The endpoints of one of those Services.
pub fn slice(nth: Nth) -> Value {
    let service = format!("{}-{}", nth.name(), if nth.part == 0 { "stable" } else { "canary" });
    let mut metadata = nth.meta(5, &format!("{service}-8xk2d"));
    metadata["labels"] = labels();
    metadata["labels"]["kubernetes.io/service-name"] = json!(service);
    metadata["ownerReferences"] = nth.owner("Service", "v1", 4, &service);
    let endpoints: Vec<Value> = (0..3)
        .map(|n| {
            json!({"addresses": [format!("10.244.3.{n}")], "conditions": {"ready": true, "serving": true, "terminating": false},
                "nodeName": "ip-10-4-7-19.eu-central-1.compute.internal", "zone": "eu-central-1a",
                "targetRef": {"kind": "Pod", "name": format!("{}-x{n}", nth.name()), "namespace": nth.namespace(), "uid": nth.uid(n)}})
        })
        .collect();
    let mut slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
        "addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]});
    managed(&mut slice, &[("kube-controller-manager", "discovery.k8s.io/v1", &["metadata", "endpoints", "ports"])]);
    slice
}

/// The route of a Rollout.
pub fn route(nth: Nth) -> Value {
    let mut metadata = nth.meta(6, &nth.name());
    metadata["labels"] = labels();
    let backend = |part: &str, weight: u32| {
        json!({"group": "", "kind": "Service", "port": 80, "weight": weight,
        "name": format!("{}-{part}", nth.name())})
    };
    let accepted = |kind: &str| {
        json!({"type": kind, "status": "True", "reason": kind, "message": "", "observedGeneration": 4,
        "lastTransitionTime": "2026-11-20T09:15:20Z"})
    };
    let mut route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata,
        "spec": {
            "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web", "namespace": "infra"}],
            "hostnames": [format!("{}.example", nth.name())],
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [backend("stable", 100), backend("canary", 0)]}],
        },
        "status": {"parents": [{"controllerName": "gateway.example/controller", "parentRef": {"name": "web", "namespace": "infra"},
            "conditions": [accepted("Accepted"), accepted("ResolvedRefs")]}]},
    });
    managed(
        &mut route,
        &[
            ("kubectl", "gateway.networking.k8s.io/v1", &["metadata", "spec"]),
            ("gateway", "gateway.networking.k8s.io/v1", &["status"]),
        ],
    );
    route
}

/// An AnalysisRun that is over, with ten measurements of two metrics.
pub fn run(nth: Nth) -> Value {
    let mut metadata = nth.meta(7, &format!("{}-{}-{}-2", nth.name(), nth.hash(), nth.part));
    metadata["labels"] = json!({"rollout-type": "Step", "step-index": "2", "rollouts-pod-template-hash": nth.hash()});
    metadata["ownerReferences"] = nth.owner("Rollout", "argoproj.io/v1alpha1", 3, &nth.name());
    let metric = |name: &str| {
        json!({"name": name, "interval": "30s", "count": 10, "successCondition": "len(result) > 0 && result[0] >= 0.99",
            "failureLimit": 2, "provider": {"prometheus": {"address": "http://prometheus.monitoring.svc:9090",
                "query": format!("sum(rate(http_requests_total{{app=\"{}\",code!~\"5..\"}}[2m])) / sum(rate(http_requests_total{{app=\"{}\"}}[2m]))", nth.name(), nth.name())}}})
    };
    let result = |name: &str| {
        let measured: Vec<Value> = (0..10)
            .map(|n| {
                json!({"phase": "Successful", "value": "[0.9991]", "startedAt": format!("2026-11-20T09:1{n}:20Z"),
                "finishedAt": format!("2026-11-20T09:1{n}:20Z")})
            })
            .collect();
        json!({"name": name, "phase": "Successful", "count": 10, "successful": 10, "measurements": measured,
            "metadata": {"ResolvedPrometheusQuery": metric(name)["provider"]["prometheus"]["query"]}})
    };
    let names = ["success-rate", "latency-p99"];
    let mut run = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": metadata,
        "spec": {"metrics": names.map(metric), "args": [{"name": "service", "value": nth.name()}]},
        "status": {"phase": "Successful", "startedAt": "2026-11-20T09:10:20Z", "metricResults": names.map(result),
            "runSummary": {"count": 2, "successful": 2}, "dryRunSummary": {}},
    });
    managed(&mut run, &[("rollouts-controller", "argoproj.io/v1alpha1", &["metadata", "spec", "status"])]);
    debug_assert!(text(&run, "/metadata/name").contains(&nth.hash()));
    run
}
