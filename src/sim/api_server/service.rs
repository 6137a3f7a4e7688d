//! HTTP requests in, HTTP responses out: the server as a `tower::Service` under a kube client or a listener.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, header, request::Parts};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use tower::BoxError;

use super::discovery;
use super::faults::Fault;
use super::kinds::{ResourceDef, Scope, Status};
use super::patch::{self, PatchKind};
use super::reject::Reject;
use super::remove::Deletion;
use super::request::{self, Options, RequestInfo, Target, Verb};
use super::scale::ScaleWrite;
use super::server::ApiServer;
use super::store::{Act, Address, Store};
use super::table::Shape;
use super::watch::Stream;
use crate::sim::object;

/// The header that names the writer in the journal.
pub(crate) const ACTOR_HEADER: &str = "x-siskin-actor";
/// The longest request body, as etcd's limit.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// What a request asks for, all told.
struct Call {
    info: RequestInfo,
    def: Arc<ResourceDef>,
    options: Options,
    shape: Shape,
    content_type: String,
    body: Bytes,
}

enum Answer {
    Json(u16, Value),
    Object(u16, Arc<Value>),
    Watch(Stream),
}

impl<B> tower::Service<Request<B>> for ApiServer
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
            server.respond(&parts, body).await
        })
    }
}

impl ApiServer {
    async fn respond(&self, parts: &Parts, body: Bytes) -> Result<Response<Body>, BoxError> {
        let path = parts.uri.path();
        if let Some(found) = self.with_store(|store| discovery::answer(store, path)) {
            return reply(200, &found);
        }
        let call = match self.understand(parts, body) {
            Ok(call) => call,
            Err(refusal) => return refuse(&refusal),
        };
        let fault = self.faults().and_then(|faults| faults.strike(&call.info));
        match &fault {
            Some(Fault::Status { code, retry_after }) => return struck(*code, *retry_after),
            Some(Fault::DropBefore) => return Err("connection reset before the request was read".into()),
            Some(Fault::Delay(delay)) => self.sleep_until(self.now() + *delay).await,
            Some(Fault::LoseResponse) | None => {}
        }
        let answer = self.carry_out(&call);
        if fault == Some(Fault::LoseResponse) {
            return Err("connection reset before the response was sent".into());
        }
        match answer {
            Ok(Answer::Json(code, value)) => reply(code, &value),
            Ok(Answer::Object(code, object)) => reply(code, &call.shape.object(&call.def, &object)),
            Ok(Answer::Watch(stream)) => stream_of(stream),
            Err(refusal) => refuse(&refusal),
        }
    }

    /// Waits in the server's time, woken by ticks.
    async fn sleep_until(&self, due: crate::api::Time) {
        let mut pulse = self.pulse();
        while self.now() < due && pulse.changed().await.is_ok() {}
    }

    fn understand(&self, parts: &Parts, body: Bytes) -> Result<Call, Reject> {
        let target = request::target(parts.uri.path()).ok_or_else(Reject::no_such_path)?;
        let options = Options::of(&parts.uri)?;
        let (resource, def) = self.with_store(|store| find_kind(store, &target))?;
        let verb = request::verb(&parts.method, &target, &options)?;
        let number = self.count(|counts| counts.add(verb, &def.kind));
        let info = RequestInfo {
            number,
            verb,
            resource,
            kind: def.kind.clone(),
            namespace: target.namespace.to_owned(),
            name: target.name.to_owned(),
            subresource: target.subresource.map(str::to_owned),
            actor: actor(&parts.headers),
        };
        let shape = Shape::of(text_of(&parts.headers, "accept"), self.now());
        Ok(Call { info, def, options, shape, content_type: text_of(&parts.headers, "content-type").to_owned(), body })
    }

    fn carry_out(&self, call: &Call) -> Result<Answer, Reject> {
        let RequestInfo { verb, resource, namespace, .. } = &call.info;
        match verb {
            Verb::Watch => {
                let options = single(call);
                Ok(Answer::Watch(Stream::start(self, (resource, namespace), (&options, call.shape))?))
            }
            Verb::List => {
                let page = self.with_store(|store| store.list(resource, namespace, &call.options))?;
                Ok(Answer::Json(200, call.shape.list(&call.def, &page)))
            }
            Verb::Get => self.with_store(|store| get(store, call)),
            _ => {
                let now = self.now();
                self.change(|store| write(store, call, now))
            }
        }
    }
}

