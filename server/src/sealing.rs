//! A release is sealed by the step that freezes it: whoever takes a step on the path to a release takes it here.

use crate::releases::Releases;
use crate::rooms::{RequestError, RoomHandle, StepTaken};
use accord_document::body::Step;
use accord_document::people::Actor;
use accord_document::release::StepError;

/// Takes a step on the path to a release. If it freezes the text, the release is signed at once, with the names that
/// people have now. Where that fails, the text is frozen all the same, and signed when somebody asks for the release.
///
/// # Errors
/// When the document can't be opened, or with the reason why the step is not taken.
pub(crate) async fn take_step(
    releases: &Releases,
    room: &RoomHandle,
    actor: &Actor,
    step: Step,
) -> Result<StepTaken, RequestError<StepError>> {
    let taken = room.step(actor, step).await?;
    if let Some(number) = taken.froze
        && let Err(error) = releases.get(room.requester(), room.document(), number).await
    {
        tracing::error!(document = %room.document(), number, %error, "a release could not be signed yet");
    }
    Ok(taken)
}
