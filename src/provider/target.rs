//! Where and how a Prometheus is asked: the settings of a metric, checked.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;

use super::http::Trust;
use crate::api::metric_provider::{Authentication, Oauth2, PrometheusMetric};

/// Time limit of an exchange where the metric sets none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest time limit: a measurement must not outlive every run.
const MAX_TIMEOUT: Duration = Duration::from_hours(1);

/// Why a metric's settings cannot be used. The texts of the first five are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SettingsError {
    /// Neither the metric nor the controller names a server.
    #[error("prometheus address is not configured")]
    NoAddress,
    /// The address has no scheme or no host.
    #[error("prometheus address is not is url format")]
    Address,
    /// The time limit is below zero.
    #[error("prometheus timeout should not be negative")]
    Timeout,
    /// `OAuth2` without id or secret.
    #[error("missing mandatory parameter in metric for OAuth2 setup")]
    Oauth2,
    /// A header that HTTP does not allow. Its value is not shown.
    #[error("header {0:?} is not a valid HTTP header")]
    Header(String),
}

/// How a Prometheus is told who asks.
pub(super) enum Who {
    /// It is not.
    Nobody,
    /// By user and password.
    Basic(String, String),
    /// By a token that is fetched first.
    Oauth2(Oauth2),
}

/// A Prometheus to ask.
pub(super) struct Target {
    /// Its base address, without a slash at the end of the path.
    pub base: Url,
    /// Time limit of the whole exchange.
    pub timeout: Duration,
    /// Whether its certificate must be valid.
    pub trust: Trust,
    /// Headers of the metric; they replace ours.
    pub headers: HeaderMap,
    /// Who asks.
    pub who: Who,
}

impl Target {
    /// Checks the settings; `default_address` is the controller's, empty for none.
    pub(super) fn of(settings: &PrometheusMetric, default_address: &str) -> Result<Self, SettingsError> {
        let address = if settings.address.is_empty() { default_address } else { &settings.address };
        if address.is_empty() {
            return Err(SettingsError::NoAddress);
        }
        let base: Url = address.parse().map_err(|_| SettingsError::Address)?;
        if !base.has_host() {
            return Err(SettingsError::Address);
        }
        Ok(Self {
            base,
            timeout: timeout(settings.timeout)?,
            trust: if settings.insecure { Trust::Any } else { Trust::Verified },
            headers: headers(settings)?,
            who: who(settings.authentication.as_ref())?,
        })
    }

    /// The address of an endpoint such as `/api/v1/query`.
    pub(super) fn endpoint(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let joined = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&joined);
        url
    }
}

/// 0 counts as absent: a limit that no exchange can keep is of no use to anyone.
fn timeout(seconds: Option<i64>) -> Result<Duration, SettingsError> {
    match seconds {
        None | Some(0) => Ok(DEFAULT_TIMEOUT),
        Some(seconds) => {
            let seconds = u64::try_from(seconds).map_err(|_| SettingsError::Timeout)?;
            Ok(Duration::from_secs(seconds).min(MAX_TIMEOUT))
        }
    }
}

fn headers(settings: &PrometheusMetric) -> Result<HeaderMap, SettingsError> {
    let mut out = HeaderMap::new();
    for header in &settings.headers {
        let refused = || SettingsError::Header(header.key.clone());
        let name: HeaderName = header.key.parse().map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(&header.value).map_err(|_| refused())?;
        value.set_sensitive(true);
        out.insert(name, value);
    }
    Ok(out)
}

fn who(authentication: Option<&Authentication>) -> Result<Who, SettingsError> {
    let Some(authentication) = authentication else { return Ok(Who::Nobody) };
    if let Some(basic) = &authentication.basic_auth
        && !basic.username.is_empty()
        && !basic.password.is_empty()
    {
        return Ok(Who::Basic(basic.username.clone(), basic.password.clone()));
    }
    match &authentication.oauth2 {
        Some(oauth2) if !oauth2.token_url.is_empty() => {
            if oauth2.client_id.is_empty() || oauth2.client_secret.is_empty() {
                return Err(SettingsError::Oauth2);
            }
            Ok(Who::Oauth2(oauth2.clone()))
        }
        _ => Ok(Who::Nobody),
    }
}
