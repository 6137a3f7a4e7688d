//! Why a Rollout is not carried out: its own mistakes, what it refers to, what this release cannot do.
//!
//! An invalid Rollout touches nothing: traffic stays where it is.

use serde_json::Value;

use super::settings::UnknownFields;
use super::validate::references::{
    AnalysisKind, Missing, References, ServiceKind, TemplateGroup, analysis_path, missing_reference, service_view,
    template_view, validate_references,
};
use super::world::World;
use crate::analysis::compose::{ComposeError, Templates};
use crate::analysis::support::unsupported;
use crate::api::analysis::AnalysisTemplateSpec;
use crate::api::rollout::{RolloutAnalysis, Strategy, TemplateRef};
use crate::api::traffic_routing::GatewayApi;
use crate::api::{AnalysisTemplate, ClusterAnalysisTemplate};
use crate::plan::ObjectRef;
use crate::traffic::gateway_api::{self, RouteKind, RouteRef};

/// The first reason why the Rollout is invalid, as the condition's message says it.
pub fn message(world: &World) -> Option<String> {
    let name = &world.rollout.metadata.name;
    reason(world).map(|reason| format!("The Rollout {name:?} is invalid: {reason}"))
}

fn reason(world: &World) -> Option<String> {
    let digest = &world.digest;
    if let Some(error) = super::workload::invalid(world) {
        return Some(error);
    }
    if let Some(error) = digest.errors.first() {
        return Some(error.clone());
    }
    if let Some(path) = digest.unsupported.first() {
        return Some(format!("not supported yet: {path}"));
    }
    let refused = world.settings.unknown_fields == UnknownFields::Refused;
    if let Some(path) = digest.unknown.first().filter(|_| refused) {
        return Some(format!("unknown field: {path}"));
    }
    routing(world).or_else(|| references(world)).or_else(|| pod_labels(world)).or_else(|| claimed(world))
}

/// Mistakes in the routers' settings.
fn routing(world: &World) -> Option<String> {
    let path = "spec.strategy.canary.trafficRouting";
    let routing = world.rollout.spec.strategy.canary.as_ref()?.traffic_routing.as_ref()?;
    match gateway_api::settings(routing) {
        Err(error) => Some(format!("{path}: {error}")),
        Ok(None) => None,
        Ok(Some(settings)) => {
            let namespace = &world.rollout.metadata.namespace;
            let named = !gateway_api::routes(&settings, namespace).is_empty()
                || !gateway_api::selectors(&settings, namespace).is_empty();
            let unnamed = (!named).then(|| format!("{path}: no route is named: set gatewayAPI.httpRoute"));
            unnamed.or_else(|| mirrored_grpc(world, &settings).map(|refused| format!("not supported yet: {refused}")))
        }
    }
}

/// A mirror step where a GRPCRoute takes managed routes: its rules cannot say what the step matches.
fn mirrored_grpc(world: &World, settings: &GatewayApi) -> Option<String> {
    let steps = world.rollout.spec.strategy.canary.as_ref()?.steps.as_deref()?;
    let index = steps.iter().position(|step| step.set_mirror_route.is_some())?;
    let routes = gateway_api::routes(settings, &world.rollout.metadata.namespace);
    let is_grpc = |route: &RouteRef| RouteKind::named(&route.object.resource.kind) == Some(RouteKind::Grpc);
    let grpc = routes.into_iter().find(|route| route.header_routes && is_grpc(route))?;
    let name = grpc.object.name;
    Some(format!(
        "spec.strategy.canary.steps[{index}].setMirrorRoute with GRPCRoute {name:?}: list it under grpcRoutes without \
         useHeaderRoutes, or remove the step"
    ))
}

/// Services that the Rollout names, by their role.
pub fn service_fields(strategy: &Strategy) -> Vec<(ServiceKind, &str)> {
    let mut fields = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        fields.push((ServiceKind::Active, blue_green.active_service.as_str()));
        fields.push((ServiceKind::Preview, blue_green.preview_service.as_str()));
    }
    if let Some(canary) = &strategy.canary {
        fields.push((ServiceKind::Stable, canary.stable_service.as_str()));
        fields.push((ServiceKind::Canary, canary.canary_service.as_str()));
        if let Some(pair) = &canary.ping_pong {
            fields.push((ServiceKind::Ping, pair.ping_service.as_str()));
            fields.push((ServiceKind::Pong, pair.pong_service.as_str()));
        }
    }
    fields.retain(|(_, name)| !name.is_empty());
    fields
}

