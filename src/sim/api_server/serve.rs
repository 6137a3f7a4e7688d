//! The server behind a loopback listener, for kubectl and anything else that speaks HTTP.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use tokio::net::TcpListener;
use tower::{BoxError, Service, ServiceExt};

use super::server::ApiServer;

impl ApiServer {
    /// The routes of the server, to be merged with others (Prometheus) under one listener.
    pub fn router(&self) -> Router {
        let server = self.clone();
        Router::new().fallback_service(tower::service_fn(move |request: Request<Body>| {
            let mut server = server.clone();
            async move {
                let answer = match ServiceExt::<Request<Body>>::ready(&mut server).await {
                    Ok(ready) => ready.call(request).await,
                    Err(error) => Err(error),
                };
                Ok::<_, Infallible>(answer.unwrap_or_else(broken))
            }
        }))
    }

    /// Serves plain HTTP until the future is dropped or the listener fails. Refuses listeners off loopback: nobody is
    /// authenticated.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            let why =
                format!("{address} is not a loopback address: listen on 127.0.0.1, this server lets everybody in");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        axum::serve(listener, self.router()).await
    }
}

/// A transport error, as far as HTTP can show one from the inside: the body breaks off.
fn broken(error: BoxError) -> Response<Body> {
    Response::new(Body::from_stream(futures::stream::once(async { Err::<bytes::Bytes, BoxError>(error) })))
}

/// A kubeconfig for a server at `address`.
pub fn kubeconfig(address: SocketAddr) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: siskin-sim\n  cluster:\n    server: http://{address}\nusers:\n- name: siskin-sim\n  \
         user: {{}}\ncontexts:\n- name: siskin-sim\n  context:\n    cluster: siskin-sim\n    user: siskin-sim\n    namespace: default\n\
         current-context: siskin-sim\n"
    )
}
