//! Visitors: people who use the HTTP API, signed in or not.

use crate::open_request::OpenRequest;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// The password of every account that a test creates.
pub const PASSWORD: &str = "cobalt umbrella seventeen";

/// Returns the secret at the end of a link.
#[must_use]
pub fn secret(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}

/// A person who uses the HTTP API, signed in or not.
#[derive(Debug, Clone)]
pub struct Visitor {
    agent: ureq::Agent,
    /// The session cookie; empty for a person who is not signed in.
    pub cookie: String,
    base: String,
}

impl Visitor {
    /// Returns a visitor who is not signed in.
    #[must_use]
    pub fn nobody(address: &str) -> Self {
        let base = format!("http://{address}");
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let config = config.allow_non_standard_methods(true).max_redirects(0);
        let agent = config.max_redirects_will_error(false).build().into();
        Self { agent, cookie: String::new(), base }
    }

    /// Signs in a person of the demo.
    pub fn sign_in(address: &str, demo: &str) -> Result<Self> {
        Self::enter(address, "/api/v1/session", json!({ "demo": demo }))
    }

    /// Signs in with an email address and a password.
    pub fn sign_in_as(address: &str, email: &str, password: &str) -> Result<Self> {
        Self::enter(address, "/api/v1/session", json!({ "email": email, "password": password }))
    }

    /// Accepts an invitation by its link, with a new account, and joins the plan. The name of the account is the part
    /// of `email` before the `@`.
    pub fn join(address: &str, link: &str, email: &str) -> Result<Self> {
        let secret = secret(link);
        let name = email.split('@').next().unwrap_or_default();
        let account = json!({ "name": name, "email": email, "password": PASSWORD });
        let path = format!("/api/v1/invitations/{secret}");
        Self::enter(address, &path, json!({ "account": account }))
    }

    /// Posts a request whose answer sets a session cookie, and returns the visitor who holds the cookie.
    pub fn enter(address: &str, path: &str, body: Value) -> Result<Self> {
        let mut visitor = Self::nobody(address);
        let url = format!("{}{path}", visitor.base);
        let mut response = visitor.agent.post(url).send_json(body)?;
        let Some(cookie) = response.headers().get("set-cookie") else {
            bail!("{}: {}", response.status(), response.body_mut().read_to_string()?);
        };
        visitor.cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
        Ok(visitor)
    }

