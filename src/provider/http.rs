//! HTTP for all sources: one shared client per TLS setting, bounded answers, bounded redirects, errors without addresses' secrets.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, Url};

/// Bytes of an answer that are read, after decompression.
pub const MAX_ANSWER_BYTES: usize = 8 << 20;
/// Redirects that are followed, on one host only.
pub const MAX_REDIRECTS: usize = 5;
/// Longest wait for a connection; the whole exchange has its own limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle connections kept to one host.
const MAX_IDLE_PER_HOST: usize = 4;

/// Why an exchange gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// No client could be made.
    #[error("no HTTP client: {0}")]
    Client(String),
    /// The exchange broke.
    #[error("{0}")]
    Exchange(String),
    /// The answer is longer than we read.
    #[error("answer is longer than {MAX_ANSWER_BYTES} bytes: narrow the query")]
    TooLong,
}

impl HttpError {
    /// The innermost cause, which names no address.
    pub(super) fn exchange(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        debug_assert!(error.source().is_none() || !cause.to_string().is_empty());
        Self::Exchange(cause.to_string())
    }
}

/// Whether a server's certificate must be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It must.
    Verified,
    /// Any certificate will do (`insecure: true`).
    Any,
}

/// The shared clients, made on first use.
///
/// A rustls provider must have been installed for the process before.
#[derive(Default)]
pub struct Clients {
    verified: OnceLock<Result<Client, String>>,
    any: OnceLock<Result<Client, String>>,
}

impl Clients {
    /// The client for a TLS setting.
    pub(super) fn of(&self, trust: Trust) -> Result<&Client, HttpError> {
        let slot = match trust {
            Trust::Verified => &self.verified,
            Trust::Any => &self.any,
        };
        slot.get_or_init(|| build(trust)).as_ref().map_err(|error| HttpError::Client(error.clone()))
    }
}

fn build(trust: Trust) -> Result<Client, String> {
    // Without a provider the builder would panic.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err("no rustls provider is installed: the process must install one when it starts".to_owned());
    }
    let builder = Client::builder()
        .user_agent(concat!("siskin/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .redirect(Policy::custom(follow));
    let builder = match trust {
        Trust::Verified => builder,
        Trust::Any => builder.tls_danger_accept_invalid_certs(true),
    };
    builder.build().map_err(|error| HttpError::exchange(error).to_string())
}

/// A redirect to another host, or from TLS to plain text, is not followed: headers of the metric may be secret.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error("too many redirects");
    }
    let stays = attempt.previous().last().is_some_and(|from| {
        from.host_str() == attempt.url().host_str() && (from.scheme() == "http" || attempt.url().scheme() == "https")
    });
    if stays { attempt.follow() } else { attempt.stop() }
}

/// Reads an answer, as far as it is bounded.
pub(super) async fn read_body(mut response: Response) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(HttpError::exchange)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(HttpError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An address as it may be shown: without user and password.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses that cannot hold a user, and those have none to show.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}
