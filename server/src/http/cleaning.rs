//! Taking out what nobody sees: of a document, and of what people send in names, titles and messages.

use super::App;
use super::identity::{Visitor, readable, writing};
use super::problem::Problem;
use super::views::Done;
use crate::archives::{Archives, Reading};
use crate::fair_queue::{FairQueue, Place, QueueLimits, Requester};
use crate::rooms::OpenError;
use accord_document::limits;
use accord_document::model::Replica;
use accord_document::model::cleaning::clean_document;
use accord_document::people::Action;
use accord_document::readable::{CodePoint, clean, findings, name, turned_numbers};
use axum::Json;
use axum::extract::{Path, State};

/// The copies of documents that are held to be cleaned, each of 8 MiB at most. Only their places are used: the work
/// itself takes the turn of a reading.
pub(crate) const CLEANINGS: QueueLimits =
    QueueLimits { slots: 1, anonymous_slots: 0, slots_each: 1, places_each: 2, places: 16 };

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
    let requester = Requester::Person(by.person.id.clone());
    let room = app.rooms.handle(&found.id, &by);
    let (place, text, reading) =
        copy_then_turn(&app.cleanings, &app.archives, &requester, room.encoded()).await?;
    let cleaning = tokio::task::spawn_blocking(move || {
        let _held = (place, reading);
        cleaning_of(&text)
    });
    let seq = match cleaning.await.map_err(OpenError::from)? {
        Some(update) => room.clean(&actor, update).await?,
        None => room.last_entry().await?,
    };
    Ok(Json(Done { seq: seq.0 }))
}

/// A document's copy, and the turn to work on it. The room is asked before the turn is taken: it answers a person whose
/// budget is used up after minutes, and nobody else is to wait for that. The place bounds how many copies wait.
async fn copy_then_turn<T>(
    cleanings: &FairQueue,
    archives: &Archives,
    requester: &Requester,
    copy: impl Future<Output = Result<T, OpenError>>,
) -> Result<(Place, T, Reading), OpenError> {
    let place = cleanings.place(requester)?;
    let copied = copy.await?;
    Ok((place, copied, archives.reading(requester).await?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fair_queue::{Busy, OneOfAll};
    use crate::store::MemoryStore;
    use accord_document::ids::PersonId;
    use std::sync::Arc;
    use std::time::Duration;

    fn person(name: &str) -> Requester {
        Requester::Person(PersonId::new(name))
    }

    #[tokio::test]
    async fn people_who_wait_for_a_copy_of_their_document_hold_no_reading_of_others() {
        let (cleanings, archives) = (
            FairQueue::new(CLEANINGS),
            Archives::new(Arc::new(MemoryStore::default()), 0, OneOfAll::default()),
        );
        // More than there are readings; none of their documents answers.
        let waiting: Vec<_> = ["p0", "p1", "p2", "p3", "p3"]
            .map(|name| {
                let (cleanings, archives) = (cleanings.clone(), archives.clone());
                tokio::spawn(async move {
                    let never = std::future::pending::<Result<(), OpenError>>();
                    copy_then_turn(&cleanings, &archives, &person(name), never).await.is_ok()
                })
            })
            .into();
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        let ana = person("ana");
        let reading = tokio::time::timeout(Duration::from_secs(15), archives.reading(&ana)).await;
        drop(reading.expect("a person waits for others' documents").unwrap());
        // And nobody holds more than a few copies.
        let more = copy_then_turn(&cleanings, &archives, &person("p3"), async { Ok(()) }).await;
        assert!(matches!(more, Err(OpenError::Busy(Busy::Requester))), "{more:?}");
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