    pub fn get(&self, path: &str) -> Result<(u16, Value)> {
        self.request("GET", path, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Result<(u16, Value)> {
        self.request("POST", path, Some(body))
    }

    /// Sends a request. Returns the status of the answer and its JSON, or `null` if the answer has none.
    pub fn request(&self, method: &str, path: &str, body: Option<Value>) -> Result<(u16, Value)> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("cookie", &self.cookie);
        let mut response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string())?)?
            }
            None => self.agent.run(request.body(())?)?,
        };
        Ok((response.status().as_u16(), response.body_mut().read_json().unwrap_or_default()))
    }

    /// Sends a request without waiting for its answer. It is not an error if the server answers and closes before it
    /// has received the whole body: the test reads the status from the [`OpenRequest`].
    pub fn begin(&self, method: &str, path: &str, body: Option<&str>) -> Result<OpenRequest> {
        let headers = body.map_or_else(String::new, |body| {
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
        });
        let mut request = self.begin_with(method, path, &headers)?;
        let _ = request.send(body.unwrap_or_default().as_bytes());
        Ok(request)
    }

    /// Sends only the head of an upload that announces `length` bytes. The caller sends the bytes later, or never.
    pub fn begin_upload(&self, path: &str, length: usize) -> Result<OpenRequest> {
        let kind = "content-type: application/octet-stream";
        self.begin_with("POST", path, &format!("{kind}\r\ncontent-length: {length}\r\n"))
    }

    fn begin_with(&self, method: &str, path: &str, headers: &str) -> Result<OpenRequest> {
        let address = self.base.strip_prefix("http://").unwrap_or(&self.base);
        OpenRequest::begin(address, &self.cookie, (method, path), headers)
    }

    /// Uploads a file. Returns the status of the answer and its JSON, or `null` if the answer has none.
    pub fn upload(&self, path: &str, file: &[u8]) -> Result<(u16, Value)> {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("content-type", "application/octet-stream");
        let mut response = self.agent.run(request.body(file.to_vec())?)?;
        Ok((response.status().as_u16(), response.body_mut().read_json().unwrap_or_default()))
    }

    /// Downloads a file. Returns its bytes and its media type, or an error if the status is not 200.
    pub fn download(&self, path: &str) -> Result<(Vec<u8>, String)> {
        let request = ureq::http::Request::builder()
            .uri(format!("{}{path}", self.base))
            .header("cookie", &self.cookie);
        let mut response = self.agent.run(request.body(())?)?;
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let bytes = response.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec()?;
        let status = response.status();
        ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        Ok((bytes, kind))
    }

    /// Gets a page. Returns its status, its body as text, and the value of the named header, which is empty if the
    /// header is absent.
    pub fn page(&self, path: &str, header: &str) -> Result<(u16, String, String)> {
        let request = ureq::http::Request::builder()
            .uri(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .body(())?;
        let mut response = self.agent.run(request)?;
        let value = response.headers().get(header).and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default().to_owned();
        // Bytes that are not UTF-8 are replaced, so that a binary answer is not an error.
        let body = response.body_mut().read_to_vec()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok((response.status().as_u16(), text, value))
    }

    /// Returns the opaque id of the person who is signed in.
    pub fn id(&self) -> Result<String> {
        let (status, answer) = self.get("/api/v1/session")?;
        let id = answer["person"]["id"].as_str().map(str::to_owned);
        id.with_context(|| format!("not signed in: {status} {answer}"))
    }

    /// Creates an invitation to the demo plan and returns its link.
    pub fn invite(&self, seat: &str, sector: &str) -> Result<String> {
        let wanted = json!({ "invitations": [{ "seat": seat, "sector": sector }] });
        let (status, answer) = self.post("/api/v1/plans/demo/invitations", wanted)?;
        let link = answer[0]["link"].as_str().map(str::to_owned);
        link.with_context(|| format!("no invitation: {status} {answer}"))
    }

    /// Changes the seat and sector of a person in the demo plan. Returns the status of the answer.
    pub fn seat(&self, person: &str, seat: &str, sector: &str) -> Result<u16> {
        let path = format!("/api/v1/plans/demo/people/{person}");
        let standing = json!({ "seat": seat, "sector": sector });
        Ok(self.request("PUT", &path, Some(standing))?.0)
    }

    pub fn ticket(&self, document: &str) -> Result<String> {
        let (status, answer) =
            self.post(&format!("/api/v1/documents/{document}/tickets"), json!({}))?;
        let ticket = answer["ticket"].as_str().map(str::to_owned);
        ticket.with_context(|| format!("no ticket: {status} {answer}"))
    }

    /// Creates a commitment in the demo plan and returns its id.
    pub fn create(&self, title: &str) -> Result<String> {
        let (status, answer) =
            self.post("/api/v1/plans/demo/documents", json!({ "title": title }))?;
        let id = answer["id"].as_str().map(str::to_owned);
        id.with_context(|| format!("no document: {status} {answer}"))
    }

    /// Returns the characters of a text field, as the server has them on disk.
    pub fn text(&self, document: &str, field: &str) -> Result<String> {
        let (status, content) = self.get(&format!("/api/v1/documents/{document}/content"))?;
        let ops = content[field].as_array().with_context(|| format!("{status}: {content}"))?;
        Ok(ops.iter().filter_map(|op| op["insert"].as_str()).collect())
    }
}
