//! Taking a step on the path to a release. When a step freezes the text, the server also signs the release's note.

use crate::releases::SealedReleases;
use crate::rooms::{RequestError, RoomHandle, StepTaken};
use accord_document::body::Step;
use accord_document::people::Actor;
use accord_document::release::StepError;
use std::time::Duration;

/// Maximum time that the answer to a step waits for the signing of the note. The signing continues in any case.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Takes a step on the path to a release. If the step freezes the text, the server signs the release's note
/// immediately, with people's current names, even if the caller no longer waits for the answer. If this signing fails,
/// the text is frozen all the same, and the note is signed when somebody next asks for the release.
///
/// # Errors
/// Returns an error if the document can't be opened, or the reason why the step is refused.
pub(crate) async fn take_step(
    releases: &SealedReleases,
    room: &RoomHandle,
    actor: &Actor,
    step: Step,
) -> Result<StepTaken, RequestError<StepError>> {
    let (releases, document) = (releases.clone(), room.document().clone());
    let seal = move |number| async move {
        if let Err(error) = releases.seal(&document, number).await {
            tracing::error!(%document, number, %error, "a release could not be signed yet");
        }
    };
    room.step(actor, step, move |number| {
        let sealing = tokio::spawn(seal(number));
        async move { drop(tokio::time::timeout(MAX_WAIT, sealing).await) }
    })
    .await
}
