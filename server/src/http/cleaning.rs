//! Taking out what nobody sees: of a document, and of what people send in names, titles and messages.

use super::App;
use super::history::{Done, writing};
use super::identity::{Visitor, readable};
use super::problem::Problem;
use crate::admission::Requester;
use crate::rooms::OpenError;
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
    // The document is copied only once there is a turn to work on it.
    let requester = Requester::Person(by.person.id.clone());
    let reading = app.archives.reading(&requester).await?;
    let room = app.rooms.handle(&found.id, &by);
    let text = room.encoded().await?;
    let cleaning = tokio::task::spawn_blocking(move || {
        let _reading = reading;
        cleaning_of(&text)
    });
    let seq = match cleaning.await.map_err(OpenError::from)? {
        Some(update) => room.clean(&actor, update).await?,
        None => room.last_entry().await?,
    };
    Ok(Json(Done { seq: seq.0 }))
}

/// The edit that cleans a document, if there is anything to clean.
fn cleaning_of(document: &[u8]) -> Option<Vec<u8>> {
    // A client id that nobody has written under, and nobody will again.
    let mut replica = Replica::new(rand::random::<u64>() & limits::MAX_CLIENT_ID);
    replica.apply(document).ok()?;
    let before = replica.state_vector();
    clean_document(&mut replica);
    if replica.take_made().is_empty() { None } else { Some(replica.encode_since(&before)) }
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
