//! What Siskin does not carry out yet. It is refused by name, never ignored: a metric that is not measured as written
//! must not decide about traffic.

use crate::api::analysis::Metric;
use crate::api::metric_provider::{MetricProvider, PrometheusMetric, Sigv4};

/// Hosts with this in their name take only requests that AWS credentials sign.
const AWS_HOST_MARK: &str = "aps-workspaces";

/// Which field of `metric` (substituted) cannot be carried out; `None`: all can.
pub fn unsupported(metric: &Metric) -> Option<String> {
    let name = &metric.name;
    if let Some(field) = other_provider(&metric.provider) {
        return Some(format!("metric '{name}': provider.{field} is not supported yet: use provider.prometheus"));
    }
    let field = prometheus_field(metric.provider.prometheus.as_ref()?)?;
    Some(format!("metric '{name}': provider.prometheus.{field} is not supported yet: sign the requests in a proxy"))
}

fn other_provider(provider: &MetricProvider) -> Option<String> {
    let set = [
        ("kayenta", provider.kayenta.is_some()),
        ("web", provider.web.is_some()),
        ("datadog", provider.datadog.is_some()),
        ("wavefront", provider.wavefront.is_some()),
        ("newRelic", provider.new_relic.is_some()),
        ("job", provider.job.is_some()),
        ("cloudWatch", provider.cloud_watch.is_some()),
        ("graphite", provider.graphite.is_some()),
        ("influxdb", provider.influxdb.is_some()),
        ("skywalking", provider.skywalking.is_some()),
    ];
    if let Some((field, _)) = set.into_iter().find(|(_, set)| *set) {
        return Some(field.to_owned());
    }
    let plugin = provider.plugin.as_ref()?.keys().next()?;
    Some(format!("plugin['{plugin}']"))
}

fn prometheus_field(prometheus: &PrometheusMetric) -> Option<&'static str> {
    let signed = prometheus.authentication.as_ref().and_then(|who| who.sigv4.as_ref());
    // An empty object is how other writers print the absence of it.
    if signed.is_some_and(|sigv4| *sigv4 != Sigv4::default()) {
        return Some("authentication.sigv4");
    }
    prometheus.address.contains(AWS_HOST_MARK).then_some("address (Amazon Managed Prometheus)")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(provider: &serde_json::Value) -> Option<String> {
        unsupported(&serde_json::from_value(json!({"name": "m", "provider": provider})).unwrap())
    }

    #[test]
    fn names_metric_and_field() {
        let refused = [
            (json!({"web": {"url": "u"}}), "provider.web "),
            (json!({"job": {"spec": {}}}), "provider.job "),
            (json!({"plugin": {"a/b": {}}}), "provider.plugin['a/b'] "),
            (json!({"prometheus": {"authentication": {"sigv4": {"region": "x"}}}}), "authentication.sigv4 "),
            (json!({"prometheus": {"address": "https://aps-workspaces.x"}}), "prometheus.address "),
        ];
        for (provider, field) in refused {
            let text = refusal(&provider).unwrap();
            assert!(text.starts_with("metric 'm': ") && text.contains(field), "{text}");
        }
        assert_eq!(refusal(&json!({"prometheus": {"query": "q", "authentication": {"sigv4": {}}}})), None);
        assert_eq!(refusal(&json!({"prometheus": {"rangeQuery": {"start": "now()"}}})), None);
    }
}
