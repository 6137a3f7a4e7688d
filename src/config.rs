//! Flags, environment and named limits of the controller: read once, passed down.

use std::time::Duration;

use clap::Args;

use crate::controller::app::Threads;
use crate::controller::caches::Scope;
use crate::rollout::Settings;
use crate::rollout::settings::{StatusDialect, Unclaimed, UnknownFields};
use crate::runtime::lease::Terms;
use crate::runtime::limiter::Limits;

/// Namespace of the default installation, and of the controller where nothing says another.
pub const DEFAULT_NAMESPACE: &str = "argo-rollouts";
/// Where a pod finds its namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Flags of the controller. Names and defaults are Argo's where Argo has them.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct ControllerFlags {
    /// Seconds between looks at a Rollout at rest.
    #[arg(long, default_value_t = 900)]
    pub rollout_resync: u64,
    /// Only the namespace of the kubeconfig or of the pod.
    #[arg(long)]
    pub namespaced: bool,
    /// Format of log lines: text or json.
    #[arg(long, default_value = "")]
    pub logformat: String,
    /// Port of /metrics.
    #[arg(long = "metricsPort", alias = "metricsport", default_value_t = 8090)]
    pub metrics_port: u16,
    /// Port of /healthz and /readyz.
    #[arg(long = "healthzPort", default_value_t = 8080)]
    pub healthz_port: u16,
    /// Only objects whose label argo-rollouts.argoproj.io/controller-instance-id has this value.
    #[arg(long, default_value = "")]
    pub instance_id: String,
    /// Requests to the API server a second, in the long run.
    #[arg(long, default_value_t = 40.0)]
    pub qps: f64,
    /// Requests to the API server at once, after a quiet time.
    #[arg(long, default_value_t = 80)]
    pub burst: u32,
    /// Workers for Rollouts.
    #[arg(long, default_value_t = 10)]
    pub rollout_threads: usize,
    /// Workers for AnalysisRuns.
    #[arg(long, default_value_t = 30)]
    pub analysis_threads: usize,
    /// Workers for Services that are given back once no Rollout names them.
    #[arg(long, default_value_t = 10)]
    pub service_threads: usize,
    /// Pods whose labels and annotations (canaryMetadata and the like) one plan writes; the rest follows with the next.
    #[arg(long, default_value_t = 10)]
    pub ephemeral_metadata_threads: usize,
    /// Accepted as in Argo Rollouts; a write that fails is repeated, with the back-off of its Rollout, until it succeeds.
    #[arg(long, default_value_t = 3)]
    pub ephemeral_metadata_update_pod_retries: u32,
    /// Contend for the lease before working; false: this is the only replica.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub leader_elect: bool,
    /// How long a rival waits before it takes a lease over (Go duration).
    #[arg(long, default_value = "15s", value_parser = go_duration)]
    pub leader_election_lease_duration: Duration,
    /// How long a leader goes on without renewing (Go duration).
    #[arg(long, default_value = "10s", value_parser = go_duration)]
    pub leader_election_renew_deadline: Duration,
    /// Time between attempts at the lease (Go duration).
    #[arg(long, default_value = "2s", value_parser = go_duration)]
    pub leader_election_retry_period: Duration,
    /// Siskin: refuse Rollouts with fields that nothing reads, instead of warning.
    #[arg(long)]
    pub strict: bool,
    /// Siskin: write status.observedGeneration as a number, with conditions Ready, Reconciling and Stalled, for tools that
    /// wait by kstatus (Flux, Helm 4 --wait). Needs Siskin's definitions; Argo's Go clients need the default.
    #[arg(long)]
    pub kstatus: bool,
    /// Siskin: wait for an implementation to acknowledge routes, even where none has ever shown itself.
    #[arg(long)]
    pub require_acknowledgement: bool,
    /// Siskin: time between a route's acknowledgement and trust in it (Go duration).
    #[arg(long, default_value = "5s", value_parser = go_duration)]
    pub route_grace: Duration,
    /// Siskin: address of Prometheus for metrics that name none.
    #[arg(long, env = "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS", default_value = "", hide_env_values = true)]
    pub prometheus_address: String,
    /// Siskin: namespace of the lease; the default is that of the pod, then argo-rollouts.
    #[arg(long, env = "POD_NAMESPACE")]
    pub controller_namespace: Option<String>,
    /// Flags of Argo Rollouts for what is not there.
    #[command(flatten)]
    pub without_effect: WithoutEffect,
}

