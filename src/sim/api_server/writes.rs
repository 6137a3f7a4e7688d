//! Writing requests: which operation of the store a verb, a subresource and a body come to.

use serde_json::{Value, json};

use super::kinds::{ResourceDef, Scope};
use super::ownership::apply::Conflicts;
use super::ownership::track::Tracking;
use super::patch::{self, PatchKind};
use super::reject::Reject;
use super::remove::Deletion;
use super::request::Verb;
use super::scale::ScaleWrite;
use super::service::{Answer, Call, address};
use super::store::{Act, Address, Store, Unknown};
use crate::sim::object;

pub(crate) fn write(store: &mut Store, call: &Call, now: crate::api::Time) -> Result<Answer, Reject> {
    let at = address(call);
    let subresource = call.info.subresource.as_deref();
    let dry_run = call.options.dry_run;
    let (tracking, unknown) = (tracking(call), unknown(call)?);
    let act = Act { now, actor: &call.info.actor, verb: call.info.verb, subresource, dry_run, tracking, unknown };
    match (call.info.verb, subresource) {
        (Verb::Create, Some("eviction")) => {
            let how = Deletion::of(json_body(call)?.get("deleteOptions").unwrap_or(&Value::Null), &call.options)?;
            let act = Act { dry_run: how.dry_run, ..act };
            store.evict(&act, &at, &how)?;
            let done =
                json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
            Ok(Answer::Json(201, done))
        }
        (Verb::Create, Some(_)) => Err(Reject::method_not_allowed()),
        (Verb::Create, None) => {
            if call.def.scope == Scope::Namespaced && at.namespace.is_empty() {
                return Err(Reject::method_not_allowed());
            }
            Ok(Answer::Object(201, store.create(&act, (&at.resource, &at.namespace), json_body(call)?)?))
        }
        (Verb::Update, Some("scale")) => {
            Ok(Answer::Json(200, store.write_scale(&act, &at, ScaleWrite::Put(json_body(call)?))?))
        }
        (Verb::Update, _) => Ok(Answer::Object(200, store.update(&act, &at, json_body(call)?)?)),
        (Verb::Patch, _) if call.content_type.starts_with(APPLY) => apply(store, &act, call),
        (Verb::Patch, _) => {
            let kind = PatchKind::of(&call.content_type)?;
            let patch = json_body(call)?;
            match subresource {
                Some("scale") => Ok(Answer::Json(200, store.write_scale(&act, &at, ScaleWrite::Patch(kind, patch))?)),
                _ => Ok(Answer::Object(200, store.patch(&act, &at, (kind, &patch))?)),
            }
        }
        (Verb::DeleteCollection, _) => delete_all(store, &act, call),
        _ => {
            let how = Deletion::of(&optional_body(call)?, &call.options)?;
            let act = Act { dry_run: how.dry_run, ..act };
            let last = store.delete(&act, &at, &how)?;
            let stays = store.find(&at).is_some() || matches!(&*at.resource, "pods" | "services");
            Ok(if stays { Answer::Object(200, last) } else { Answer::Json(200, deleted(&call.def, &last)) })
        }
    }
}

/// The media type of server-side apply.
const APPLY: &str = "application/apply-patch+yaml";

fn apply(store: &mut Store, act: &Act<'_>, call: &Call) -> Result<Answer, Reject> {
    if call.options.field_manager.is_empty() {
        let why = "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
        return Err(Reject::new(422, "Invalid", why));
    }
    if act.subresource.is_some_and(|name| name != "status") {
        return Err(Reject::bad_request("server-side apply of this subresource is not supported: patch it instead"));
    }
    let text = String::from_utf8_lossy(&call.body);
    let unreadable = |error| Reject::bad_request(format!("error decoding YAML: {error}"));
    let applied: Value = match serde_json::from_str(&text) {
        Ok(applied) => applied,
        Err(_) => serde_saphyr::from_str(&text).map_err(unreadable)?,
    };
    let conflicts = if call.options.force { Conflicts::Take } else { Conflicts::Refuse };
    let named = (call.options.field_manager.as_str(), conflicts, &applied);
    let (object, is_new) = store.apply(act, &address(call), named)?;
    Ok(Answer::Object(if is_new { 201 } else { 200 }, object))
}

fn tracking(call: &Call) -> Tracking<'_> {
    // Events come by the thousand, and nobody applies them.
    if call.manager.is_empty() || call.def.kind == "Event" { Tracking::Follow } else { Tracking::Begin(&call.manager) }
}

fn unknown(call: &Call) -> Result<Unknown, Reject> {
    match call.options.field_validation.as_str() {
        "Strict" => Ok(Unknown::Refuse),
        "" | "Warn" => Ok(Unknown::Warn),
        "Ignore" => Ok(Unknown::Drop),
        other => {
            Err(Reject::bad_request(format!("fieldValidation: unsupported value {other:?}: Ignore, Warn or Strict")))
        }
    }
}

fn delete_all(store: &mut Store, act: &Act<'_>, call: &Call) -> Result<Answer, Reject> {
    let how = Deletion::of(&optional_body(call)?, &call.options)?;
    let act = Act { dry_run: how.dry_run, ..act.by(act.actor, act.verb) };
    let page = store.list(&call.info.resource, &call.info.namespace, &call.options)?;
    for object in &page.items {
        let (namespace, name) = (object::namespace(object).to_owned(), object::name(object).to_owned());
        let at = Address { resource: call.info.resource.clone(), namespace, name };
        if store.find(&at).is_some() {
            store.delete(&act, &at, &how)?;
        }
    }
    Ok(Answer::Json(200, call.shape.list(&call.def, &page)))
}

fn deleted(def: &ResourceDef, last: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": { "name": object::name(last), "group": def.group, "kind": def.plural, "uid": object::uid(last) },
    })
}

fn json_body(call: &Call) -> Result<Value, Reject> {
    // Go clients may send the built-in kinds as protobuf, whose schemas this server does not have.
    if call.content_type.contains("protobuf") || call.content_type.contains("cbor") {
        return Err(patch::unsupported(&call.content_type));
    }
    let unreadable = |error| {
        Reject::bad_request(format!("the body of {} {} is no JSON: {error}", call.info.verb, call.info.resource))
    };
    serde_json::from_slice(&call.body).map_err(unreadable)
}

fn optional_body(call: &Call) -> Result<Value, Reject> {
    if call.body.is_empty() { Ok(json!({})) } else { json_body(call) }
}