/// Every analysis that the Rollout declares, by its use.
pub fn analysis_fields(strategy: &Strategy) -> Vec<(AnalysisKind, &RolloutAnalysis)> {
    let mut fields = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        fields.extend(blue_green.pre_promotion_analysis.as_ref().map(|a| (AnalysisKind::PrePromotion, a)));
        fields.extend(blue_green.post_promotion_analysis.as_ref().map(|a| (AnalysisKind::PostPromotion, a)));
    }
    if let Some(canary) = &strategy.canary {
        for (index, step) in canary.steps.iter().flatten().enumerate() {
            fields.extend(step.analysis.as_deref().map(|analysis| (AnalysisKind::Inline(index), analysis)));
        }
        fields.extend(canary.analysis.as_ref().map(|a| (AnalysisKind::Background, a)));
    }
    fields
}

/// One analysis with the templates that it reaches.
type Group<'w> = (AnalysisKind, &'w RolloutAnalysis, Templates<'w>);

/// Objects that are missing, or not right for the Rollout. The contract's list is the judge; this only shows it the objects.
fn references(world: &World) -> Option<String> {
    let missing = |missing, cause: &str| Some(missing_reference(&Value::Null, missing, cause).to_string());
    let fields = service_fields(&world.rollout.spec.strategy);
    for (kind, name) in &fields {
        if world.service(name).is_none() {
            return missing(Missing::Service(*kind, name), &format!("service {name:?} not found"));
        }
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (kind, analysis) in analysis_fields(&world.rollout.spec.strategy) {
        if let Some(unreadable) = unreadable(world, kind, &analysis.templates) {
            return Some(unreadable);
        }
        if let Some(template) = analysis.templates.iter().find(|template| lookup(world, template).is_none()) {
            let place = if template.cluster_scope { Missing::ClusterTemplate } else { Missing::Template };
            return missing(place(Some(kind), &template.template_name), "");
        }
        match Templates::collect(&analysis.templates, &|template| lookup(world, template)) {
            Ok(found) => groups.push((kind, analysis, found)),
            Err(ComposeError::NoTemplate(name)) => {
                let wanted = TemplateRef { template_name: name.clone(), cluster_scope: false };
                return unreadable(world, kind, &[wanted]).or_else(|| missing(Missing::Template(None, &name), ""));
            }
            Err(ComposeError::NoClusterTemplate(name)) => {
                let wanted = TemplateRef { template_name: name.clone(), cluster_scope: true };
                return unreadable(world, kind, &[wanted])
                    .or_else(|| missing(Missing::ClusterTemplate(None, &name), ""));
            }
            Err(error) => return Some(format!("{}: Invalid value: {error}", analysis_path(kind))),
        }
    }
    let found = fields.iter().filter_map(|(kind, name)| Some((*kind, service_view(world.service(name)?))));
    let services: Vec<(ServiceKind, Value)> = found.collect();
    let templates: Vec<[Vec<Value>; 3]> = groups.iter().map(|group| views(world, group)).collect();
    let shown = References {
        services: services.iter().map(|(kind, service)| (*kind, service)).collect(),
        templates: groups.iter().zip(&templates).map(|((kind, ..), views)| group(*kind, views)).collect(),
        ..References::default()
    };
    let errors = validate_references(&world.digest.references.value(), &shown);
    errors.first().map(ToString::to_string).or_else(|| groups.iter().find_map(unmeasured))
}

/// The object that a reference means in a namespace.
pub fn template_object(wanted: &TemplateRef, namespace: &str) -> ObjectRef {
    if wanted.cluster_scope {
        ObjectRef::named::<ClusterAnalysisTemplate>("", &wanted.template_name)
    } else {
        ObjectRef::named::<AnalysisTemplate>(namespace, &wanted.template_name)
    }
}

/// A template that is there and does not decode: to call it missing would send people the wrong way.
fn unreadable(world: &World, kind: AnalysisKind, wanted: &[TemplateRef]) -> Option<String> {
    let objects = wanted.iter().map(|template| template_object(template, &world.rollout.metadata.namespace));
    let (object, error) = objects.into_iter().find_map(|object| world.unreadable.get_key_value(&object))?;
    let (path, what, name) = (analysis_path(kind), &object.resource.kind, &object.name);
    Some(format!("{path}: Invalid value: {name:?}: {what} {name:?} cannot be read: {error}"))
}

fn lookup<'w>(world: &'w World, wanted: &TemplateRef) -> Option<&'w AnalysisTemplateSpec> {
    if wanted.cluster_scope {
        world.templates.cluster.get(&wanted.template_name).map(|template| &template.spec)
    } else {
        world.templates.namespaced.get(&wanted.template_name).map(|template| &template.spec)
    }
}

