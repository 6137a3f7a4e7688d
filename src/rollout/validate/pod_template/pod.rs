//! The pod's own fields, and the order in which its parts are checked.

use super::super::error::{Path, Report, quote};
use super::super::labels::{check_labels, dns_label, dns_subdomain, qualified_name, range};
use super::super::read::{flag, get, integer, list, object, some_text, text, text_entries, texts};
use super::{affinity, containers, environment, resources, scheduling, security, volumes};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Limits of a pod's DNS configuration.
const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCHES: usize = 32;
const MAX_SEARCH_TEXT: usize = 2048;
const MAX_HOSTNAME: usize = 64;

/// What the checks of containers need to know of the pod around them.
pub struct Surroundings<'a> {
    /// Valid volumes, by name.
    pub volumes: BTreeMap<&'a str, &'a Value>,
    /// Names of `resourceClaims`.
    pub claims: BTreeSet<&'a str>,
    pub grace_seconds: Option<i64>,
    pub restart_policy: &'a str,
    /// `os.name`, if `os` is given.
    pub os: Option<&'a str>,
}

pub fn check(spec: &Value, path: &Path, report: &mut Report) {
    let mut pod = Surroundings {
        volumes: BTreeMap::new(),
        claims: list(spec, "resourceClaims").iter().map(|claim| text(claim, "name")).collect(),
        grace_seconds: integer(spec, "terminationGracePeriodSeconds"),
        restart_policy: text(spec, "restartPolicy"),
        os: object(spec, "os").map(|os| text(os, "name")),
    };
    pod.volumes = volumes::check(list(spec, "volumes"), &path.child("volumes"), report);
    check_claims(list(spec, "resourceClaims"), &path.child("resourceClaims"), report);
    containers::check(spec, &pod, path, report);
    check_policies(spec, path, report);
    check_labels(&text_entries(spec, "nodeSelector"), &path.child("nodeSelector"), report);
    security::check_pod(object(spec, "securityContext"), &path.child("securityContext"), report);
    affinity::check(object(spec, "affinity"), &path.child("affinity"), report);
    check_dns(spec, &path.child("dnsConfig"), report);
    for (index, gate) in list(spec, "readinessGates").iter().enumerate() {
        let name = text(gate, "conditionType");
        let gate_path = path.child("readinessGates").index(index).child("conditionType");
        report.invalid_text(&gate_path, name, qualified_name(name));
    }
    scheduling::check_gates(list(spec, "schedulingGates"), &path.child("schedulingGates"), report);
    scheduling::check_spread(list(spec, "topologySpreadConstraints"), &path.child("topologySpreadConstraints"), report);
    check_hostname_override(spec, &path.child("hostnameOverride"), report);
    check_names(spec, path, report);
    scheduling::check_tolerations(list(spec, "tolerations"), &path.child("tolerations"), report);
    check_host_aliases(list(spec, "hostAliases"), &path.child("hostAliases"), report);
    check_classes(spec, path, report);
    if let Some(overhead) = get(spec, "overhead") {
        resources::check_overhead(overhead, &path.child("overhead"), report);
    }
    check_os(&pod, &path.child("os"), report);
    environment::check_file_volumes(spec, path, report);
}

fn check_claims(claims: &[Value], path: &Path, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let (name, place) = (text(claim, "name"), path.index(index));
        if name.is_empty() {
            report.required(&place.child("name"), "");
        } else if seen.insert(name) {
            report.invalid_text(&place.child("name"), name, dns_label(name));
        } else {
            report.duplicate(&place.child("name"), name);
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"].map(|key| (key, some_text(claim, key)));
        let detail = match sources.iter().filter(|(_, source)| source.is_some()).count() {
            0 => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            1 => "",
            _ => "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
        };
        if !detail.is_empty() {
            report.invalid(&place, claim, detail);
        }
        for (key, source) in sources {
            if let Some(source) = source {
                report.invalid_text(&place.child(key), source, dns_subdomain(source));
            }
        }
    }
}

fn check_policies(spec: &Value, path: &Path, report: &mut Report) {
    let restart = text(spec, "restartPolicy");
    let restarts = ["Always", "OnFailure", "Never"];
    if !restarts.contains(&restart) {
        report.not_supported(&path.child("restartPolicy"), restart, &restarts);
    }
    let dns = text(spec, "dnsPolicy");
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    if !policies.contains(&dns) {
        report.not_supported(&path.child("dnsPolicy"), dns, &policies);
    }
}

fn check_dns(spec: &Value, path: &Path, report: &mut Report) {
    let config = object(spec, "dnsConfig");
    let servers = config.map_or(&[][..], |config| list(config, "nameservers"));
    if text(spec, "dnsPolicy") == "None" {
        if config.is_none() {
            report.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            report.required(&path.child("nameservers"), detail);
            return;
        }
    }
    let Some(config) = config else { return };
    if servers.len() > MAX_NAMESERVERS {
        let detail = format!("must not have more than {MAX_NAMESERVERS} nameservers");
        report.invalid(&path.child("nameservers"), Value::from(servers), &detail);
    }
    for (index, server) in texts(config, "nameservers").enumerate() {
        check_ip(server, &path.child("nameservers").index(index), report);
    }
    let searches: Vec<_> = texts(config, "searches").collect();
    let searches_path = path.child("searches");
    if searches.len() > MAX_SEARCHES {
        let detail = format!("must not have more than {MAX_SEARCHES} search paths");
        report.invalid(&searches_path, Value::from(searches.clone()), &detail);
    }
    if searches.join(" ").len() > MAX_SEARCH_TEXT {
        let detail =
            format!("must not have more than {MAX_SEARCH_TEXT} characters (including spaces) in the search list");
        report.invalid(&searches_path, Value::from(searches.clone()), &detail);
    }
    for (index, search) in searches.iter().enumerate() {
        let search = search.strip_suffix('.').unwrap_or(search);
        report.invalid_text(&searches_path.index(index), search, dns_subdomain(search));
    }
    for (index, option) in list(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            report.required(&path.child("options").index(index), "must not be empty");
        }
    }
}

