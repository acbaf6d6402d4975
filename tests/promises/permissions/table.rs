//! The table of permissions: what every route of the API answers to every visitor.

use serde_json::{Value, json};

/// The columns of the table: the kinds of visitors.
pub(super) const VISITORS: [&str; 7] =
    ["nobody", "stranger", "observer", "adviser", "author", "facilitator", "administrator"];

/// The statuses that the visitors get, in the order of [`VISITORS`]. The functions below return the statuses of common
/// kinds of routes: visitors who are allowed to use the route get `ok`, and the others get a refusal.
type Statuses = [u16; 7];

/// A row of the table: the method, the route, a body, and the status that each visitor gets.
type Row = (&'static str, &'static str, Option<Value>, Statuses);

/// The statuses of a route for everybody who is signed in.
const fn signed_in(ok: u16) -> Statuses {
    [401, ok, ok, ok, ok, ok, ok]
}

/// The statuses of a route for everybody, signed in or not.
const fn everybody(ok: u16) -> Statuses {
    [ok; 7]
}

/// The statuses of a route for people who are allowed to read the documents of the plan.
const fn reading(ok: u16) -> Statuses {
    [401, 404, ok, ok, ok, ok, 404]
}

/// The statuses of a route for people who are allowed to see the plan, including administrators.
const fn seeing(ok: u16) -> Statuses {
    [401, 404, ok, ok, ok, ok, ok]
}

/// The statuses of a route for people who manage the plan: its facilitators and administrators.
const fn managing(ok: u16) -> Statuses {
    [401, 404, 403, 403, 403, ok, ok]
}

/// The statuses of a route for facilitators of the plan.
const fn retiring(ok: u16) -> Statuses {
    [401, 404, 403, 403, 403, ok, 404]
}

/// The statuses of a route for administrators of the installation.
const fn running(ok: u16) -> Statuses {
    [401, 403, 403, 403, 403, 403, ok]
}

/// The statuses of a route for people who write in the plan's documents.
const GOING_BACK: Statuses = [401, 404, 403, 403, 200, 200, 404];

/// Returns all rows of the table.
pub(super) fn table() -> Vec<Row> {
    let groups = [accounts(), plans(), documents(), releases(), administration()];
    groups.into_iter().flatten().collect()
}

/// Returns the rows of sessions, links, invitations, and the visitor's own user account.
fn accounts() -> Vec<Row> {
    let account = json!({ "password": "orchid gravel pendulum" });
    vec![
        ("get", "/demo", None, everybody(200)),
        ("get", "/session", None, signed_in(200)),
        ("post", "/session", Some(json!({ "demo": "ana" })), everybody(200)),
        ("delete", "/session", None, signed_in(204)),
        ("get", "/providers", None, everybody(200)),
        ("get", "/providers/{provider}/start", None, everybody(404)),
        // The status is 303 because no sign-in was begun in this browser, so the answer leads back to the first page.
        ("get", "/providers/callback", None, everybody(303)),
        ("post", "/links", Some(json!({ "email": "x@x.org" })), everybody(409)),
        ("get", "/links/{secret}", None, everybody(200)),
        ("post", "/links/{secret}", Some(account), everybody(200)),
        ("get", "/invitations/{secret}", None, everybody(200)),
        ("post", "/invitations/{secret}", Some(json!({})), [401, 200, 409, 409, 409, 409, 200]),
        ("get", "/account", None, signed_in(200)),
        ("patch", "/account", Some(json!({ "name": "Somebody" })), signed_in(200)),
        (
            "put",
            "/account/password",
            Some(json!({ "current": "wrong", "new": "orchid gravel pendulum" })),
            // The demo's people have no password yet, so the current one is not required.
            [401, 422, 204, 204, 204, 204, 204],
        ),
        ("put", "/account/email", Some(json!({ "email": "no address" })), signed_in(422)),
        // The status is 409 because this server sends no mail.
        ("post", "/account/email/confirmation", None, signed_in(409)),
        ("delete", "/account/sessions", None, signed_in(204)),
        ("delete", "/account/sessions/{session}", None, signed_in(404)),
        ("delete", "/account/providers/{provider}", None, signed_in(404)),
    ]
}