/// Arguments, templates and cluster templates of an analysis, as the contract's list reads them.
fn views(world: &World, (_, analysis, found): &Group<'_>) -> [Vec<Value>; 3] {
    let args = analysis.args.iter().filter_map(|argument| serde_json::to_value(argument).ok()).collect();
    let of = |cluster_scope: bool| {
        let named = found.names.iter().filter(|named| named.cluster_scope == cluster_scope);
        let views = named.filter_map(|named| Some(template_view(&named.template_name, lookup(world, named)?)));
        views.collect()
    };
    [args, of(false), of(true)]
}

fn group(kind: AnalysisKind, [args, templates, cluster_templates]: &[Vec<Value>; 3]) -> TemplateGroup<'_> {
    TemplateGroup {
        kind,
        args,
        templates: templates.iter().collect(),
        cluster_templates: cluster_templates.iter().collect(),
    }
}

/// A metric that this release cannot measure as it is written.
fn unmeasured((kind, analysis, found): &Group<'_>) -> Option<String> {
    let mut metrics = found.namespaced.iter().chain(&found.cluster).flat_map(|spec| &spec.metrics);
    let refused = metrics.find_map(unsupported)?;
    let names: Vec<&str> = analysis.templates.iter().map(|template| template.template_name.as_str()).collect();
    Some(format!("not supported yet: {} [{}]: {refused}", analysis_path(*kind), names.join(" ")))
}

/// Labels of a role that selectors look for: a pod that got one would leave its ReplicaSet, or its Service.
fn pod_labels(world: &World) -> Option<String> {
    let strategy = &world.rollout.spec.strategy;
    let canary = strategy.canary.as_ref();
    let blue_green = strategy.blue_green.as_ref();
    let fields = [
        ("canary.canaryMetadata", canary.and_then(|canary| canary.canary_metadata.as_ref())),
        ("canary.stableMetadata", canary.and_then(|canary| canary.stable_metadata.as_ref())),
        ("blueGreen.previewMetadata", blue_green.and_then(|blue_green| blue_green.preview_metadata.as_ref())),
        ("blueGreen.activeMetadata", blue_green.and_then(|blue_green| blue_green.active_metadata.as_ref())),
    ];
    let selector = world.rollout.spec.selector.as_ref();
    let selected = |key: &str| {
        let by_selector = selector.is_some_and(|selector| {
            selector.match_labels.contains_key(key) || selector.match_expressions.iter().any(|e| e.key == key)
        });
        by_selector
            || key == crate::api::names::POD_HASH
            || world.services.values().any(|service| service.spec.selector.contains_key(key))
    };
    fields.into_iter().find_map(|(field, metadata)| {
        let key = metadata?.labels.keys().find(|key| selected(key))?;
        let message = "a selector looks for this label, and pods that change it leave it: choose another key";
        Some(format!("spec.strategy.{field}.labels: Invalid value: {key:?}: {message}"))
    })
}

/// Objects that another Rollout had first (I12).
fn claimed(world: &World) -> Option<String> {
    let claim = world.claims.first()?;
    Some(format!("{} is already used by Rollout {:?}: give each Rollout its own", claim.object, claim.owner))
}
