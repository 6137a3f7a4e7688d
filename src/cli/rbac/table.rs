//! The table of rights, and the objects made from it.
//!
//! Least privilege: the default role holds what the built-in paths need and no more. There is no cluster-wide right to
//! Secrets, and each further router is a role of its own.

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::suggest::nearest;

/// Name of the account, role and binding; other tools bind roles to this account.
pub const NAME: &str = "argo-rollouts";
/// Namespace of the default installation.
pub const NAMESPACE: &str = crate::config::DEFAULT_NAMESPACE;

/// A file of the default installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RbacFile {
    /// File name.
    pub name: &'static str,
    /// YAML text.
    pub text: String,
}

/// One line of the table: why, API groups, resources, verbs.
struct Right {
    /// What it is needed for.
    why: &'static str,
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    /// The objects that it is about; all where it is empty.
    names: &'static [&'static str],
}

impl Right {
    /// Narrows it to objects of these names.
    const fn only(mut self, names: &'static [&'static str]) -> Self {
        self.names = names;
        self
    }
}

const fn right(
    why: &'static str,
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
) -> Right {
    Right { why, groups, resources, verbs, names: &[] }
}

const READ: &[&str] = &["get", "list", "watch"];
const OURS: &[&str] = &["argoproj.io"];

/// What every installation needs.
const CONTROLLER: &[Right] = &[
    right(
        "Rollouts: their record is a status patch; spec.replicas is stored once where it is absent",
        OURS,
        &["rollouts", "rollouts/status", "rollouts/finalizers"],
        &["get", "list", "watch", "update", "patch"],
    ),
    right(
        "children of a Rollout; finalizers, so that owner references may block deletion",
        OURS,
        &["analysisruns", "analysisruns/finalizers", "experiments", "experiments/finalizers"],
        &["create", "get", "list", "watch", "update", "patch", "delete"],
    ),
    right("templates are only read", OURS, &["analysistemplates", "clusteranalysistemplates"], READ),
    right("revisions", &["apps"], &["replicasets"], &["create", "get", "list", "watch", "update", "patch", "delete"]),
    right(
        "workloadRef: read the template, scale the workload down",
        &["apps"],
        &["deployments"],
        &["get", "list", "watch", "patch"],
    ),
    right("workloadRef: read the template", &[""], &["podtemplates"], READ),
    right(
        "selectors of Services; Services of Experiments",
        &[""],
        &["services"],
        &["get", "list", "watch", "patch", "create", "delete"],
    ),
    right(
        "readiness of pods; labels and annotations of their role",
        &[""],
        &["pods"],
        &["get", "list", "watch", "update", "patch"],
    ),
    right("restarts respect disruption budgets", &[""], &["pods/eviction"], &["create"]),
    right("which endpoints a data plane can reach", &["discovery.k8s.io"], &["endpointslices"], READ),
    right("what happened, for people", &["", "events.k8s.io"], &["events"], &["create", "update", "patch"]),
    right("job metrics", &["batch"], &["jobs"], &["create", "get", "list", "watch", "update", "patch", "delete"]),
    right(
        "weights and header routes of the Gateway API",
        &["gateway.networking.k8s.io"],
        &["httproutes", "grpcroutes", "tcproutes", "tlsroutes"],
        &["get", "list", "watch", "update", "patch"],
    ),
    right(
        "whether the installed definition of Rollouts keeps status.siskin; without it, waits begin anew after a restart",
        &["apiextensions.k8s.io"],
        &["customresourcedefinitions"],
        &["get"],
    )
    .only(&[crate::controller::definition::ROLLOUTS]),
];

/// What is needed in the controller's own namespace alone.
const OWN_NAMESPACE: &[Right] = &[
    right("leader election", &["coordination.k8s.io"], &["leases"], &["create", "get", "update", "patch"]),
    right("its configuration and its notifications", &[""], &["configmaps"], READ),
    right("credentials of its notifications", &[""], &["secrets"], READ),
];

