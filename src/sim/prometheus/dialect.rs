//! Names that other systems give to what the model counts: a mesh, a gateway and a library each have their own for
//! requests and their labels. A query in one of these dialects is answered as if it were in the model's own words, and
//! whatever the model has nothing for is named.

use regex::Regex;

use super::parse::{Expr, ParseError, Selector, Test, parse};

/// Metrics that count requests.
const REQUESTS: &[&str] = &[
    "http_requests_total",
    "http_server_requests_seconds_count",
    "istio_requests_total",
    "nginx_ingress_controller_requests",
    "traefik_service_requests_total",
    "envoy_cluster_upstream_rq",
    "response_total",
    "request_total",
    "requests_total",
];
/// Histograms of seconds, without the ending.
const DURATIONS: &[&str] = &[
    "http_request_duration_seconds",
    "http_server_requests_seconds",
    "nginx_ingress_controller_request_duration_seconds",
];
/// Endings of a histogram's series.
const ENDINGS: [&str; 3] = ["_bucket", "_sum", "_count"];
/// Labels with one meaning each, the model's own first.
const LABELS: &[(&str, &[&str])] = &[
    ("code", &["code", "status", "status_code", "response_code", "http_status", "http_code", "envoy_response_code"]),
    (
        "service",
        &["service", "service_name", "exported_service", "destination_service_name", "destination_service", "svc"],
    ),
    ("version", &["version", "app_version", "destination_version"]),
    ("rollouts_pod_template_hash", &["rollouts_pod_template_hash", "pod_template_hash"]),
    ("le", &["le"]),
];
/// Labels that hold the namespace.
const NAMESPACES: &[&str] = &[
    "namespace",
    "exported_namespace",
    "kubernetes_namespace",
    "destination_service_namespace",
    "destination_workload_namespace",
];
/// The label that holds a Service with its namespace and the cluster's domain.
const QUALIFIED: &str = "destination_service";

/// What a query asks for and the model has not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// The text is beyond what the model reads.
    Syntax(String),
    /// There are no such series: the answer has none of them.
    Metric(String),
    /// The series have no such label: what the query says of it is left out.
    Label(String),
}

/// A query in the model's own words.
pub(crate) fn translate(query: &str, namespace: &str) -> Result<(Expr, Vec<Gap>), ParseError> {
    let mut expr = parse(query)?;
    let mut gaps = Vec::new();
    rename(&mut expr, namespace, &mut gaps);
    gaps.sort();
    gaps.dedup();
    Ok((expr, gaps))
}

fn rename(expr: &mut Expr, namespace: &str, gaps: &mut Vec<Gap>) {
    match expr {
        Expr::Number(_) | Expr::Vector(_) => {}
        Expr::Instant(selector) | Expr::Rate(selector, _) | Expr::Increase(selector, _) => {
            rename_selector(selector, namespace, gaps);
        }
        Expr::Quantile(_, inner) => rename(inner, namespace, gaps),
        Expr::Aggregate(_, by, inner) => {
            for label in by {
                if let Some(own) = own_label(label) {
                    own.clone_into(label);
                }
            }
            rename(inner, namespace, gaps);
        }
        Expr::Binary(left, _, right) => {
            rename(left, namespace, gaps);
            rename(right, namespace, gaps);
        }
    }
}

fn rename_selector(selector: &mut Selector, namespace: &str, gaps: &mut Vec<Gap>) {
    let Some(own) = own_metric(&selector.metric) else {
        gaps.push(Gap::Metric(selector.metric.clone()));
        return;
    };
    selector.metric = own;
    let tests = std::mem::take(&mut selector.tests);
    for (label, test) in tests {
        if NAMESPACES.contains(&label.as_str()) {
            // All users of a simulation are in one namespace: another one has no series.
            if !test.holds(namespace) {
                selector.tests.push(("code".to_owned(), Test::Equal("none".to_owned())));
            }
            continue;
        }
        match own_label(&label) {
            Some(own) if label == QUALIFIED => selector.tests.push((own.to_owned(), short(test, namespace))),
            Some(own) => selector.tests.push((own.to_owned(), test)),
            None => gaps.push(Gap::Label(label)),
        }
    }
}

fn own_metric(name: &str) -> Option<String> {
    if REQUESTS.contains(&name) {
        return REQUESTS.first().map(|&own| own.to_owned());
    }
    let (family, ending) = ENDINGS.iter().find_map(|ending| Some((name.strip_suffix(ending)?, ending)))?;
    let own = DURATIONS.first().filter(|_| DURATIONS.contains(&family))?;
    Some(format!("{own}{ending}"))
}

fn own_label(name: &str) -> Option<&'static str> {
    LABELS.iter().find(|(_, names)| names.contains(&name)).map(|(own, _)| *own)
}

/// A test of a Service's whole name as one of its first part.
fn short(test: Test, namespace: &str) -> Test {
    let cut = |name: String| name.split('.').next().unwrap_or_default().to_owned();
    let domain = format!(".{namespace}.svc.cluster.local");
    match test {
        Test::Equal(name) => Test::Equal(cut(name)),
        Test::NotEqual(name) => Test::NotEqual(cut(name)),
        Test::Like(pattern) => Test::Like(Qualified::of(&pattern, &domain)),
        Test::Unlike(pattern) => Test::Unlike(Qualified::of(&pattern, &domain)),
    }
}

/// Patterns over whole names.
struct Qualified;

impl Qualified {
    /// The pattern without the domain, where it spells it out; patterns that end openly fit both.
    fn of(pattern: &Regex, domain: &str) -> Regex {
        let text = pattern.as_str();
        let shorter = [domain.to_owned(), domain.replace('.', "\\."), ".svc.cluster.local".to_owned()]
            .iter()
            .find_map(|ending| text.contains(ending.as_str()).then(|| text.replace(ending.as_str(), "")));
        shorter.and_then(|text| Regex::new(&text).ok()).unwrap_or_else(|| pattern.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(query: &str) -> Vec<Gap> {
        translate(query, "shop").unwrap().1
    }

    #[test]
    fn other_words_for_the_same_have_no_gap() {
        for query in [
            r#"sum(rate(istio_requests_total{destination_service=~"checkout.*",response_code!~"5.*"}[2m]))"#,
            r#"sum(rate(nginx_ingress_controller_requests{exported_namespace="shop",status!~"[4-5].*"}[1m]))"#,
            r#"histogram_quantile(0.99, sum by (le) (rate(http_server_requests_seconds_bucket{service="a"}[1m])))"#,
            "1 + vector(1)",
        ] {
            assert_eq!(gaps(query), [], "{query}");
        }
    }

    #[test]
    fn what_there_is_nothing_for_is_named() {
        let query = r#"sum(rate(http_requests_total{pod=~"a.*",service="b"}[1m])) / sum(rate(orders_total[1m]))"#;
        assert_eq!(gaps(query), [Gap::Metric("orders_total".to_owned()), Gap::Label("pod".to_owned())]);
        assert!(translate("topk(3, x)", "shop").is_err());
    }
}