/// Returns the rows of plans, their people and their launches.
fn plans() -> Vec<Row> {
    let author = json!({ "seat": "author", "sector": "government" });
    vec![
        ("get", "/plans", None, signed_in(200)),
        ("post", "/plans", Some(json!({ "title": "Another" })), running(201)),
        ("get", "/plans/{plan}", None, seeing(200)),
        ("patch", "/plans/{plan}", Some(json!({ "title": "Named anew" })), managing(204)),
        (
            "post",
            "/plans/{plan}/documents",
            Some(json!({ "title": "New" })),
            [401, 404, 403, 403, 201, 201, 403],
        ),
        // Authors and facilitators get 422, because the body is not a file that can be imported.
        ("post", "/plans/{plan}/imports", Some(json!({})), [401, 404, 403, 403, 422, 422, 403]),
        ("get", "/plans/{plan}/people", None, seeing(200)),
        ("put", "/plans/{plan}/people/{person}", Some(author), managing(204)),
        ("delete", "/plans/{plan}/people/{person}", None, managing(204)),
        ("post", "/plans/{plan}/people/{person}/reset", None, managing(200)),
        (
            "post",
            "/plans/{plan}/invitations",
            Some(json!({ "invitations": [{ "seat": "observer", "sector": "other" }] })),
            managing(201),
        ),
        ("delete", "/plans/{plan}/invitations/{invitation}", None, managing(204)),
        ("get", "/plans/{plan}/audit", None, managing(200)),
        (
            "post",
            "/plans/{plan}/launches",
            Some(json!({ "documents": [], "zone": "UTC" })),
            [401, 404, 403, 403, 403, 422, 403],
        ),
        ("delete", "/plans/{plan}/launches/{launch}", None, [401, 404, 403, 403, 403, 204, 403]),
    ]
}

/// Returns the rows of documents and their history.
fn documents() -> Vec<Row> {
    vec![
        ("get", "/documents/{document}", None, reading(200)),
        ("patch", "/documents/{document}", Some(json!({ "archived": true })), retiring(204)),
        ("delete", "/documents/{document}", None, retiring(204)),
        ("get", "/documents/{document}/content", None, reading(200)),
        ("post", "/documents/{document}/tickets", None, reading(200)),
        (
            "post",
            "/documents/{document}/redactions",
            Some(json!({ "target": "title", "from": 0, "text": "To be", "reason": "A test" })),
            retiring(204),
        ),
        ("get", "/documents/{document}/history", None, [401, 404, 403, 200, 200, 200, 404]),
        (
            "put",
            "/documents/{document}/history/seen",
            Some(json!({ "seq": 1 })),
            [401, 404, 403, 204, 204, 204, 404],
        ),
        ("get", "/documents/{document}/diff", None, [401, 404, 403, 200, 200, 200, 404]),
        ("get", "/documents/{document}/record", None, [401, 404, 403, 200, 200, 200, 404]),
        ("post", "/documents/{document}/versions", Some(json!({ "name": "First" })), GOING_BACK),
        ("post", "/documents/{document}/restorations", Some(json!({ "moment": 1 })), GOING_BACK),
        ("post", "/documents/{document}/cleaning", None, GOING_BACK),
    ]
}

/// Returns the rows of proposals, signatures and releases.
fn releases() -> Vec<Row> {
    vec![
        ("get", "/documents/{document}/release", None, reading(200)),
        ("get", "/documents/{document}/proposals/{proposal}", None, reading(200)),
        ("get", "/documents/{document}/releases/{number}", None, reading(200)),
        ("get", "/documents/{document}/releases/{number}/{kind}", None, reading(200)),
        ("get", "/documents/{document}/draft/{kind}", None, reading(200)),
        // People who are allowed to propose or sign get 409, because the digest is of another text. Others get 403.
        ("post", "/documents/{document}/proposals", digest(), [401, 404, 403, 403, 409, 409, 404]),
        (
            "put",
            "/documents/{document}/proposals/{proposal}/signature",
            digest(),
            [401, 404, 403, 403, 409, 403, 404],
        ),
        (
            "post",
            "/documents/{document}/proposals/{proposal}/decline",
            Some(json!({ "reason": "A test" })),
            [401, 404, 403, 403, 200, 403, 404],
        ),
        // A proposal can be withdrawn by the person who made it, here the facilitator.
        ("delete", "/documents/{document}/proposals/{proposal}", None, retiring(200)),
        ("post", "/documents/{document}/reopening", Some(json!({})), retiring(200)),
    ]
}

/// Returns the rows of the administration of an installation.
fn administration() -> Vec<Row> {
    vec![
        ("get", "/administration", None, running(200)),
        (
            "post",
            "/administration/providers",
            Some(json!({
                "name": "N", "issuer": "http://127.0.0.1:9", "client_id": "c", "client_secret": "s"
            })),
            // The administrator gets 422, because no provider listens at this address.
            running(422),
        ),
        ("delete", "/administration/providers/{provider}", None, running(404)),
        ("get", "/administration/audit", None, running(200)),
        (
            "patch",
            "/administration/people/{person}",
            Some(json!({ "administrator": true })),
            running(204),
        ),
        ("delete", "/administration/people/{person}", None, running(204)),
        ("post", "/administration/people/{person}/reset", None, running(200)),
        ("delete", "/administration/people/{person}/sessions", None, running(204)),
    ]
}

/// Returns the body with a digest that no text has.
fn digest() -> Option<Value> {
    Some(json!({ "digest": "0".repeat(64) }))
}