/// Old fields take IPv4 parts with leading zeros, as Go once did.
fn check_ip(address: &str, path: &Path, report: &mut Report) {
    let relaxed: Vec<_> = address
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            trimmed => trimmed,
        })
        .collect();
    let v4 = relaxed.len() == 4 && relaxed.join(".").parse::<IpAddr>().is_ok();
    if !v4 && address.parse::<IpAddr>().is_err() {
        let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        report.invalid(path, quote(address), detail);
    }
}

fn check_hostname_override(spec: &Value, path: &Path, report: &mut Report) {
    let Some(name) = some_text(spec, "hostnameOverride") else { return };
    if flag(spec, "setHostnameAsFQDN") {
        report.forbidden(path, "may not be specified when setHostnameAsFQDN is true");
    }
    if name.len() > MAX_HOSTNAME {
        report.too_long(path, MAX_HOSTNAME);
    }
    report.invalid_text(path, name, dns_subdomain(name));
}

fn check_names(spec: &Value, path: &Path, report: &mut Report) {
    type Check = fn(&str) -> Vec<String>;
    let check = |report: &mut Report, key: &str, form: Check| {
        let name = text(spec, key);
        if !name.is_empty() {
            report.invalid_text(&path.child(key), name, form(name));
        }
    };
    check(report, "serviceAccountName", dns_subdomain);
    check(report, "nodeName", dns_subdomain);
    let largest = i64::from(i32::MAX);
    if let Some(seconds) = integer(spec, "activeDeadlineSeconds").filter(|s| !(1..=largest).contains(s)) {
        report.invalid(&path.child("activeDeadlineSeconds"), seconds, &range(1, largest));
    }
    check(report, "hostname", dns_label);
    check(report, "subdomain", dns_label);
}

fn check_host_aliases(aliases: &[Value], path: &Path, report: &mut Report) {
    for (index, alias) in aliases.iter().enumerate() {
        let alias_path = path.index(index);
        check_ip(text(alias, "ip"), &alias_path.child("ip"), report);
        for (position, name) in texts(alias, "hostnames").enumerate() {
            report.invalid_text(&alias_path.child("hostnames").index(position), name, dns_subdomain(name));
        }
    }
}

fn check_classes(spec: &Value, path: &Path, report: &mut Report) {
    let priority = text(spec, "priorityClassName");
    if !priority.is_empty() {
        report.invalid_text(&path.child("priorityClassName"), priority, dns_subdomain(priority));
    }
    if let Some(runtime) = some_text(spec, "runtimeClassName") {
        report.invalid_text(&path.child("runtimeClassName"), runtime, dns_subdomain(runtime));
    }
    let preemption = path.child("preemptionPolicy");
    match some_text(spec, "preemptionPolicy") {
        None | Some("PreemptLowerPriority" | "Never") => {}
        Some("") => report.required(&preemption, ""),
        Some(other) => report.not_supported(&preemption, other, &["PreemptLowerPriority", "Never"]),
    }
}

fn check_os(pod: &Surroundings<'_>, path: &Path, report: &mut Report) {
    match pod.os {
        None | Some("linux" | "windows") => {}
        Some("") => report.required(&path.child("name"), ""),
        Some(other) => report.not_supported(path, other, &["linux", "windows"]),
    }
}

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Annotations that Kubernetes reads.
pub fn check_annotations(annotations: &[(&str, &str)], spec: &Value, path: &Path, report: &mut Report) {
    for (key, profile) in
        annotations.iter().filter(|(key, _)| *key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER))
    {
        let known = matches!(*profile, "runtime/default" | "docker/default" | "unconfined");
        match profile.strip_prefix("localhost/") {
            Some(file) => volumes::check_relative_path(file, &path.child(key), report),
            None if known => {}
            None => report.invalid(&path.child(key), quote(profile), "must be a valid seccomp profile"),
        }
    }
    for (key, profile) in annotations {
        let Some(container) = key.strip_prefix(APP_ARMOR) else { continue };
        let lists = ["initContainers", "containers", "ephemeralContainers"];
        if !lists.iter().any(|name| list(spec, name).iter().any(|c| text(c, "name") == container)) {
            report.invalid(&path.key(key), quote(container), "container not found");
        }
        let known = matches!(*profile, "" | "runtime/default" | "unconfined") || profile.starts_with("localhost/");
        if !known {
            let detail = format!("invalid AppArmor profile name: {}", quote(profile));
            report.invalid(&path.key(key), quote(profile), &detail);
        }
    }
}