/// Flags of Argo Rollouts that set something up which Siskin does not carry out: charts that give them keep working,
/// and the log says that they do nothing. What they are about is refused where a Rollout asks for it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct WithoutEffect {
    /// No effect: there are no Experiments yet.
    #[arg(long)]
    pub experiment_threads: Option<usize>,
    /// No effect: there is no router of Ingresses yet.
    #[arg(long)]
    pub ingress_threads: Option<usize>,
    /// No effect: there is no AWS ALB yet.
    #[arg(long)]
    pub aws_target_group_binding_api_version: Option<String>,
    /// No effect: there is no AWS ALB yet.
    #[arg(long)]
    pub alb_tag_key_resource_id: Option<String>,
    /// No effect: there is no AWS ALB yet.
    #[arg(long, action = clap::ArgAction::Append, value_delimiter = ',')]
    pub alb_ingress_classes: Vec<String>,
    /// No effect: there is no AWS ALB yet.
    #[arg(long, alias = "alb-verify-weight", num_args = 0..=1, default_missing_value = "true")]
    pub aws_verify_target_group: Option<bool>,
    /// No effect: there is no nginx yet.
    #[arg(long, action = clap::ArgAction::Append, value_delimiter = ',')]
    pub nginx_ingress_classes: Vec<String>,
    /// No effect: there is no Istio yet.
    #[arg(long)]
    pub istio_api_version: Option<String>,
    /// No effect: there is no Ambassador yet.
    #[arg(long)]
    pub ambassador_api_version: Option<String>,
    /// No effect: there is no SMI yet.
    #[arg(long)]
    pub traffic_split_api_version: Option<String>,
    /// No effect: there is no Traefik yet.
    #[arg(long)]
    pub traefik_api_group: Option<String>,
    /// No effect: there is no Traefik yet.
    #[arg(long)]
    pub traefik_api_version: Option<String>,
    /// No effect: there are no notifications yet.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub self_service_notification_enabled: Option<bool>,
    /// No effect: there is no profiler in the process.
    #[arg(long)]
    pub enable_pprof_address: Option<String>,
}

impl WithoutEffect {
    /// Those that were given.
    pub fn given(&self) -> Vec<&'static str> {
        let flags = [
            ("--experiment-threads", self.experiment_threads.is_some()),
            ("--ingress-threads", self.ingress_threads.is_some()),
            ("--aws-target-group-binding-api-version", self.aws_target_group_binding_api_version.is_some()),
            ("--alb-tag-key-resource-id", self.alb_tag_key_resource_id.is_some()),
            ("--alb-ingress-classes", !self.alb_ingress_classes.is_empty()),
            ("--aws-verify-target-group", self.aws_verify_target_group.is_some()),
            ("--nginx-ingress-classes", !self.nginx_ingress_classes.is_empty()),
            ("--istio-api-version", self.istio_api_version.is_some()),
            ("--ambassador-api-version", self.ambassador_api_version.is_some()),
            ("--traffic-split-api-version", self.traffic_split_api_version.is_some()),
            ("--traefik-api-group", self.traefik_api_group.is_some()),
            ("--traefik-api-version", self.traefik_api_version.is_some()),
            ("--self-service-notification-enabled", self.self_service_notification_enabled.is_some()),
            ("--enable-pprof-address", self.enable_pprof_address.is_some()),
        ];
        flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
    }
}

fn go_duration(text: &str) -> Result<Duration, String> {
    let parsed = crate::api::GoDuration::parse(text).map_err(|error| format!("{error}; write 15s or 1m30s"))?;
    if parsed.0 < 0 { Err("a time may not be negative; write 15s or 1m30s".to_owned()) } else { Ok(parsed.to_std()) }
}

impl ControllerFlags {
    /// What decisions depend on.
    pub fn settings(&self) -> Settings {
        Settings {
            resync: Duration::from_secs(self.rollout_resync.max(1)),
            route_grace: self.route_grace,
            unclaimed: if self.require_acknowledgement { Unclaimed::Refused } else { Unclaimed::Tolerated },
            pods_per_plan: self.ephemeral_metadata_threads.max(1),
            dialect: if self.kstatus { StatusDialect::Kstatus } else { StatusDialect::Argo },
            unknown_fields: if self.strict { UnknownFields::Refused } else { UnknownFields::Warned },
            ..Settings::default()
        }
    }

    /// Which part of the cluster is looked at; `namespace` is that of the connection.
    pub fn scope(&self, namespace: &str) -> Scope {
        Scope { namespace: self.namespaced.then(|| namespace.to_owned()), instance_id: self.instance_id.clone() }
    }

    /// Keys that are worked on at once.
    pub const fn threads(&self) -> Threads {
        Threads { rollouts: self.rollout_threads, runs: self.analysis_threads, services: self.service_threads }
    }

    /// Limits of requests.
    pub fn limits(&self) -> Limits {
        Limits { qps: self.qps, burst: self.burst.max(1), ..Limits::default() }
    }

    /// Lengths of leadership.
    pub const fn terms(&self) -> Terms {
        Terms {
            lease: self.leader_election_lease_duration,
            renew_deadline: self.leader_election_renew_deadline,
            retry: self.leader_election_retry_period,
        }
    }

    /// Name of the lease: Argo's, so that the two controllers exclude each other.
    pub fn lease_name(&self) -> String {
        let name = crate::api::names::LEASE;
        if self.instance_id.is_empty() { name.to_owned() } else { format!("{name}-{}", self.instance_id) }
    }

    /// Namespace of the controller.
    pub fn namespace(&self) -> String {
        let own = || std::fs::read_to_string(NAMESPACE_FILE).ok().map(|text| text.trim().to_owned());
        let given = self.controller_namespace.clone().filter(|namespace| !namespace.is_empty());
        given.or_else(own).unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())
    }
}
