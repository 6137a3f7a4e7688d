//! Which backends of a route carry the split between stable and canary.
//!
//! A rule takes part if a weight in it decides something for this Rollout:
//!
//! | unmanaged rule holds | takes part |
//! | --- | --- |
//! | canary and stable | both weights |
//! | canary and others that have weight | the canary's weight |
//! | both, in the rule of a mirror route | both weights: it splits as its source does |
//! | only the canary | no: it gets all of the rule's traffic whatever its weight, and 0 would turn requests away |
//! | stable without canary | no: nothing in the rule can take over what the stable side gives up |
//!
//! Argo's plugin writes weights in the last row too (at 100 % such a rule then answers 500, or sends everything to
//! the user's other backends), and finds the canary and the stable backend in different rules good enough.

use serde_json::Value;

/// The names that decide which parts of a route are a Rollout's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backends {
    /// Service of the canary (resolved, where the Rollout uses ping and pong).
    pub canary_service: String,
    /// Service of the stable revision.
    pub stable_service: String,
    /// Names of `trafficRouting.managedRoutes`.
    pub managed: Vec<String>,
}

/// A rule that names the canary or the stable Service.
pub(super) struct Rule<'a> {
    /// Position in `spec.rules`.
    pub index: usize,
    /// Its name; empty where it has none.
    pub name: &'a str,
    /// Whether it belongs to a managed route.
    pub managed: bool,
    /// Backends that are the canary.
    pub canary: Vec<BackendRef<'a>>,
    /// Backends that are the stable Service.
    pub stable: Vec<BackendRef<'a>>,
    /// Whether another backend takes traffic.
    pub others: bool,
}

/// One backend of a rule.
pub(super) struct BackendRef<'a> {
    /// Position in `backendRefs`.
    pub index: usize,
    /// The weight as written.
    pub weight: Option<&'a Value>,
}

impl Rule<'_> {
    /// Whether weights in it split traffic between the two Services.
    pub fn splits(&self) -> bool {
        !self.managed && !self.canary.is_empty() && !self.stable.is_empty()
    }

    /// Whether its weights are written: see the table of this module.
    pub fn takes_part(&self) -> bool {
        !self.canary.is_empty() && (!self.stable.is_empty() || (!self.managed && self.others))
    }

    /// Its path in the route, for messages.
    pub fn path(&self) -> String {
        let Self { index, name, .. } = self;
        if name.is_empty() { format!("spec.rules[{index}]") } else { format!("spec.rules[{index}] ({name})") }
    }
}

/// The rules of managed routes, with their positions in `spec.rules`.
pub(super) fn managed_rules<'a>(route: &'a Value, backends: &Backends) -> Vec<(usize, &'a Value)> {
    let all = route.get("spec").map_or(&[][..], |spec| list(spec, "rules"));
    all.iter().enumerate().filter(|(_, rule)| is_managed(rule, all, backends)).collect()
}

/// The rules of a route that name the canary or the stable Service, in order.
///
/// Backends are matched by name only: namespace, kind, group and port do not count. The canary's name is tried first,
/// so where both Services have one name there is no stable backend. Argo: the plugin's `SetWeight`.
pub(super) fn rules<'a>(route: &'a Value, backends: &Backends) -> Vec<Rule<'a>> {
    let all = route.get("spec").map_or(&[][..], |spec| list(spec, "rules"));
    all.iter()
        .enumerate()
        .map(|(index, rule)| look((index, rule), all, backends))
        .filter(|rule| !rule.canary.is_empty() || !rule.stable.is_empty())
        .collect()
}

fn look<'a>((index, rule): (usize, &'a Value), all: &[Value], backends: &Backends) -> Rule<'a> {
    let mut found = Rule {
        index,
        name: text(rule, "name"),
        managed: is_managed(rule, all, backends),
        canary: Vec::new(),
        stable: Vec::new(),
        others: false,
    };
    for (index, backend) in list(rule, "backendRefs").iter().enumerate() {
        let weight = backend.get("weight");
        let name = text(backend, "name");
        if name.is_empty() {
            // Nothing that an API server stores; a Rollout without Services must not match it.
        } else if name == backends.canary_service {
            found.canary.push(BackendRef { index, weight });
        } else if name == backends.stable_service {
            found.stable.push(BackendRef { index, weight });
        } else {
            found.others |= in_force(weight) > 0;
        }
    }
    found
}

/// Whether a rule belongs to a managed route: by its name, or, where it has none, by its shape.
///
/// Old versions of Argo's plugin, and CRDs without the rule's `name`, leave the rules of managed routes unnamed: the
/// canary alone behind a header match, or a copy of another rule that mirrors to the canary as its last filter. The
/// plugin takes every rule with the canary alone for managed, also a user's own; here a name, the lack of a header
/// match, or a Rollout without managed routes keeps such a rule.
fn is_managed(rule: &Value, all: &[Value], backends: &Backends) -> bool {
    let name = text(rule, "name");
    if !name.is_empty() {
        return backends.managed.iter().any(|base| is_name_of(name, base));
    }
    if backends.managed.is_empty() || backends.canary_service.is_empty() {
        return false;
    }
    let only_canary = match list(rule, "backendRefs") {
        [only] => text(only, "name") == backends.canary_service,
        _ => false,
    };
    let by_header = || list(rule, "matches").iter().any(|entry| !list(entry, "headers").is_empty());
    (only_canary && by_header()) || is_mirror(rule, all, backends)
}

/// Whether a rule is another one of the route with a mirror to the canary added.
fn is_mirror(rule: &Value, all: &[Value], backends: &Backends) -> bool {
    let Some((last, filters)) = list(rule, "filters").split_last() else { return false };
    let target = last.pointer("/requestMirror/backendRef").map_or("", |backend| text(backend, "name"));
    let names = |rule: &Value| -> Vec<String> {
        list(rule, "backendRefs").iter().map(|backend| text(backend, "name").to_owned()).collect()
    };
    let own = names(rule);
    target == backends.canary_service
        && [&backends.canary_service, &backends.stable_service].iter().all(|service| own.contains(service))
        && all.iter().any(|other| list(other, "filters") == filters && names(other) == own)
}

/// Whether `name` is `base`, or `base-<number>`: the rules that one managed route makes of several source rules.
/// Argo: the plugin's `managedRuleName`.
fn is_name_of(name: &str, base: &str) -> bool {
    if base.is_empty() {
        return false;
    }
    match name.strip_prefix(base) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(|number| number.parse::<i64>().is_ok()),
        None => false,
    }
}

/// The weight that counts: 1 where none is written, which is the API's default.
pub(super) fn in_force(weight: Option<&Value>) -> i32 {
    weight.and_then(Value::as_i64).map_or(1, |weight| i32::try_from(weight.max(0)).unwrap_or(i32::MAX))
}

/// A text member; empty where it is absent or no text.
pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// A list member; empty where it is absent or no list.
pub(super) fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

#[cfg(test)]
mod tests;
