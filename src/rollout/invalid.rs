//! Why a Rollout is not carried out: its own mistakes, what it refers to, what this release cannot do.
//!
//! An invalid Rollout touches nothing: traffic stays where it is.

use super::settings::UnknownFields;
use super::world::World;
use crate::analysis::compose::Templates;
use crate::analysis::support::unsupported;
use crate::api::names;
use crate::api::rollout::{RolloutAnalysis, Strategy, TemplateRef};
use crate::api::traffic_routing::GatewayApi;
use crate::traffic::gateway_api::{self, RouteKind, RouteRef};

/// The first reason why the Rollout is invalid, as the condition's message says it.
pub fn message(world: &World) -> Option<String> {
    let name = &world.rollout.metadata.name;
    reason(world).map(|reason| format!("The Rollout {name:?} is invalid: {reason}"))
}

fn reason(world: &World) -> Option<String> {
    let digest = &world.digest;
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
    routing(world).or_else(|| services(world)).or_else(|| analyses(world)).or_else(|| claimed(world))
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

/// Services that the Rollout names, with the path of the field.
pub fn service_fields(strategy: &Strategy) -> Vec<(&'static str, &str)> {
    let mut fields = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        fields.push(("spec.strategy.blueGreen.activeService", blue_green.active_service.as_str()));
        fields.push(("spec.strategy.blueGreen.previewService", blue_green.preview_service.as_str()));
    }
    if let Some(canary) = &strategy.canary {
        fields.push(("spec.strategy.canary.stableService", canary.stable_service.as_str()));
        fields.push(("spec.strategy.canary.canaryService", canary.canary_service.as_str()));
    }
    fields.retain(|(_, name)| !name.is_empty());
    fields
}

/// Services that are missing, select other pods, or belong to another Rollout. Source: contract, api-rollout §2.
fn services(world: &World) -> Option<String> {
    let rollout = &world.rollout;
    let template = rollout.spec.template.value();
    let fields = service_fields(&rollout.spec.strategy);
    for (path, name) in &fields {
        if world.service(name).is_none() {
            return Some(format!("{path}: Invalid value: {name:?}: service {name:?} not found"));
        }
    }
    for (path, name) in fields {
        let service = world.service(name)?;
        let owner = service.metadata.annotation(names::MANAGED_BY);
        if owner.is_some_and(|owner| owner != rollout.metadata.name) {
            return Some(format!("{path}: Invalid value: {name:?}: Service {name:?} is managed by another Rollout"));
        }
        for (key, value) in service.spec.selector.iter().filter(|(key, _)| *key != names::POD_HASH) {
            let label = template.pointer("/metadata/labels").and_then(|labels| labels.get(key));
            if label.and_then(|label| label.as_str()) != Some(value.as_str()) {
                return Some(format!(
                    "{path}: Invalid value: {name:?}: Service {name:?} has unmatch label {key:?} in rollout"
                ));
            }
        }
    }
    None
}

/// Every analysis that the Rollout declares, with the path of the field.
pub fn analysis_fields(strategy: &Strategy) -> Vec<(String, &RolloutAnalysis)> {
    let mut fields = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        let pre = blue_green.pre_promotion_analysis.as_ref();
        let post = blue_green.post_promotion_analysis.as_ref();
        fields.extend(pre.map(|a| ("spec.strategy.blueGreen.prePromotionAnalysis.templates".to_owned(), a)));
        fields.extend(post.map(|a| ("spec.strategy.blueGreen.postPromotionAnalysis.templates".to_owned(), a)));
    }
    if let Some(canary) = &strategy.canary {
        for (index, step) in canary.steps.iter().flatten().enumerate() {
            let path = || format!("spec.strategy.canary.steps[{index}].analysis.templates");
            fields.extend(step.analysis.as_ref().map(|analysis| (path(), analysis)));
        }
        let background = canary.analysis.as_ref();
        fields.extend(background.map(|a| ("spec.strategy.canary.analysis.templates".to_owned(), a)));
    }
    fields
}

/// Templates that are missing, clash, or measure what this release cannot.
fn analyses(world: &World) -> Option<String> {
    let lookup = |wanted: &TemplateRef| {
        if wanted.cluster_scope {
            world.templates.cluster.get(&wanted.template_name).map(|template| &template.spec)
        } else {
            world.templates.namespaced.get(&wanted.template_name).map(|template| &template.spec)
        }
    };
    for (path, analysis) in analysis_fields(&world.rollout.spec.strategy) {
        for template in &analysis.templates {
            if lookup(template).is_none() {
                let kind = if template.cluster_scope { "ClusterAnalysisTemplate" } else { "AnalysisTemplate" };
                let name = &template.template_name;
                return Some(format!("{path}: Invalid value: {name:?}: {kind} '{name}' not found"));
            }
        }
        let found = match Templates::collect(&analysis.templates, &lookup) {
            Ok(found) => found,
            Err(error) => return Some(format!("{path}: Invalid value: {error}")),
        };
        let refused =
            found.namespaced.iter().chain(&found.cluster).flat_map(|spec| &spec.metrics).find_map(unsupported);
        if let Some(refused) = refused {
            let names: Vec<&str> = analysis.templates.iter().map(|template| template.template_name.as_str()).collect();
            return Some(format!("not supported yet: {path} [{}]: {refused}", names.join(" ")));
        }
    }
    None
}

/// Objects that another Rollout had first (I12).
fn claimed(world: &World) -> Option<String> {
    let claim = world.claims.first()?;
    Some(format!("{} is already used by Rollout {:?}: give each Rollout its own", claim.object, claim.owner))
}
