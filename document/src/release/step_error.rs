//! The reasons why a step on the path to a release is not taken.

use crate::body::{MAX_SIGNATORIES, MAX_STEP_MESSAGE_CHARS};
use thiserror::Error;

/// The reason why a step is not taken. The message of each variant is a sentence for the person who tried to take the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The message of each variant explains it.
pub enum StepError {
    #[error("Your role in this plan does not allow this. Ask its facilitator.")]
    Seat,
    #[error("Only signatories can sign, each for their own side: government or civil society.")]
    Side,
    #[error("There is no such proposal.")]
    NoProposal,
    #[error("This proposal is over: it was signed, declined or withdrawn.")]
    Over,
    #[error("The text has changed since it was proposed. It must be proposed again.")]
    Stale,
    #[error(
        "The text that you read is not the one that was proposed. Open the proposal again and read it."
    )]
    OtherText,
    #[error("You have already signed this.")]
    Signed,
    #[error("Another proposal is open. It must be signed, declined or withdrawn first.")]
    Proposed,
    #[error(
        "Something is still missing from the text. Only a facilitator may propose it like this."
    )]
    Gaps,
    #[error("Only the person who proposed it, or a facilitator, can withdraw a proposal.")]
    NotYours,
    #[error("Give a reason, in at most {MAX_STEP_MESSAGE_CHARS} characters.")]
    Reason,
    #[error("A message can have at most {MAX_STEP_MESSAGE_CHARS} characters.")]
    Message,
    #[error("A release needs 1 to {MAX_SIGNATORIES} signatures from each side.")]
    Quorum,
    #[error("This text is frozen. To change it, a facilitator must begin the next draft.")]
    Frozen,
    #[error("This text is not frozen: there is nothing to reopen.")]
    Drafting,
    #[error("This moment is in the future. Choose an earlier one.")]
    Future,
    /// A room returns this error before the entry is appended. A replay never returns it, because the result of a
    /// replay must not depend on a version of Unicode.
    #[error(
        "This text contains something that its readers can’t see, and nobody may sign what they can’t see. Ask the person who proposed it to withdraw the proposal, clean the text and propose it again."
    )]
    Unreleasable,
}
