//! Removing hidden characters from a document, and from the names, titles and messages that people send.

use super::App;
use super::extract::Path;
use super::identity::{Visitor, readable, writing};
use super::problem::Problem;
use super::views::ChangeResult;
use crate::archives::{Archives, Reading};
use crate::fair_queue::{FairQueue, Place, QueueLimits, Requester};
use crate::rooms::OpenError;
use accord_document::limits;
use accord_document::model::Replica;
use accord_document::model::cleaning::clean_document;
use accord_document::people::Action;
use accord_document::readable::{CodePoint, clean, findings, name, turned_numbers};
use axum::Json;
use axum::extract::State;

/// The limits of copies of documents that wait to be cleaned, each of at most 8 MiB. Only the places of this queue are
/// used. The cleaning itself runs in a slot of the queue for readings of ledgers.
pub(crate) const CLEANINGS: QueueLimits =
    QueueLimits { slots: 1, anonymous_slots: 0, slots_each: 1, places_each: 2, places: 16 };

/// Removes hidden characters from a document.
///
/// One edit, which everybody in the document sees immediately, removes the characters that nobody sees and no script
/// needs. It also writes link addresses in ASCII where something in them was hidden. All other characters stay, with
/// their authors. Hidden characters that only a person can replace stay as well: `GET …/release` lists them in
/// `strange`.
#[utoipa::path(post, path = "/api/v1/documents/{document}/cleaning", params(("document" = String, Path)), responses(
    (status = 200, body = ChangeResult), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn clean_text(
    State(app): State<App>,
    Visitor { by, .. }: Visitor,
    Path(document): Path<String>,
) -> Result<Json<ChangeResult>, Problem> {
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
    Ok(Json(ChangeResult { seq: seq.0 }))
}

/// Gets a copy of a document, then waits for the turn to work on the copy. The copy comes first, because a room can
/// take minutes to answer a person whose budget is used up. Nobody else must wait for that person's turn meanwhile. The
/// place in `cleanings` limits the number of copies. Returns the place, the copy, and the turn to work on the copy.
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

/// Returns the edit that cleans a document, or `None` if there is nothing to clean or the document can't be read.
fn cleaning_of(document: &[u8]) -> Option<Vec<u8>> {
    // The client id is random, so that no other writer has the same one.
    let mut replica = Replica::new(rand::random::<u64>() & limits::MAX_CLIENT_ID);
    replica.apply(document).ok()?;
    let before = replica.state_vector();
    clean_document(&mut replica);
    if replica.take_made().is_empty() { None } else { Some(replica.encode_since(&before)) }
}

/// Returns a text without its hidden characters, and without blanks at its ends.
///
/// # Errors
/// Returns an error if the text contains a hidden character that only a person can replace, or a number that readers
/// would see in another place. The error names that character or number.
pub(super) fn cleaned(text: &str) -> Result<String, Problem> {
    let text = clean(text).trim().to_owned();
    if let Some(found) = findings(&text).next() {
        let called = name(found.character).map(|name| format!(", {name}")).unwrap_or_default();
        return Err(Problem::invalid(format!(
            "Others would not see this as you wrote it, because it contains the character {}{called}. Remove it, and try again.",
            CodePoint(found.character)
        )));
    }
    if let Some(at) = turned_numbers(&text).first() {
        let number: String = text[*at..].chars().take_while(|c| c.is_numeric()).collect();
        return Err(Problem::invalid(format!(
            "Others would see the number {number} before the number that it follows. Put a word between the two, or write them with other digits."
        )));
    }
    Ok(text)
}

/// Returns a name or title without its hidden characters, as one line with single spaces.
///
/// # Errors
/// Returns the errors of [`cleaned`].
pub(super) fn cleaned_line(text: &str) -> Result<String, Problem> {
    Ok(cleaned(text)?.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fair_queue::{Busy, PersonalLocks};
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
            Archives::new(Arc::new(MemoryStore::default()), 0, PersonalLocks::default()),
        );
        // More requests wait than there are turns to read, and none of their documents answers.
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
        // The fourth person already holds two copies, so a third is refused.
        let more = copy_then_turn(&cleanings, &archives, &person("p3"), async { Ok(()) }).await;
        assert!(matches!(more, Err(OpenError::Busy(Busy::Requester))), "{more:?}");
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