/// Rights that are granted one by one, cluster-wide.
const OPTIONAL: &[(&str, &[Right])] = &[
    (
        "istio",
        &[right(
            "Istio",
            &["networking.istio.io"],
            &["virtualservices", "destinationrules"],
            &["get", "list", "watch", "update", "patch"],
        )],
    ),
    (
        "ingress",
        &[right(
            "NGINX and other Ingress controllers",
            &["networking.k8s.io"],
            &["ingresses"],
            &["create", "get", "list", "watch", "update", "patch", "delete"],
        )],
    ),
    (
        "alb",
        &[
            right(
                "AWS load balancers",
                &["networking.k8s.io"],
                &["ingresses"],
                &["get", "list", "watch", "update", "patch"],
            ),
            right(
                "AWS target groups",
                &["elbv2.k8s.aws", "eks.amazonaws.com"],
                &["targetgroupbindings"],
                &["get", "list"],
            ),
        ],
    ),
    (
        "smi",
        &[right(
            "Service Mesh Interface",
            &["split.smi-spec.io"],
            &["trafficsplits"],
            &["create", "get", "watch", "update", "patch"],
        )],
    ),
    (
        "ambassador",
        &[right(
            "Ambassador",
            &["getambassador.io", "x.getambassador.io"],
            &["mappings", "ambassadormappings"],
            &["create", "get", "list", "watch", "update", "delete"],
        )],
    ),
    (
        "appmesh",
        &[
            right("AWS App Mesh", &["appmesh.k8s.aws"], &["virtualservices"], READ),
            right(
                "AWS App Mesh",
                &["appmesh.k8s.aws"],
                &["virtualnodes", "virtualrouters"],
                &["get", "list", "watch", "update", "patch"],
            ),
        ],
    ),
    (
        "traefik",
        &[right(
            "Traefik",
            &["traefik.containo.us", "traefik.io"],
            &["traefikservices"],
            &["get", "watch", "update", "patch"],
        )],
    ),
    (
        "apisix",
        &[right(
            "Apache APISIX",
            &["apisix.apache.org"],
            &["apisixroutes"],
            &["create", "get", "watch", "update", "delete"],
        )],
    ),
];

/// The opt-in that is bound to one namespace.
const SECRETS: &str = "secrets";
const SECRET_RIGHTS: &[Right] =
    &[right("arguments of analyses that come from Secrets; credentials of providers", &[""], &["secrets"], READ)];

const SEE: &[&str] =
    &["rollouts", "rollouts/scale", "experiments", "analysistemplates", "clusteranalysistemplates", "analysisruns"];
const STEER: &[&str] = &[
    "rollouts",
    "rollouts/scale",
    "rollouts/status",
    "experiments",
    "analysistemplates",
    "clusteranalysistemplates",
    "analysisruns",
];
const EVERYTHING: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

fn labels() -> Value {
    json!({
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/part-of": "argo-rollouts",
        "app.kubernetes.io/component": "rollouts-controller",
    })
}

fn rules(rights: &[Right]) -> Value {
    let rule = |right: &Right| {
        let mut rule = json!({"apiGroups": right.groups, "resources": right.resources, "verbs": right.verbs});
        if !right.names.is_empty() {
            rule["resourceNames"] = json!(right.names);
        }
        rule
    };
    rights.iter().map(rule).collect()
}

/// The reasons stand above the rules, in their order: YAML that is generated cannot hold them in between.
fn commented(rights: &[Right], object: &Value) -> Result<String, Failure> {
    let mut text = String::from("# Generated by `siskin rbac`. The rules, in their order, are for:\n");
    for right in rights {
        text.extend(["# - ", right.why, "\n"]);
    }
    Ok(text + &yaml(object)?)
}

fn yaml(object: &Value) -> Result<String, Failure> {
    serde_saphyr::to_string(object).map_err(|error| Failure::new(format!("cannot write a role as YAML: {error}")))
}

