//! Where this installation is found, and what follows from that: which pages are its own, how its
//! cookie is named, and whose address a request comes from.

use axum::http::{HeaderMap, HeaderName, Uri, header};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use thiserror::Error;

/// `scheme://host[:port]`, as browsers write an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A text is not the origin of a web site.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the public address is like https://accord.example.org, without a path")]
pub struct NotAnOrigin;

impl FromStr for PublicUrl {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| NotAnOrigin)?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        let path = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        match (scheme, uri.authority(), path) {
            (Some(scheme), Some(authority), true) if !authority.as_str().contains('@') => {
                // Browsers leave a scheme's own port out.
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

/// Where a request comes from, as the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// One of our own pages.
    Own,
    /// A page of somebody else.
    Foreign,
    /// Not said: programs that are not browsers say nothing.
    Unsaid,
}

/// The addresses that one subscriber has: a single IPv4 address, or a /64 network of IPv6. A subscriber
/// has all 2^64 addresses of such a network, so limits by address count the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressGroup(IpAddr);

impl AddressGroup {
    /// The group that an address belongs to. An IPv4-mapped IPv6 address counts as the IPv4 address in it.
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
    /// The address listened on.
    listen: SocketAddr,
    behind_proxy: bool,
}

impl Site {
    pub(crate) fn new(public: Option<PublicUrl>, listen: SocketAddr, behind_proxy: bool) -> Self {
        Self { public, listen, behind_proxy }
    }

    /// The start of every link to this installation.
    pub(crate) fn base(&self) -> String {
        match &self.public {
            Some(PublicUrl(url)) => url.clone(),
            None if self.listen.ip().is_unspecified() => {
                format!("http://localhost:{}", self.listen.port())
            }
            None => format!("http://{}", self.listen),
        }
    }

    /// What the installation is called among others: its host.
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

    /// Whose page a request comes from.
    ///
    /// Without a public address only what can't be somebody else's name is our own: this machine,
    /// or a bare address. A name could be made to point here (DNS rebinding).
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

    /// Cookies with this prefix can be set only by this very host, over HTTPS (RFC 6265bis).
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-accord_session" } else { "accord_session" }
    }

    /// A session cookie that lives for `seconds`.
    pub(crate) fn cookie(&self, secret: &str, seconds: u64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let name = self.cookie_name();
        format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }

    /// The session secret that a request brings.
    pub(crate) fn session<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find_cookie(headers, self.cookie_name())
    }

    fn errand_name(&self) -> &'static str {
        if self.is_secure() { "__Host-accord_errand" } else { "accord_errand" }
    }

    /// The cookie of a browser that was sent to a sign-in provider; none any more for an empty secret.
    /// It must come along when the provider sends the browser back, so that it is `Lax`.
    pub(crate) fn errand_cookie(&self, secret: &str) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let (name, seconds) = (self.errand_name(), if secret.is_empty() { 0 } else { 600 });
        format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }

    /// The secret of a browser that comes back from a sign-in provider.
    pub(crate) fn errand<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find_cookie(headers, self.errand_name())
    }

    fn devices_name(&self) -> &'static str {
        if self.is_secure() { "__Host-accord_devices" } else { "accord_devices" }
    }

    /// The cookie by which a device is known that somebody signed in with. It is `Lax` so that it also comes
    /// along when a sign-in provider sends the browser back; it signs nobody in.
    pub(crate) fn devices_cookie(&self, secrets: &str, seconds: u64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let name = self.devices_name();
        format!("{name}={secrets}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }

    /// The device secrets that a request brings.
    pub(crate) fn devices<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        find_cookie(headers, self.devices_name())
    }

    /// Whose address a request comes from: the peer's, or what the proxy in front says it is.
    pub(crate) fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
        if !self.behind_proxy {
            return peer.to_canonical();
        }
        // The proxy adds to the end; whatever stands before may be invented.
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
