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
use super::reject::Reject;
use super::request::{self, Options, RequestInfo, Target, Verb};
use super::server::ApiServer;
use super::store::{Address, Store};
use super::table::Shape;
use super::watch::Stream;
use super::writes;

/// The header that names the writer in the journal.
pub(crate) const ACTOR_HEADER: &str = "x-siskin-actor";
/// The longest request body, as etcd's limit.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// What a request asks for, all told.
pub(crate) struct Call {
    pub info: RequestInfo,
    pub def: Arc<ResourceDef>,
    pub options: Options,
    pub shape: Shape,
    pub content_type: String,
    pub body: Bytes,
    /// Whose the written fields are; empty where the caller is in this process and did not say.
    pub manager: String,
}

pub(crate) enum Answer {
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
            Some(Fault::Denial { code, message }) => return refuse(&Reject::new(*code, "Forbidden", message.as_str())),
            Some(Fault::DropBefore) => return Err("connection reset before the request was read".into()),
            Some(Fault::Delay(delay)) => self.sleep_until(self.now() + *delay).await,
            Some(Fault::LoseResponse | Fault::Late(_)) | None => {}
        }
        let mut warnings = Vec::new();
        let answer = self.carry_out(&call, &mut warnings);
        if fault == Some(Fault::LoseResponse) {
            return Err("connection reset before the response was sent".into());
        }
        if let Some(Fault::Late(delay)) = &fault {
            self.sleep_until(self.now() + *delay).await;
        }
        let response = match answer {
            Ok(Answer::Json(code, value)) => reply(code, &value),
            Ok(Answer::Object(code, object)) => reply(code, &call.shape.object(&call.def, &object)),
            Ok(Answer::Watch(stream)) => stream_of(stream),
            Err(refusal) => refuse(&refusal),
        };
        response.map(|response| warned(response, &warnings))
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
        let content_type = text_of(&parts.headers, "content-type").to_owned();
        let manager = manager(&parts.headers, &options);
        Ok(Call { info, def, options, shape, content_type, body, manager })
    }

    fn carry_out(&self, call: &Call, warnings: &mut Vec<String>) -> Result<Answer, Reject> {
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
                self.change(|store| {
                    store.warnings.clear();
                    let answer = writes::write(store, call, now);
                    *warnings = std::mem::take(&mut store.warnings);
                    answer
                })
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
        Some("eviction") => &*resource == "pods",
        Some("log" | "exec" | "attach" | "portforward" | "proxy") if &*resource == "pods" => {
            return Err(Reject::no_programs(target.subresource.unwrap_or_default()));
        }
        Some(_) => false,
    };
    if placed && known && def.version == target.version { Ok((resource, def)) } else { Err(Reject::no_such_path()) }
}

pub(crate) fn address(call: &Call) -> Address {
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

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn actor(headers: &HeaderMap) -> String {
    let named = [text_of(headers, ACTOR_HEADER), text_of(headers, "user-agent"), "anonymous"];
    named.into_iter().find(|name| !name.is_empty()).unwrap_or_default().to_owned()
}

/// The field manager: as named, else the program in `User-Agent`. Who writes from within this process owns fields of
/// objects that are tracked, and makes none tracked.
fn manager(headers: &HeaderMap, options: &Options) -> String {
    if !options.field_manager.is_empty() || headers.contains_key(ACTOR_HEADER) {
        return options.field_manager.clone();
    }
    let program = text_of(headers, "user-agent").split('/').next().unwrap_or_default();
    if program.is_empty() { "unknown".to_owned() } else { program.to_owned() }
}

/// Puts each warning into a header of its own; those that no header can hold are left out.
fn warned(mut response: Response<Body>, warnings: &[String]) -> Response<Body> {
    for warning in warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = http::HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

fn reply(code: u16, value: &Value) -> Result<Response<Body>, BoxError> {
    let body = serde_json::to_vec(value)?;
    Ok(Response::builder().status(code).header(header::CONTENT_TYPE, "application/json").body(body.into())?)
}

fn refuse(refusal: &Reject) -> Result<Response<Body>, BoxError> {
    let mut response = reply(refusal.code, &refusal.status())?;
    if let Some(seconds) = refusal.details.get("retryAfterSeconds").and_then(Value::as_u64) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
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
    refuse(&refusal)
}

fn stream_of(stream: Stream) -> Result<Response<Body>, BoxError> {
    let chunks = futures::stream::unfold(stream, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((chunk, stream))
    });
    let body = Body::from_stream(chunks);
    Ok(Response::builder().status(200).header(header::CONTENT_TYPE, "application/json").body(body)?)
}
