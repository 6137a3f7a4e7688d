//! Listening and serving until told to stop. What is served comes as a router.

use std::net::{Ipv6Addr, SocketAddr};

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;

/// Why a server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process has the port.
    #[error("port {port} is in use by another process: choose another with {flag}")]
    PortTaken {
        /// The port.
        port: u16,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// The port cannot be had for another reason.
    #[error("cannot listen on port {port}: {cause}. Choose another with {flag}")]
    Listen {
        /// The port.
        port: u16,
        /// The flag that changes it.
        flag: &'static str,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Serving broke off.
    #[error("serving on {address} broke off: {cause}")]
    Broken {
        /// Where.
        address: String,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// Listens on `port` of every address, IPv6 as well as IPv4; `flag` is the command line's name for the port, for
/// the error. Port 0 takes any free one.
pub fn listen(port: u16, flag: &'static str) -> Result<TcpListener, ServeError> {
    // Some nodes have no IPv6 at all.
    let listener = match bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) {
        Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => bind(SocketAddr::from(([0, 0, 0, 0], port))),
        other => other,
    };
    listener.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AddrInUse => ServeError::PortTaken { port, flag },
        _ => ServeError::Listen { port, flag, cause },
    })
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    // A restart must not wait for the connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `router` until `stop`; requests that are under way then are still answered.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> Result<(), ServeError> {
    let address = listener.local_addr().map_or_else(|_| "an unknown address".to_owned(), |at| at.to_string());
    let served = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
    served.await.map_err(|cause| ServeError::Broken { address, cause })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "joined at the end")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_names_the_flag() {
        let first = listen(0, "--healthzPort").unwrap();
        let port = first.local_addr().unwrap().port();
        let error = listen(port, "--healthzPort").unwrap_err();
        let text = format!("port {port} is in use by another process: choose another with --healthzPort");
        assert_eq!(error.to_string(), text);
    }

    #[tokio::test]
    async fn serving_ends_when_asked() {
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listen(0, "--healthzPort").unwrap(), Router::new(), stop.clone()));
        stop.cancel();
        serving.await.unwrap().unwrap();
    }
}
