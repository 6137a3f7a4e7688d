//! `/healthz`: the process lives. `/readyz`: its caches are filled, or what is missing.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The routes. `missing` says what is not ready, a line each.
pub fn router(missing: impl Fn() -> Vec<String> + Send + Sync + 'static) -> Router {
    let missing = Arc::new(missing);
    let readyz = move || {
        let missing = missing();
        async move {
            if missing.is_empty() {
                return text(StatusCode::OK, "ok".to_owned());
            }
            text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready:\n{}\n", missing.join("\n")))
        }
    };
    // Argo: cmd/rollouts-controller serves `ok` always; liveness must not depend on the API server.
    Router::new()
        .route("/healthz", get(|| async { text(StatusCode::OK, "ok".to_owned()) }))
        .route("/readyz", get(readyz))
}

/// The headers of Go's `http.Error`, which probes of existing installations may compare.
fn text(status: StatusCode, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn ask(path: &str, missing: &'static [&'static str]) -> (u16, String, String) {
        let router = router(move || missing.iter().map(|line| (*line).to_owned()).collect());
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let header = |name| response.headers()[name].to_str().unwrap().to_owned();
        let headers = format!("{}; {}", header("content-type"), header("x-content-type-options"));
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    const HEADERS: &str = "text/plain; charset=utf-8; nosniff";

    #[tokio::test]
    async fn life_does_not_depend_on_readiness() {
        assert_eq!(ask("/healthz", &["pods"]).await, (200, HEADERS.to_owned(), "ok".to_owned()));
    }

    #[tokio::test]
    async fn readiness_says_what_is_missing() {
        assert_eq!(ask("/readyz", &[]).await, (200, HEADERS.to_owned(), "ok".to_owned()));
        let expected = "not ready:\npods: forbidden\nservices: starting\n".to_owned();
        let got = ask("/readyz", &["pods: forbidden", "services: starting"]).await;
        assert_eq!(got, (503, HEADERS.to_owned(), expected));
    }
}