fn role(kind: &str, meta: &Value, rights: &[Right]) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta, "rules": rules(rights)})
}

fn binding(kind: &str, meta: &Value, role_kind: &str, role: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    })
}

/// A cluster role that extends one of the cluster's own.
fn aggregated(to: &str, resources: &[&str], verbs: &[&str]) -> Value {
    let labels = json!({
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/part-of": "argo-rollouts",
        "app.kubernetes.io/component": "aggregate-cluster-role",
        format!("rbac.authorization.k8s.io/aggregate-to-{to}"): "true",
    });
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": format!("argo-rollouts-aggregate-to-{to}"), "labels": labels},
        "rules": [{"apiGroups": OURS, "resources": resources, "verbs": verbs}],
    })
}

/// The files of the default installation.
///
/// # Errors
/// When an object cannot be written as YAML.
pub fn files() -> Result<Vec<RbacFile>, Failure> {
    let meta = || json!({"name": NAME, "labels": labels()});
    let own = || json!({"name": NAME, "namespace": NAMESPACE, "labels": labels()});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": own()});
    let roles =
        [aggregated("view", SEE, READ), aggregated("edit", STEER, EVERYTHING), aggregated("admin", STEER, EVERYTHING)];
    let roles = roles.iter().map(yaml).collect::<Result<Vec<_>, _>>()?.join("---\n");
    let head = "# Generated by `siskin rbac`.\n";
    Ok(vec![
        RbacFile { name: "service-account.yaml", text: format!("{head}{}", yaml(&account)?) },
        RbacFile { name: "cluster-role.yaml", text: commented(CONTROLLER, &role("ClusterRole", &meta(), CONTROLLER))? },
        RbacFile {
            name: "cluster-role-binding.yaml",
            text: format!("{head}{}", yaml(&binding("ClusterRoleBinding", &meta(), "ClusterRole", NAME))?),
        },
        RbacFile { name: "role.yaml", text: commented(OWN_NAMESPACE, &role("Role", &own(), OWN_NAMESPACE))? },
        RbacFile {
            name: "role-binding.yaml",
            text: format!("{head}{}", yaml(&binding("RoleBinding", &own(), "Role", NAME))?),
        },
        RbacFile { name: "aggregate-roles.yaml", text: format!("{head}{roles}") },
    ])
}

/// A role that is granted on its own, with its binding. Secrets need a namespace.
pub(super) fn optional(name: &str, namespace: Option<&str>) -> Result<String, Failure> {
    let full = format!("{NAME}-{name}");
    if name == SECRETS {
        let namespace = namespace.ok_or_else(|| {
            Failure::new("Secrets are granted namespace by namespace")
                .next("Name one: siskin rbac --with secrets -n NAMESPACE")
        })?;
        let meta = || json!({"name": full, "namespace": namespace, "labels": labels()});
        let role = commented(SECRET_RIGHTS, &role("Role", &meta(), SECRET_RIGHTS))?;
        return Ok(format!("{role}---\n{}", yaml(&binding("RoleBinding", &meta(), "Role", &full))?));
    }
    let Some((_, rights)) = OPTIONAL.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = OPTIONAL.iter().map(|(name, _)| *name).chain([SECRETS]).collect();
        let failure = Failure::new(format!("unknown role {name:?}")).next(format!("Known: {}", known.join(", ")));
        return Err(match nearest(name, known.iter().copied()) {
            Some(meant) => failure.next(format!("Did you mean {meant:?}?")),
            None => failure,
        });
    };
    let meta = || json!({"name": full, "labels": labels()});
    let role = commented(rights, &role("ClusterRole", &meta(), rights))?;
    Ok(format!("{role}---\n{}", yaml(&binding("ClusterRoleBinding", &meta(), "ClusterRole", &full))?))
}

#[cfg(test)]
mod tests;
