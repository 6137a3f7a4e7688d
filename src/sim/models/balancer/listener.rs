//! What an Ingress of the cloud's load balancer asks for: rules that forward to target groups by weight, in the
//! annotations of the AWS Load Balancer Controller.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sim::object;
use crate::sim::traffic::ways::weight;

/// The class of Ingresses that the balancer serves.
const CLASS: &str = "alb";
/// Before the name of a backend whose port is [`BY_ANNOTATION`]: what to do, and for whom.
const ACTION: &str = "alb.ingress.kubernetes.io/actions.";
const CONDITIONS: &str = "alb.ingress.kubernetes.io/conditions.";
const BY_ANNOTATION: &str = "use-annotation";

/// One rule of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Headers, in lower case, each with the values of which it must have one.
    pub headers: Vec<(String, Vec<String>)>,
    /// Services with their weights.
    pub forward: Vec<(String, u64)>,
}

/// The rules of an Ingress, in order; none where it is not the balancer's. Hosts and paths are taken to fit.
pub(crate) fn rules(ingress: &Value) -> Option<Vec<Rule>> {
    let class = object::text(ingress, "/spec/ingressClassName");
    let old = object::annotation(ingress, "kubernetes.io/ingress.class");
    if class != CLASS && old != Some(CLASS) {
        return None;
    }
    let paths = object::list(ingress, "/spec/rules").iter().flat_map(|rule| object::list(rule, "/http/paths"));
    let backends = paths.filter_map(|path| path.get("backend")).chain(ingress.pointer("/spec/defaultBackend"));
    Some(backends.map(|backend| rule(ingress, backend)).collect())
}

/// Services that an Ingress of the balancer forwards to; a name may come twice.
pub(crate) fn services(ingress: &Value) -> impl Iterator<Item = String> {
    rules(ingress).unwrap_or_default().into_iter().flat_map(|rule| rule.forward).map(|(name, _)| name)
}

fn rule(ingress: &Value, backend: &Value) -> Rule {
    let name = object::text(backend, "/service/name");
    let read = |prefix: &str| -> Value {
        let text = object::annotation(ingress, &format!("{prefix}{name}"));
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    if object::text(backend, "/service/port/name") != BY_ANNOTATION {
        return Rule { headers: Vec::new(), forward: vec![(name.to_owned(), 1)] };
    }
    let (action, conditions) = (read(ACTION), read(CONDITIONS));
    let groups = object::list(&action, "/forwardConfig/targetGroups");
    let forward = groups.iter().map(|group| (object::text(group, "/serviceName").to_owned(), weight(group, 1)));
    let headers = object::list(&conditions, "").iter().filter_map(|condition| {
        let config = condition.get("httpHeaderConfig")?;
        let values = object::list(config, "/values").iter().filter_map(Value::as_str).map(str::to_owned);
        Some((object::text(config, "/httpHeaderName").to_ascii_lowercase(), values.collect()))
    });
    Rule { headers: headers.collect(), forward: forward.collect() }
}

/// Where the first rule that fits forwards a request with `headers`; nowhere where none fits.
pub(crate) fn forward<'r>(rules: &'r [Rule], headers: &BTreeMap<String, String>) -> &'r [(String, u64)] {
    let has = |(name, values): &(String, Vec<String>)| headers.get(name).is_some_and(|value| values.contains(value));
    let rule = rules.iter().find(|rule| rule.headers.iter().all(has));
    rule.map_or(&[], |rule| &rule.forward)
}
