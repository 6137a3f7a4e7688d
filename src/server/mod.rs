//! The HTTP servers of the process: [`health`] for the kubelet, [`exposition`] for Prometheus, over [`http`].

pub mod exposition;
pub mod health;
pub mod http;
