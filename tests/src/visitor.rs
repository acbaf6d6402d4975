//! Visitors of the HTTP API, signed in or not.

use crate::open_request::OpenRequest;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// The password of everybody who joins in a test.
pub const PASSWORD: &str = "cobalt umbrella seventeen";

/// The secret at the end of a link.
#[must_use]
pub fn secret(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}

/// A person at the HTTP API, signed in or not.
#[derive(Debug, Clone)]
pub struct Visitor {
    agent: ureq::Agent,
    /// The session cookie; empty for a person who is not signed in.
    pub cookie: String,
    base: String,
}

impl Visitor {
    /// Somebody who is not signed in.
    #[must_use]
    pub fn nobody(address: &str) -> Self {
        let base = format!("http://{address}");
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let config = config.allow_non_standard_methods(true).max_redirects(0);
        let agent = config.max_redirects_will_error(false).build().into();
        Self { agent, cookie: String::new(), base }
    }

    /// Signs a demo person in.
    pub fn sign_in(address: &str, demo: &str) -> Result<Self> {
        Self::enter(address, "/api/v1/session", json!({ "demo": demo }))
    }

    /// Signs in by address and password.
    pub fn sign_in_as(address: &str, email: &str, password: &str) -> Result<Self> {
        Self::enter(address, "/api/v1/session", json!({ "email": email, "password": password }))
    }

    /// Joins a plan by an invitation's link, with a new account.
    pub fn join(address: &str, link: &str, email: &str) -> Result<Self> {
        let secret = secret(link);
        let name = email.split('@').next().unwrap_or_default();
        let account = json!({ "name": name, "email": email, "password": PASSWORD });
        let path = format!("/api/v1/invitations/{secret}");
        Self::enter(address, &path, json!({ "account": account }))
    }

    /// Posts a request that is answered with a session cookie.
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

    /// Sends a request. Returns the status and the JSON of the answer, `null` if it has none.
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

    /// Sends a request without waiting for its answer. If the server answers and closes before it has the whole body, that is
    /// no error: the answer tells.
    pub fn begin(&self, method: &str, path: &str, body: Option<&str>) -> Result<OpenRequest> {
        let headers = body.map_or_else(String::new, |body| {
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
        });
        let mut request = self.begin_with(method, path, &headers)?;
        let _ = request.send(body.unwrap_or_default().as_bytes());
        Ok(request)
    }

    /// Announces a file of so many bytes, of which nothing is sent yet.
    pub fn begin_upload(&self, path: &str, length: usize) -> Result<OpenRequest> {
        let kind = "content-type: application/octet-stream";
        self.begin_with("POST", path, &format!("{kind}\r\ncontent-length: {length}\r\n"))
    }

    fn begin_with(&self, method: &str, path: &str, headers: &str) -> Result<OpenRequest> {
        let address = self.base.strip_prefix("http://").unwrap_or(&self.base);
        OpenRequest::begin(address, &self.cookie, (method, path), headers)
    }

    /// Sends a file; gives the status and the JSON of the answer.
    pub fn upload(&self, path: &str, file: &[u8]) -> Result<(u16, Value)> {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .header("content-type", "application/octet-stream");
        let mut response = self.agent.run(request.body(file.to_vec())?)?;
        Ok((response.status().as_u16(), response.body_mut().read_json().unwrap_or_default()))
    }

    /// A file, with its media type.
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

    /// Gets a page. Returns the status, the body as text, and the value of a header.
    pub fn page(&self, path: &str, header: &str) -> Result<(u16, String, String)> {
        let request = ureq::http::Request::builder()
            .uri(format!("{}{path}", self.base))
            .header("cookie", &self.cookie)
            .body(())?;
        let mut response = self.agent.run(request)?;
        let value = response.headers().get(header).and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default().to_owned();
        // Bytes that are no UTF-8 are replaced.
        let body = response.body_mut().read_to_vec()?;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok((response.status().as_u16(), text, value))
    }

    /// The opaque id of the person who is signed in.
    pub fn id(&self) -> Result<String> {
        let (status, answer) = self.get("/api/v1/session")?;
        let id = answer["person"]["id"].as_str().map(str::to_owned);
        id.with_context(|| format!("not signed in: {status} {answer}"))
    }

    /// Makes an invitation to the demo plan, and gives its link.
    pub fn invite(&self, seat: &str, sector: &str) -> Result<String> {
        let wanted = json!({ "invitations": [{ "seat": seat, "sector": sector }] });
        let (status, answer) = self.post("/api/v1/plans/demo/invitations", wanted)?;
        let link = answer[0]["link"].as_str().map(str::to_owned);
        link.with_context(|| format!("no invitation: {status} {answer}"))
    }

    /// Changes somebody's seat in the demo plan.
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

    /// A new commitment in the demo plan.
    pub fn create(&self, title: &str) -> Result<String> {
        let (status, answer) =
            self.post("/api/v1/plans/demo/documents", json!({ "title": title }))?;
        let id = answer["id"].as_str().map(str::to_owned);
        id.with_context(|| format!("no document: {status} {answer}"))
    }

    /// The characters of a text field, as the server has them on disk.
    pub fn text(&self, document: &str, field: &str) -> Result<String> {
        let (status, content) = self.get(&format!("/api/v1/documents/{document}/content"))?;
        let ops = content[field].as_array().with_context(|| format!("{status}: {content}"))?;
        Ok(ops.iter().filter_map(|op| op["insert"].as_str()).collect())
    }
}