/// A watch of one object by its path is a watch of the collection with a field selector.
fn single(call: &Call) -> Options {
    let mut options = call.options.clone();
    if !call.info.name.is_empty() {
        options.field_selector = format!("metadata.name={}", call.info.name);
    }
    options
}

fn find_kind(store: &Store, target: &Target<'_>) -> Result<(Arc<str>, Arc<ResourceDef>), Reject> {
    let group = if target.group.is_empty() { String::new() } else { format!(".{}", target.group) };
    let resource: Arc<str> = format!("{}{group}", target.plural).into();
    let def = store.def(&resource)?;
    let placed = match def.scope {
        Scope::Cluster => target.namespace.is_empty(),
        Scope::Namespaced => !target.namespace.is_empty() || target.name.is_empty(),
    };
    let known = match target.subresource {
        None => true,
        Some("status") => def.status == Status::Subresource,
        Some("scale") => def.scale_selector.is_some(),
        Some("eviction") => def.resource() == "pods",
        Some(_) => false,
    };
    if placed && known && def.version == target.version { Ok((resource, def)) } else { Err(Reject::no_such_path()) }
}

fn address(call: &Call) -> Address {
    let RequestInfo { resource, namespace, name, .. } = &call.info;
    Address { resource: resource.clone(), namespace: namespace.clone(), name: name.clone() }
}

fn get(store: &Store, call: &Call) -> Result<Answer, Reject> {
    let at = address(call);
    match call.info.subresource.as_deref() {
        Some("scale") => Ok(Answer::Json(200, store.scale(&at)?)),
        _ => Ok(Answer::Object(200, store.get(&at)?)),
    }
}

fn write(store: &mut Store, call: &Call, now: crate::api::Time) -> Result<Answer, Reject> {
    let at = address(call);
    let subresource = call.info.subresource.as_deref();
    let dry_run = call.options.dry_run;
    let act = Act { now, actor: &call.info.actor, verb: call.info.verb, subresource, dry_run };
    match (call.info.verb, subresource) {
        (Verb::Create, Some("eviction")) => {
            store.evict(&act, &at, &json_body(call)?)?;
            Ok(Answer::Json(201, json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success" })))
        }
        (Verb::Create, _) => {
            if call.def.scope == Scope::Namespaced && at.namespace.is_empty() {
                return Err(Reject::method_not_allowed());
            }
            Ok(Answer::Object(201, store.create(&act, (&at.resource, &at.namespace), json_body(call)?)?))
        }
        (Verb::Update, Some("scale")) => {
            Ok(Answer::Json(200, store.write_scale(&act, &at, ScaleWrite::Put(json_body(call)?))?))
        }
        (Verb::Update, _) => Ok(Answer::Object(200, store.update(&act, &at, json_body(call)?)?)),
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

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn actor(headers: &HeaderMap) -> String {
    let named = [text_of(headers, ACTOR_HEADER), text_of(headers, "user-agent"), "anonymous"];
    named.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned()
}

fn reply(code: u16, value: &Value) -> Result<Response<Body>, BoxError> {
    let body = serde_json::to_vec(value)?;
    Ok(Response::builder().status(code).header(header::CONTENT_TYPE, "application/json").body(body.into())?)
}

fn refuse(refusal: &Reject) -> Result<Response<Body>, BoxError> {
    reply(refusal.code, &refusal.status())
}

fn struck(code: u16, retry_after: Option<u64>) -> Result<Response<Body>, BoxError> {
    let reason = match code {
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    let mut refusal = Reject::new(code, reason, "the server is told to refuse this request");
    if let Some(seconds) = retry_after {
        refusal.details = json!({ "retryAfterSeconds": seconds });
    }
    let mut response = refuse(&refusal)?;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

fn stream_of(stream: Stream) -> Result<Response<Body>, BoxError> {
    let chunks = futures::stream::unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((chunk, stream))
    });
    let body = Body::from_stream(chunks);
    Ok(Response::builder().status(200).header(header::CONTENT_TYPE, "application/json").body(body)?)
}
