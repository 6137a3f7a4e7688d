//! `OAuth2` client credentials: a token for one exchange. Tokens are not kept, so that none has to be guarded.

use std::fmt::Write as _;

use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;

use super::http::{HttpError, read_body};
use crate::api::metric_provider::Oauth2;

/// Why there is no token. Answers of token servers are not shown: they may repeat what they were sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The address of the token server is none.
    #[error("oauth2: tokenUrl is not in url format")]
    Address,
    /// The server did not answer.
    #[error("oauth2: cannot fetch token: {0}")]
    Http(#[from] HttpError),
    /// The server refused.
    #[error("oauth2: cannot fetch token: status {0}")]
    Refused(u16),
    /// The answer holds no token.
    #[error("oauth2: cannot fetch token: server response missing access_token")]
    NoToken,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: String,
}

/// Fetches a token. Where the server does not take the client's secret as a header it is asked again with the secret in
/// the form, as Go's `oauth2` package does.
pub(super) async fn token(client: &Client, settings: &Oauth2) -> Result<String, TokenError> {
    let url: Url = settings.token_url.parse().map_err(|_| TokenError::Address)?;
    let form = |extra: &[(&'static str, &str)]| {
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        if !settings.scopes.is_empty() {
            form.push(("scope", settings.scopes.join(" ")));
        }
        form.extend(extra.iter().map(|(key, value)| (*key, (*value).to_owned())));
        form
    };
    let by_header = client
        .post(url.clone())
        .basic_auth(form_encoded(&settings.client_id), Some(form_encoded(&settings.client_secret)))
        .form(&form(&[]));
    match ask(by_header).await {
        Err(TokenError::Refused(_)) => {}
        other => return other,
    }
    let secret = [("client_id", settings.client_id.as_str()), ("client_secret", settings.client_secret.as_str())];
    ask(client.post(url).form(&form(&secret))).await
}

/// RFC 6749 wants id and secret encoded like form fields before they become a header.
fn form_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

async fn ask(request: RequestBuilder) -> Result<String, TokenError> {
    let response = request.send().await.map_err(HttpError::exchange)?;
    let status = response.status();
    if !status.is_success() {
        return Err(TokenError::Refused(status.as_u16()));
    }
    let body = read_body(response).await?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| TokenError::NoToken)?;
    if answer.access_token.is_empty() { Err(TokenError::NoToken) } else { Ok(answer.access_token) }
}
