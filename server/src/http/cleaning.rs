//! Taking out what nobody sees: of a document, and of what people send in names, titles and messages.

use super::App;
use super::history::{Done, in_archive, writing};
use super::identity::{Visitor, readable};
use super::problem::Problem;
use accord_document::StateVector;
use accord_document::limits;
use accord_document::model::Replica;
use accord_document::model::cleaning::clean_document;
use accord_document::people::Action;
use accord_document::readable::{CodePoint, clean, findings, name, turned_numbers};
use axum::Json;
use axum::extract::{Path, State};

/// Takes the characters out of a document that nobody sees and that no script needs, and writes link addresses in ASCII
/// where something in them was hidden: by an edit that everybody in it sees at once. All other characters, and who wrote
/// them, stay. What only a person can replace stays, too; `GET …/release` names it.
#[utoipa::path(post, path = "/api/v1/documents/{document}/cleaning", params(("document" = String, Path)), responses(
    (status = 200, body = Done), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn clean_text(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Json<Done>, Problem> {
    let found = readable(&app, &by, &document)?;
    let actor = writing(&app, &by, &found, Action::Write)?;
    app.rooms.probe(&found.id).await?;
    // A client id that nobody has written under, and nobody will again.
    let client = rand::random::<u64>() & limits::CLIENT_ID;
    let made = in_archive(&app, &by, &found, move |archive| {
        let mut replica = Replica::new(client);
        replica.apply(&archive.state.encode_since(&StateVector::default())).ok()?;
        let before = replica.state_vector();
        clean_document(&mut replica);
        // Without a change there is nothing to send.
        if replica.take_made().is_empty() { None } else { Some(replica.encode_since(&before)) }
    });
    let seq = match made.await? {
        Some(update) => app.rooms.handle(&found.id, &by).clean(&actor, update).await?,
        None => app.rooms.handle(&found.id, &by).last_entry().await?,
    };
    Ok(Json(Done { seq: seq.0 }))
}

/// What somebody sent as a message, without what nobody sees.
///
/// # Errors
/// With the character that only a person can replace, or the number that others would read in another place.
pub(super) fn cleaned(text: &str) -> Result<String, Problem> {
    let text = clean(text).trim().to_owned();
    if let Some(found) = findings(&text).next() {
        let called = name(found.character).map(|name| format!(", {name}")).unwrap_or_default();
        return Err(Problem::invalid(format!(
            "Others would not see this as it is: it holds the character {}{called}. Take that out and try again.",
            CodePoint(found.character)
        )));
    }
    if let Some(at) = turned_numbers(&text).first() {
        let number: String = text[*at..].chars().take_while(|c| c.is_numeric()).collect();
        return Err(Problem::invalid(format!(
            "Others would read the number {number} before one that you wrote before it. Put a word between them, or write them with other digits."
        )));
    }
    Ok(text)
}

/// What somebody sent as a name or title, without what nobody sees: one line, with single spaces.
///
/// # Errors
/// As [`cleaned`].
pub(super) fn cleaned_line(text: &str) -> Result<String, Problem> {
    Ok(cleaned(text)?.split_whitespace().collect::<Vec<_>>().join(" "))
}
