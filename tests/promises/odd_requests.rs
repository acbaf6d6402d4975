//! Whatever path, query or body a client sends, the server never answers with a status of 500 or above, which would
//! mean that the server is at fault.
//!
//! Routes and bodies come from the API's own description, so that a new route is tested automatically.

use accord_tests::{SOON, Server, Visitor};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

/// Segments that replace a parameter in a path. Each is malformed, or names nothing that exists.
const SEGMENTS: [&str; 24] = [
    "%ff",
    "%c3%28",
    "%ed%a0%80",
    "%00",
    "a%00b",
    "%",
    "%zz",
    "..",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cwindows",
    "\\",
    "%5c",
    "%0d%0aX-Odd:%201",
    "%20",
    "%E2%80%AE",
    "%F0%9F%98%80",
    "-1",
    "0",
    "1e3",
    "18446744073709551615",
    "99999999999999999999999",
    "a;b=c",
    "demo%2F..",
];
const QUERIES: [&str; 10] = [
    "?%ff",
    "?format=%ff",
    "?format=%00",
    "?from=-1&to=99999999999999999999999",
    "?since=18446744073709551615",
    "?from=18446744073709551615&to=18446744073709551615",
    "?at=%c3%28",
    "?state=%00&code=%ff&error=%0d%0a",
    "?invitation=%ff&link=maybe",
    "?=&&&==",
];
/// Paths outside the API. `{x}` stands for the segment under test.
const PAGES: [&str; 13] = [
    "/r/{x}",
    "/r/{x}/1",
    "/r/demo/{x}",
    "/r/demo/1/{x}",
    "/r/{x}/compare/1/2",
    "/r/demo/compare/{x}/{x}",
    "/r/{x}/compare/2/1",
    "/p/{x}",
    "/sync/{x}",
    "/{x}",
    "/assets/{x}",
    "/documents/{x}/history",
    "/{x}.js",
];

/// Sends a request unchanged, reads its answer to the end, and returns the status.
fn send(visitor: &Visitor, method: &str, path: &str, body: &str) -> Result<u16> {
    let mut request = visitor.begin(method, path, Some(body))?;
    let status = request.status(SOON).with_context(|| format!("{method} {path:.80}"))?;
    // An error here is fine, because a server that has refused a request is allowed to reset the connection.
    let _ = request.rest();
    Ok(status)
}

struct Operation {
    method: String,
    path: String,
    /// The schema of the body, or `None` if the operation has no JSON body.
    body: Option<Value>,
}

/// Returns all operations that the API describes, with the references in their schemas resolved.
fn operations(visitor: &Visitor) -> Result<Vec<Operation>> {
    let (_, api) = visitor.get("/api/v1/openapi.json")?;
    let mut all = Vec::new();
    for (path, methods) in api["paths"].as_object().context("paths")? {
        for (method, operation) in methods.as_object().context("methods")? {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = (!body.is_null()).then(|| resolved(&api, body));
            all.push(Operation { method: method.to_uppercase(), path: path.clone(), body });
        }
    }
    Ok(all)
}

fn resolved(api: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return resolved(api, &api["components"]["schemas"][name.rsplit('/').next().unwrap_or("")]);
    }
    match schema {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), resolved(api, member))).collect()
        }
        Value::Array(all) => all.iter().map(|one| resolved(api, one)).collect(),
        other => other.clone(),
    }
}

