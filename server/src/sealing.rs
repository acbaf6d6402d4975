//! Taking a step on the path to a release: the step that freezes the text also seals the release.

use crate::releases::SealedReleases;
use crate::rooms::{RequestError, RoomHandle, StepTaken};
use accord_document::body::Step;
use accord_document::people::Actor;
use accord_document::release::StepError;
use std::time::Duration;

/// The longest that the answer to a step waits for the seal, which is made all the same.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Takes a step on the path to a release. If it freezes the text, the release is signed at once, with the names that
/// people have now, whether its signer waits for that or not. Where that fails, the text is frozen all the same, and
/// signed when somebody asks for the release.
///
/// # Errors
/// When the document can't be opened, or with the reason why the step is not taken.
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
