//! The audit record: the part about a plan for its facilitators, and the whole record for administrators. It is
//! available as a list, as a table (CSV), or with all the data that is needed to verify it.

use super::App;
use super::download::{file, push_row, quoted};
use super::extract::{Path, Query};
use super::identity::{Visitor, acting, administrator};
use super::problem::{Problem, blocking};
use super::views::people;
use accord_document::body::Body;
use accord_document::body::{AuditAction, AuditEvent};
use accord_document::ids::{PersonId, PlanId};
use accord_document::ledger::Entry;
use accord_document::people::{Action, Actor, Seat};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use utoipa::{IntoParams, ToSchema};

/// An entry of the audit record: one action of an administrator or facilitator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// The number of the entry in the whole audit record.
    seq: u64,
    /// The time of the action, in milliseconds since the Unix epoch.
    time: u64,
    /// The id of the person who acted.
    person: String,
    /// The name of the person who acted. Empty for a person who was forgotten.
    name: String,
    /// The seat (role) in which the person acted.
    seat: Seat,
    /// The action. Its member `deed` names the action. The other members depend on the action.
    what: serde_json::Value,
    /// The name of the person whom the action affected, or `null` if it affected nobody.
    #[serde(rename = "whom")]
    affected: Option<String>,
    /// The network address of the request. `null` for actions without a request: commands at the server's machine, and
    /// the publishing of a launch.
    from: Option<String>,
}

/// The format of the audit record.
#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AuditFormat)]
pub(crate) enum Format {
    /// JSON, the default.
    #[default]
    Json,
    /// A table for a spreadsheet, in CSV.
    Csv,
    /// Lines of JSON, one for each entry, with the complete entry in base64. The hash chain of the audit record can be
    /// verified from the lines of all its entries.
    Chain,
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct AuditQuery {
    /// The format of the answer. The default is `json`.
    #[serde(default)]
    format: Format,
}

/// Returns the actions of administrators and facilitators in a plan, the newest first.
#[utoipa::path(get, path = "/api/v1/plans/{plan}/audit", params(("plan" = String, Path), AuditQuery), responses(
    (status = 200, body = [AuditEntry]), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem)))]
pub(super) async fn of_plan(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Path(plan): Path<String>,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Problem> {
    let plan = PlanId::new(plan);
    let (actor, _) = acting(&app, &by, &plan, Action::ReadAudit)?;
    answer(&app, &actor, Some(plan), query.format, from).await
}

/// Returns the actions of administrators and facilitators in the whole installation, the newest first.
#[utoipa::path(get, path = "/api/v1/administration/audit", params(AuditQuery), responses(
    (status = 200, body = [AuditEntry]), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(super) async fn whole(
    State(app): State<App>,
    Visitor { by, from }: Visitor,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Problem> {
    administrator(&by)?;
    answer(&app, &by.administrator(), None, query.format, from).await
}

async fn answer(
    app: &App,
    actor: &Actor,
    plan: Option<PlanId>,
    format: Format,
    from: IpAddr,
) -> Result<Response, Problem> {
    if !matches!(format, Format::Json) {
        app.plans.record(actor, AuditAction::Export { plan: plan.clone() }, Some(from)).await?;
    }
    let plans = app.plans.clone();
    let entries = blocking(move || plans.audit()).await?;
    let of_interest = |entry: &&Entry| match (&plan, &entry.body) {
        (None, _) => true,
        (Some(plan), Body::AuditEvent(event)) => event.action.plan() == Some(plan),
        (Some(_), _) => false,
    };
    let entries: Vec<Entry> = entries.iter().filter(of_interest).cloned().collect();
    Ok(match format {
        Format::Json => Json(view(app, &entries).await?).into_response(),
        Format::Csv => {
            let table = csv(&view(app, &entries).await?);
            file("text/csv; charset=utf-8", "accord-audit.csv", table)
        }
        Format::Chain => file("application/jsonl", "accord-audit.jsonl", chain(&entries)),
    })
}

async fn view(app: &App, entries: &[Entry]) -> Result<Vec<AuditEntry>, Problem> {
    let named = entries.iter().flat_map(|entry| {
        let affected = event(entry).and_then(|event| event.action.person());
        std::iter::once(&entry.actor.person).chain(affected)
    });
    let known: HashMap<PersonId, String> = people(app, named.cloned().collect())
        .await?
        .into_iter()
        .map(|person| (person.id, person.name))
        .collect();
    let name = |id: &PersonId| known.get(id).cloned().unwrap_or_default();
    let shown = entries.iter().rev().filter_map(|entry| {
        let event = event(entry)?;
        Some(AuditEntry {
            seq: entry.seq.0,
            time: entry.time,
            person: entry.actor.person.to_string(),
            name: name(&entry.actor.person),
            seat: entry.actor.seat,
            what: serde_json::to_value(&event.action).unwrap_or_default(),
            affected: event.action.person().map(name),
            from: event.from.clone(),
        })
    });
    Ok(shown.collect())
}

fn event(entry: &Entry) -> Option<&AuditEvent> {
    match &entry.body {
        Body::AuditEvent(event) => Some(event),
        _ => None,
    }
}

fn csv(entries: &[AuditEntry]) -> String {
    let mut table = "number,time_ms,person,name,seat,what,whom,from\r\n".to_owned();
    for entry in entries {
        let seat = serde_json::to_value(entry.seat).unwrap_or_default();
        let cells = [
            entry.seq.to_string(),
            entry.time.to_string(),
            quoted(&entry.person),
            quoted(&entry.name),
            quoted(seat.as_str().unwrap_or_default()),
            quoted(&entry.what.to_string()),
            quoted(entry.affected.as_deref().unwrap_or_default()),
            quoted(entry.from.as_deref().unwrap_or_default()),
        ];
        push_row(&mut table, &cells);
    }
    table
}

fn chain(entries: &[Entry]) -> String {
    let lines = entries.iter().map(|entry| {
        let line = serde_json::json!({
            "seq": entry.seq.0,
            "previous": entry.previous,
            "hash": entry.hash(),
            "entry": BASE64.encode(&entry.encode()),
        });
        format!("{line}\n")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_no_formula_and_breaks_no_cell() {
        let entry = AuditEntry {
            seq: 1,
            time: 2,
            person: "p".into(),
            name: "=cmd(\"x\"),\n".into(),
            seat: Seat::Facilitator,
            what: serde_json::json!({"deed": "export"}),
            affected: None,
            from: None,
        };
        let table = csv(&[entry]);
        assert!(table.contains("\"'=cmd(\"\"x\"\"),\n\",\"facilitator\""), "{table}");
    }
}
