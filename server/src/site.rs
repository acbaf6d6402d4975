//! The address of this installation, and what follows from it: which pages are its own, the names of its cookies, and
//! the address that a request comes from.

use axum::http::{HeaderMap, HeaderName, Uri, header};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use thiserror::Error;

/// A web origin, `scheme://host[:port]`, in the form that browsers send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// The error for a text that is not a web origin.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the public address must look like https://accord.example.org, without a path")]
pub struct NotAnOrigin;

impl FromStr for PublicUrl {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| NotAnOrigin)?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        let path = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        match (scheme, uri.authority(), path) {
            (Some(scheme), Some(authority), true) if !authority.as_str().contains('@') => {
                // Browsers omit the default port of a scheme.
                let own = if scheme == "https" { ":443" } else { ":80" };
                let authority = authority.as_str().to_lowercase();
                Ok(Self(format!("{scheme}://{}", authority.trim_end_matches(own))))
            }
            _ => Err(NotAnOrigin),
        }
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kind of page that sent a request, judged by the web origin that the browser reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A page of this installation.
    Own,
    /// A page of another site.
    Foreign,
    /// The request has no `Origin` header, as usual for programs that are not browsers.
    Unsaid,
}

/// The addresses of one subscriber: a single IPv4 address, or an IPv6 /64 network. A subscriber has all 2^64 addresses
/// of such a network, so limits by address count the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressGroup(IpAddr);

impl AddressGroup {
    /// Returns the group of an address. An IPv4-mapped IPv6 address counts as the IPv4 address in it.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        })
    }
}

impl std::fmt::Display for AddressGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            IpAddr::V4(address) => write!(f, "{address}"),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Site {
    public: Option<PublicUrl>,
    /// The address that the server listens on.
    listen: SocketAddr,
    behind_proxy: bool,
}

impl Site {
    pub(crate) fn new(public: Option<PublicUrl>, listen: SocketAddr, behind_proxy: bool) -> Self {
        Self { public, listen, behind_proxy }
    }

    /// Returns the web origin with which links to this installation begin.
    pub(crate) fn base(&self) -> String {
        match &self.public {
            Some(PublicUrl(url)) => url.clone(),
            None if self.listen.ip().is_unspecified() => {
                format!("http://localhost:{}", self.listen.port())
            }
            None => format!("http://{}", self.listen),
        }
    }

    /// Returns the host of this installation, with its port if that is not the default one. This text identifies the
    /// installation.
    pub(crate) fn name(&self) -> String {
        let base = self.base();
        base.split_once("://").map_or(base.clone(), |(_, host)| host.to_owned())
    }

    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.behind_proxy
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.public.as_ref().is_some_and(|PublicUrl(url)| url.starts_with("https:"))
    }

    /// Returns whether a page of this installation sent a request, judged by the request's `Origin` header.
    ///
    /// Without a public address, only web origins at `localhost` or at a bare IP address count as this installation.
    /// Another host name could belong to an attacker who makes it resolve to this machine (DNS rebinding).
    pub(crate) fn source(&self, headers: &HeaderMap) -> Source {
        let Some(origin) = headers.get(header::ORIGIN) else { return Source::Unsaid };
        let (Ok(origin), Some(host)) = (origin.to_str(), text(headers, &header::HOST)) else {
            return Source::Foreign;
        };
        let own = match &self.public {
            Some(PublicUrl(url)) => origin == url,
            None => origin.strip_prefix("http://") == Some(host) && is_nobodys_name(host),
        };
        if own { Source::Own } else { Source::Foreign }
    }

    /// Returns the name of the session cookie. Over HTTPS it has the prefix `__Host-`: browsers let only this very host
    /// set such a cookie (RFC 6265bis).
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-accord_session" } else { "accord_session" }
    }

    /// Returns the value of a `Set-Cookie` header for a session that lives for `seconds`.
    pub(crate) fn cookie(&self, secret: &str, seconds: u64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let name = self.cookie_name();
        format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }

    /// Returns the session secret in a request's cookies, if there is one.
    pub(crate) fn session<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find_cookie(headers, self.cookie_name())
    }

    fn sign_in_cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-accord_errand" } else { "accord_errand" }
    }

    /// Returns the `Set-Cookie` value for a browser that is sent to a sign-in provider. An empty secret deletes the
    /// cookie. The cookie is `Lax`, because the browser must send it when the provider redirects back.
    pub(crate) fn sign_in_cookie(&self, secret: &str) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let (name, seconds) = (self.sign_in_cookie_name(), if secret.is_empty() { 0 } else { 600 });
        format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }

    /// Returns the secret of a browser that comes back from a sign-in provider, if there is one.
    pub(crate) fn sign_in_secret<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find_cookie(headers, self.sign_in_cookie_name())
    }

    fn devices_name(&self) -> &'static str {
        if self.is_secure() { "__Host-accord_devices" } else { "accord_devices" }
    }

    /// Returns the `Set-Cookie` value that marks a device on which people have signed in. The cookie is `Lax`, so that
    /// the browser also sends it when a sign-in provider redirects back. The cookie signs nobody in.
    pub(crate) fn devices_cookie(&self, secrets: &str, seconds: u64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let name = self.devices_name();
        format!("{name}={secrets}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }

    /// Returns the device secrets in a request's cookies, if there are any.
    pub(crate) fn devices<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find_cookie(headers, self.devices_name())
    }

    /// Returns the address of a request's client: the peer of the connection or, behind a proxy, the client that the
    /// proxy names.
    pub(crate) fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
        if !self.behind_proxy {
            return peer.to_canonical();
        }
        // The proxy appends to the header, so only the last address is trusted: the client can invent the others.
        let last = headers.get_all(FORWARDED).iter().next_back();
        let last = last.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        last.and_then(|address| address.trim().parse().ok()).unwrap_or(peer).to_canonical()
    }
}

