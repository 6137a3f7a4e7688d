//! `/metrics`, for Prometheus.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::telemetry::metrics::Metrics;

/// Argo's default exposition: Prometheus' text format 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The route, which renders `metrics` at each request.
pub fn router(metrics: Metrics) -> Router {
    let scrape = move || {
        let rendered = metrics.render();
        async move {
            match rendered {
                Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
                Err(error) => {
                    let text = format!("the metrics cannot be rendered: {error}\n");
                    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
                }
            }
        }
    };
    Router::new().route("/metrics", get(scrape))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_scrape_shows_the_state_of_now() {
        let metrics = Metrics::new().unwrap();
        let router = router(metrics.clone());
        metrics.rollouts.failed("shop", "web");
        let request = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], TEXT_FORMAT);
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let scrape = prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
        let error = scrape.samples.iter().find(|sample| sample.metric == "rollout_reconcile_error").unwrap();
        assert_eq!(error.labels.get("name"), Some("web"));
    }
}
