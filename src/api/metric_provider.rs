//! Settings of the metric providers. The contract's section 6 says what each does with them.

use std::collections::BTreeMap;

use super::intstr::IntOrString;
use super::raw::RawJson;
use super::wire::{Omit, Written, wire};

wire! {
    /// Where a metric's numbers come from: exactly one of the fields.
    pub struct MetricProvider {
        /// Prometheus.
        pub prometheus: Option<Box<PrometheusMetric>>,
        /// Kayenta.
        pub kayenta: Option<Box<KayentaMetric>>,
        /// An HTTP endpoint that answers JSON.
        pub web: Option<Box<WebMetric>>,
        /// Datadog.
        pub datadog: Option<Box<DatadogMetric>>,
        /// Wavefront.
        pub wavefront: Option<Box<WavefrontMetric>>,
        /// New Relic.
        pub new_relic: Option<Box<NewRelicMetric>>,
        /// A Kubernetes Job.
        pub job: Option<Box<JobMetric>>,
        /// AWS CloudWatch.
        pub cloud_watch: Option<Box<CloudWatchMetric>>,
        /// Graphite.
        pub graphite: Option<Box<GraphiteMetric>>,
        /// InfluxDB.
        pub influxdb: Option<Box<InfluxdbMetric>>,
        /// Apache SkyWalking.
        pub skywalking: Option<Box<SkyWalkingMetric>>,
        /// Providers by plugin name.
        pub plugin: Option<BTreeMap<String, RawJson>>,
    }

    /// A PromQL query.
    pub struct PrometheusMetric {
        /// Base URL of the server.
        pub address: String,
        /// The query.
        pub query: String,
        /// Who asks.
        pub authentication: Option<Authentication>,
        /// Seconds; absent counts as 30.
        pub timeout: Option<i64>,
        /// Accept any certificate.
        pub insecure: bool,
        /// Headers of the request.
        pub headers: Vec<WebMetricHeader>,
        /// Ask for a range instead of an instant.
        pub range_query: Option<PrometheusRangeQuery>,
    }

    /// A range of time; the expressions yield times.
    pub struct PrometheusRangeQuery {
        /// Beginning.
        pub start: String,
        /// End.
        pub end: String,
        /// Distance of the samples (Go duration).
        pub step: String,
    }

    /// Who asks a provider.
    pub struct Authentication {
        /// AWS request signing.
        pub sigv4: Option<Sigv4>,
        /// OAuth2 client credentials.
        pub oauth2: Option<Oauth2>,
        /// User and password.
        pub basic_auth: Option<BasicAuth>,
    }

    /// User and password.
    pub struct BasicAuth {
        /// The user.
        pub username: String,
        /// The password.
        pub password: String,
    }

    /// AWS request signing.
    pub struct Sigv4 {
        /// Region.
        pub region: String,
        /// Profile.
        pub profile: String,
        /// Role.
        #[serde(rename = "roleArn")]
        pub role_arn: String,
    }

    /// OAuth2 client credentials.
    pub struct Oauth2 {
        /// Where tokens are issued.
        pub token_url: String,
        /// Client.
        pub client_id: String,
        /// Its secret.
        pub client_secret: String,
        /// Scopes asked for.
        pub scopes: Vec<String>,
    }

    /// An HTTP request.
    pub struct WebMetric {
        /// `GET`, `POST` or `PUT`; absent counts as `GET`.
        pub method: String,
        /// The URL.
        pub url: String,
        /// Headers of the request.
        pub headers: Vec<WebMetricHeader>,
        /// Body of the request, as text.
        pub body: String,
        /// Seconds; absent counts as 10.
        pub timeout_seconds: i64,
        /// Where the value is in the answer.
        pub json_path: String,
        /// Accept any certificate.
        pub insecure: bool,
        /// Body of the request, as JSON.
        pub json_body: RawJson,
        /// Who asks.
        pub authentication: Option<Authentication>,
    }

    /// A header of a request.
    pub struct WebMetricHeader {
        /// Its name.
        pub key: String,
        /// Its value.
        pub value: String,
    }

    /// A Job whose outcome is the measurement.
    pub struct JobMetric {
        /// Labels and annotations of the Job.
        pub metadata: RawJson,
        /// The Job's specification.
        pub spec: RawJson,
    }

    /// A canary judgement by Kayenta.
    pub struct KayentaMetric {
        /// Base URL.
        pub address: String,
        /// Application.
        pub application: String,
        /// Configuration to use.
        pub canary_config_name: String,
        /// Account of the metrics.
        pub metrics_account_name: String,
        /// Account of the configuration.
        pub configuration_account_name: String,
        /// Account of the storage.
        pub storage_account_name: String,
        /// Scores that pass.
        pub threshold: KayentaThreshold,
        /// What is compared.
        pub scopes: Vec<KayentaScope>,
        /// Whether scopes without a start look back from now.
        pub lookback: bool,
    }

    /// Scores that pass.
    pub struct KayentaThreshold {
        /// From here on a success.
        pub pass: Written<i64>,
        /// From here on inconclusive.
        pub marginal: Written<i64>,
    }

    /// What is compared.
    pub struct KayentaScope {
        /// Its name.
        pub name: String,
        /// The stable side.
        pub control_scope: KayentaScopeDetail,
        /// The canary's side.
        pub experiment_scope: KayentaScopeDetail,
    }

    /// One side of a comparison.
    pub struct KayentaScopeDetail {
        /// Scope.
        pub scope: String,
        /// Region.
        pub region: String,
        /// Seconds between samples.
        pub step: i64,
        /// Beginning.
        pub start: String,
        /// End.
        pub end: String,
    }

    /// A Datadog query.
    pub struct DatadogMetric {
        /// How far the query looks back (Go duration); absent counts as 5 minutes.
        pub interval: String,
        /// The query.
        pub query: String,
        /// Several queries by name.
        pub queries: BTreeMap<String, String>,
        /// How they are combined.
        pub formula: String,
        /// `v1` or `v2`; absent counts as `v1`.
        pub api_version: String,
        /// How samples become one number.
        pub aggregator: String,
        /// Where the credentials are.
        pub secret_ref: Option<DatadogSecretRef>,
        /// Time-out (Go duration); absent counts as 10 seconds.
        pub request_timeout: String,
    }

    /// Where Datadog's credentials are.
    pub struct DatadogSecretRef {
        /// The Secret.
        pub name: String,
        /// Whether it is in the run's namespace.
        pub namespaced: bool,
    }

    /// A Wavefront query.
    pub struct WavefrontMetric {
        /// Server.
        pub address: String,
        /// The query.
        pub query: String,
    }

    /// A New Relic query.
    pub struct NewRelicMetric {
        /// Secret with the credentials.
        pub profile: String,
        /// The query.
        pub query: String,
        /// Seconds; absent counts as 5.
        pub timeout: Option<i64>,
    }

    /// CloudWatch queries.
    pub struct CloudWatchMetric {
        /// How far the queries look back (Go duration).
        pub interval: String,
        /// The queries.
        pub metric_data_queries: Vec<CloudWatchQuery>,
    }

    /// One CloudWatch query.
    pub struct CloudWatchQuery {
        /// Its name.
        pub id: String,
        /// A formula.
        pub expression: Option<String>,
        /// Its label.
        pub label: Option<String>,
        /// A statistic.
        pub metric_stat: Option<CloudWatchStat>,
        /// Seconds between samples.
        pub period: Option<IntOrString>,
        /// Whether its data is returned.
        pub return_data: Option<bool>,
    }

    /// A statistic of a CloudWatch metric.
    pub struct CloudWatchStat {
        /// The metric.
        pub metric: CloudWatchMetricName,
        /// Seconds between samples.
        pub period: Option<IntOrString>,
        /// Which statistic.
        pub stat: String,
        /// Unit.
        pub unit: String,
    }

    /// A CloudWatch metric.
    pub struct CloudWatchMetricName {
        /// Dimensions.
        pub dimensions: Vec<CloudWatchDimension>,
        /// Name.
        pub metric_name: String,
        /// Namespace.
        pub namespace: Option<String>,
    }

    /// A dimension of a CloudWatch metric.
    pub struct CloudWatchDimension {
        /// Its name.
        pub name: String,
        /// Its value.
        pub value: String,
    }

    /// A Graphite query.
    pub struct GraphiteMetric {
        /// Server.
        pub address: String,
        /// The query.
        pub query: String,
    }

    /// A Flux query.
    pub struct InfluxdbMetric {
        /// Secret with the credentials.
        pub profile: String,
        /// The query.
        pub query: String,
    }

    /// A SkyWalking query.
    pub struct SkyWalkingMetric {
        /// Server.
        pub address: String,
        /// The query.
        pub query: String,
        /// How far it looks back (Go duration).
        pub interval: String,
    }
}

macro_rules! always_written {
    ($($type:ty),*) => {$(impl Omit for $type {
        fn omit(&self) -> bool {
            false
        }
    })*};
}
always_written!(KayentaThreshold, KayentaScopeDetail, CloudWatchMetricName);