fn find_cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_nobodys_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn site(public: Option<&str>, behind_proxy: bool) -> Site {
        let public = public.map(|url| url.parse().unwrap());
        Site::new(public, "127.0.0.1:4040".parse().unwrap(), behind_proxy)
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_pages_of_this_very_origin_are_our_own() {
        let https = Some("https://accord.example.org/");
        for (public, origin, host, expected) in [
            (https, "https://accord.example.org", "accord.example.org", Source::Own),
            (https, "https://accord.example.org", "internal:4040", Source::Own),
            (https, "http://accord.example.org", "accord.example.org", Source::Foreign),
            (https, "https://accord.example.org.evil.net", "accord.example.org", Source::Foreign),
            (https, "https://accord.example.org:8443", "accord.example.org", Source::Foreign),
            (https, "null", "accord.example.org", Source::Foreign),
            (None, "http://127.0.0.1:4040", "127.0.0.1:4040", Source::Own),
            (None, "http://localhost:4040", "localhost:4040", Source::Own),
            (None, "http://[::1]:4040", "[::1]:4040", Source::Own),
            (None, "http://127.0.0.1:4041", "127.0.0.1:4040", Source::Foreign),
            (None, "http://rebound.evil.net", "rebound.evil.net", Source::Foreign),
            (None, "https://127.0.0.1:4040", "127.0.0.1:4040", Source::Foreign),
        ] {
            let headers = headers(&[("origin", origin), ("host", host)]);
            assert_eq!(site(public, false).source(&headers), expected, "{public:?} {origin}");
        }
        assert_eq!(site(None, false).source(&HeaderMap::new()), Source::Unsaid);
    }

    #[test]
    fn a_public_address_is_an_origin() {
        for (text, expected) in [
            ("https://accord.example.org", Some("https://accord.example.org")),
            ("https://Accord.Example.org:443/", Some("https://accord.example.org")),
            ("http://127.0.0.1:4040", Some("http://127.0.0.1:4040")),
            ("https://example.org/accord", None),
            ("https://me@example.org", None),
            ("ftp://example.org", None),
            ("example.org", None),
        ] {
            let parsed = text.parse::<PublicUrl>().ok().map(|url| url.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn behind_a_proxy_the_address_is_the_one_it_added() {
        let peer: IpAddr = "10.0.0.9".parse().unwrap();
        let sent = headers(&[("x-forwarded-for", "6.6.6.6, 203.0.113.7")]);
        assert_eq!(site(None, true).address(peer, &sent).to_string(), "203.0.113.7");
        assert_eq!(site(None, false).address(peer, &sent), peer, "nobody in front is believed");
        assert_eq!(site(None, true).address(peer, &HeaderMap::new()), peer);
    }

    #[test]
    fn a_subscriber_is_one_ipv4_address_or_one_64_network() {
        let group = |address: &str| AddressGroup::of(address.parse().unwrap());
        for (one, other, same) in [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("::1", "127.0.0.1", false),
        ] {
            assert_eq!(group(one) == group(other), same, "{one} and {other}");
        }
        assert_eq!(group("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
        assert_eq!(group("::ffff:203.0.113.7").to_string(), "203.0.113.7");
    }

    #[test]
    fn over_https_the_cookie_is_bound_to_this_host() {
        let cookie = site(Some("https://a.example"), false).cookie("s", 60);
        assert!(cookie.starts_with("__Host-accord_session=s; Path=/; HttpOnly; SameSite=Strict"));
        assert!(cookie.ends_with("; Secure"), "{cookie}");
    }
}