/// Returns a body that fits a schema, with `text` in place of every free text. `which` chooses among variants.
fn filled(schema: &Value, text: &str, which: usize) -> Value {
    for way in ["oneOf", "anyOf"] {
        let all = schema[way].as_array().map(Vec::as_slice).unwrap_or_default();
        let all: Vec<_> = all.iter().filter(|one| one["type"] != "null").collect();
        if !all.is_empty() {
            return filled(all[which % all.len()], text, which);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        let parts = all.iter().filter_map(|one| filled(one, text, which).as_object().cloned());
        return parts.flatten().collect::<Map<_, _>>().into();
    }
    if let Some(value) = schema["enum"].as_array().and_then(|all| all.first()) {
        return value.clone();
    }
    let kind = schema["type"].as_array().map_or(&schema["type"], |all| &all[0]);
    match kind.as_str().unwrap_or("object") {
        "string" => text.into(),
        "integer" | "number" => 1.into(),
        "boolean" => true.into(),
        "array" => json!([filled(&schema["items"], text, which)]),
        _ => {
            let members = schema["properties"].as_object().cloned().unwrap_or_default();
            members.iter().map(|(name, one)| (name.clone(), filled(one, text, which))).collect()
        }
    }
}

/// Returns a path with each name in braces replaced by `value`, or by something that exists if `value` is `None`.
fn at(path: &str, value: Option<&str>) -> String {
    path.split('/')
        .map(|part| match (part, value) {
            (part, Some(value)) if part.starts_with('{') => value,
            ("{plan}" | "{document}", None) => "demo",
            ("{person}", None) => "demo-obi",
            (part, None) if part.starts_with('{') => "1",
            (part, _) => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

#[test]
fn no_path_or_query_makes_the_server_fail() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let visitors = [server.visit("fay")?, server.visit("ida")?, Visitor::nobody(&server.address)];
    let operations = operations(&visitors[0])?;
    let long = ["a".repeat(4_000), "%F0%9F%98%80".repeat(1_000), "a".repeat(60_000)];
    let segments = SEGMENTS.into_iter().chain(long.iter().map(String::as_str));
    for segment in segments {
        for Operation { method, path, .. } in operations.iter().filter(|one| one.path.contains('{'))
        {
            let path = at(path, Some(segment));
            for visitor in &visitors {
                let status = send(visitor, method, &path, "{}")?;
                ensure!(status < 500, "{method} {path:.120} gives {status}");
            }
        }
        for page in PAGES {
            let path = page.replace("{x}", segment);
            let status = send(&visitors[0], "GET", &path, "")?;
            ensure!(status < 500, "GET {path:.120} gives {status}");
        }
    }
    for query in QUERIES {
        for Operation { path, .. } in operations.iter().filter(|one| one.method == "GET") {
            let path = format!("{}{query}", at(path, None));
            let status = send(&visitors[0], "GET", &path, "")?;
            ensure!(status < 500, "GET {path} gives {status}");
        }
    }
    ensure!(send(&visitors[0], "GET", "/readyz", "")? == 200);
    Ok(())
}

/// A program can read the reason of every refusal, also of those that come before any handler.
/// Whether the message of an answer is a sentence without the words of the libraries that read requests.
fn is_for_people(answer: &Value) -> bool {
    let message = answer["message"].as_str().unwrap_or_default();
    message.ends_with('.') && !message.to_lowercase().contains("deserialize")
}

#[test]
fn every_refusal_of_the_api_is_json_with_a_name_and_a_sentence() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let fay = server.visit("fay")?;
    let cases = [
        ("GET", "/api/v1/documents/demo/releases/first", 404, "no_such_route"),
        ("GET", "/api/v1/documents/%ff", 404, "no_such_route"),
        ("GET", "/api/v1/nowhere", 404, "no_such_route"),
        ("GET", "/api/v2/plans", 404, "no_such_route"),
        ("GET", "/api/v1/documents/demo/diff?from=now", 422, "invalid"),
        ("PUT", "/api/v1/plans", 405, "wrong_method"),
        ("PUT", "/api/v1/documents/demo/content", 405, "wrong_method"),
        ("PUT", "/sync/demo", 405, "wrong_method"),
        ("GET", "/sync/%ff", 404, "no_such_route"),
        ("GET", "/sync/demo?ticket=a&ticket=b", 422, "invalid"),
    ];
    for (method, path, expected, name) in cases {
        let (status, answer) = fay.request(method, path, (method != "GET").then(|| json!({})))?;
        let says_why = answer["error"] == name && is_for_people(&answer);
        ensure!(status == expected && says_why, "{method} {path}: {status} {answer}");
    }
    for body in ["", "{", "[]", "{\"name\": 7}", "\u{1}"] {
        let mut request = fay.begin("POST", "/api/v1/plans", Some(body))?;
        let status = request.status(SOON)?;
        let rest = String::from_utf8(request.rest()?)?;
        let (from, to) = rest.find('{').zip(rest.rfind('}')).context("a JSON body")?;
        let answer: Value = serde_json::from_str(&rest[from..=to])?;
        let says_why = answer["error"] == "invalid" && is_for_people(&answer);
        ensure!(status == 422 && says_why, "{body}: {status} {answer}");
    }
    let (status, _, allowed) = fay.page("/api/v1/links", "allow")?;
    ensure!(status == 405 && allowed == "POST", "{status} {allowed}");
    Ok(())
}

#[test]
fn what_is_too_long_is_refused_with_a_sentence_and_never_as_a_fault_of_the_server() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let operations = operations(&server.visit("ida")?)?;
    let texts = [
        "a".repeat(600),
        "a".repeat(4_000),
        "\u{1}".repeat(3_000),
        "😀".repeat(5_000),
        "\"\\".repeat(6_000),
        "x".repeat(60_000),
        "x".repeat(70_000),
        String::new(),
        "\u{0}".into(),
        "\u{202e}".into(),
    ];
    for text in &texts {
        for Operation { method, path, body } in &operations {
            let Some(schema) = body else { continue };
            for (which, who) in ["ana", "fay", "ida", "fay"].into_iter().enumerate() {
                // Each request has a new session, because some requests end the session of their sender.
                let visitor = server.visit(who)?;
                let body = filled(schema, text, which);
                let status = send(&visitor, method, &at(path, None), &body.to_string())?;
                ensure!(
                    status < 500,
                    "{who}: {method} {path} gives {status} for {:.60} ({})",
                    text,
                    text.len()
                );
            }
        }
    }
    Ok(())
}

/// The server does not fail either if the fields of a provider are too long, or if the address that starts a sign-in
/// contains an odd invitation.
#[test]
fn a_provider_that_can_not_be_kept_or_reached_is_the_callers_fault() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path())?;
    let ida = server.visit("ida")?;
    let long = |field: &str| {
        let mut body = json!({ "name": "P", "issuer": "http://127.0.0.1:9", "client_id": "a", "client_secret": "b" });
        body[field] = "x".repeat(5_000).into();
        ida.post("/api/v1/administration/providers", body)
    };
    for field in ["name", "issuer", "client_id", "client_secret"] {
        let (status, answer) = long(field)?;
        let message = answer["message"].as_str().unwrap_or_default();
        ensure!(status == 422 && message.contains("at most"), "{field}: {status} {answer}");
    }
    server.stop()?;
    // Write a provider that can't be reached into the store. The route refuses to add it, but a provider that answered
    // when it was added can stop answering later.
    {
        use accord_server::store::{DiskStore, Store as _};
        let provider = json!({ "id": "p", "name": "P", "issuer": "http://127.0.0.1:9", "client_id": "a", "client_secret": "b" });
        DiskStore::open(data.path(), 0)?.put("provider", "p", provider.to_string().as_bytes())?;
    }
    let server = Server::start(data.path())?;
    let nobody = Visitor::nobody(&server.address);
    for invitation in [
        "%0d%0aset-cookie:%20a=b",
        "%00",
        "%F0%9F%98%80",
        "%7f",
        "..%2F..%2F",
        "%2F%2Fevil.example",
    ] {
        let path = format!("/api/v1/providers/p/start?invitation={invitation}");
        ensure!(send(&nobody, "GET", &path, "")? == 303, "{invitation}");
        let (_, _, location) = nobody.page(&path, "location")?;
        // The answer leads to a page of this server. A value that can't be the secret of an invitation leads to the
        // first page.
        ensure!(location.starts_with("/?"), "{invitation}: {location}");
    }
    Ok(())
}
