//! One conversation with a provider: a few HTTP requests, with one deadline for all of them and a size limit for each
//! response. All calls block.

use openidconnect::{HttpRequest, HttpResponse};
use std::cell::Cell;
use std::time::{Duration, Instant};
use ureq::http;
use ureq::http::header::CACHE_CONTROL;

/// Maximum duration of one conversation, whatever the provider does.
pub(super) const DEADLINE: Duration = Duration::from_secs(8);
/// Maximum time for resolving the name of a provider's host, and again for connecting to the host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum size of a provider's response, in bytes. Discovery documents and key sets have a few kilobytes.
const MAX_ANSWER_BYTES: u64 = 256 * 1024;
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Returns the HTTP client for a provider.
pub(super) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        // Redirects are not followed: a provider could redirect the server to any address inside the server's own
        // network.
        .max_redirects(0)
        .max_response_header_size(MAX_HEADER_BYTES)
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(DEADLINE))
        .build()
        .into()
}

pub(super) struct Conversation {
    agent: ureq::Agent,
    until: Instant,
    /// The shortest time for which any response so far is allowed to be kept, in milliseconds, or `None` if no response
    /// has stated a time.
    keep_ms: Cell<Option<u64>>,
}

impl Conversation {
    pub(super) fn new(agent: ureq::Agent) -> Self {
        Self { agent, until: Instant::now() + DEADLINE, keep_ms: Cell::new(None) }
    }

    /// Returns the time for which all responses so far are allowed to be kept, in milliseconds, or `None` if the
    /// provider has stated no time.
    pub(super) fn keep_ms(&self) -> Option<u64> {
        self.keep_ms.get()
    }

    /// Sends one request and reads the whole response.
    ///
    /// # Errors
    /// Returns an error if the provider can't be reached, if the response is too large, or if the deadline passes.
    pub(super) fn call(&self, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ureq::Error::Timeout(ureq::Timeout::Global));
        }
        let (parts, body) = request.into_parts();
        let response = if body.is_empty() {
            let request = http::Request::from_parts(parts, ());
            self.agent.run(self.agent.configure_request(request).timeout_global(Some(left)).build())
        } else {
            let request = http::Request::from_parts(parts, body);
            self.agent.run(self.agent.configure_request(request).timeout_global(Some(left)).build())
        };
        let (parts, mut body) = response?.into_parts();
        let named = parts.headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        if let Some(ms) = named.and_then(max_age_ms) {
            self.keep_ms.set(Some(self.keep_ms.get().map_or(ms, |shortest| shortest.min(ms))));
        }
        let body = body.with_config().limit(MAX_ANSWER_BYTES).read_to_vec()?;
        Ok(http::Response::from_parts(parts, body))
    }
}

/// Returns the time for which `Cache-Control` allows a response to be kept (RFC 9111, section 5.2.2), in milliseconds,
/// or `None` if the header does not state one.
fn max_age_ms(header: &str) -> Option<u64> {
    let directives = header.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    directives
        .filter_map(|directive| match directive.as_str() {
            "no-store" | "no-cache" => Some(0),
            other => other
                .strip_prefix("max-age=")
                .and_then(|seconds| seconds.trim_matches('"').parse::<u64>().ok())
                .map(|seconds| seconds.saturating_mul(1_000)),
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_directive_counts() {
        for (header, expected) in [
            ("max-age=600", Some(600_000)),
            ("public, Max-Age=60 , must-revalidate", Some(60_000)),
            ("max-age=600, no-store", Some(0)),
            ("max-age=99999999999999999999", None),
            ("max-age=18446744073709551615", Some(u64::MAX)),
            ("private", None),
            ("", None),
        ] {
            assert_eq!(max_age_ms(header), expected, "{header}");
        }
    }
}
