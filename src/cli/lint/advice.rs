//! What to do about a broken rule, by the words of its message.

/// Part of a message, and the advice.
const ADVICE: &[(&str, &str)] = &[
    ("SetWeight needs to be between", "write a percentage, or set trafficRouting.maxTrafficWeight"),
    ("has unmatch label", "make the Service's selector match the labels of the pod template"),
    ("missing field '.spec.selector'", "add spec.selector.matchLabels with a label of the pod template"),
    ("missing field '.spec.strategy.canary", "add spec.strategy.canary or spec.strategy.blueGreen"),
    ("Multiple Strategies", "keep one of canary and blueGreen"),
    ("does not match template", "put the selector's labels on the pod template"),
    ("empty selector", "add matchLabels with a label of the pod template"),
    ("both can not be zero", "give at least one of maxSurge and maxUnavailable a value above 0"),
    ("uses the same service", "make two Services, and name one of them in each place"),
    ("must to be set to use Traffic Routing", "name both stableService and canaryService"),
    (
        "SetCanaryScale requires TrafficRouting",
        "add trafficRouting, or remove the step: pods follow setWeight without a router",
    ),
    ("must be greater than minReadySeconds", "raise progressDeadlineSeconds above minReadySeconds"),
    ("Duration needs to be greater than 0", "write seconds (30) or a duration with a unit (30s, 5m, 1h)"),
    ("managedRoutes", "list the route under trafficRouting.managedRoutes"),
    (
        "does not exist in spec.strategy.canary.trafficRouting.managedRoutes",
        "add the name to trafficRouting.managedRoutes",
    ),
    ("no router is configured", "name a router, such as gatewayAPI, or remove trafficRouting to split by pod counts"),
    ("has no rules using service", "let a rule of the Ingress point to that Service"),
    ("template must be empty for workload reference", "remove spec.template: it is taken from the workload"),
    ("Either ", "keep the singular field or the plural one"),
    ("either VirtualService or VirtualServices", "keep virtualService or virtualServices"),
    ("can only be used with traffic routing", "remove it, or add trafficRouting"),
];

/// What to do; empty where the message says it all.
pub(super) fn for_message(message: &str) -> &'static str {
    ADVICE.iter().find(|(part, _)| message.contains(part)).map_or("", |(_, advice)| advice)
}
