//! The reasons why a step on the path to a release is not taken.

use crate::body::{MAX_SIGNATORIES, MAX_STEP_MESSAGE_CHARS};
use thiserror::Error;

/// The reason why a step is not taken. Each is a sentence for the person who tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // Their sentences say it.
pub enum StepError {
    #[error("Your seat in this plan does not include that. Ask its facilitator.")]
    Seat,
    #[error("Only a signatory of government or civil society can sign, each for their own side.")]
    Side,
    #[error("There is no such proposal.")]
    NoProposal,
    #[error("This proposal is over: it was signed, declined or withdrawn.")]
    Over,
    #[error("The text has changed since it was proposed. It needs a new proposal.")]
    Stale,
    #[error("What you read is not what was proposed. Open the proposal again and read it.")]
    OtherText,
    #[error("You have signed this already.")]
    Signed,
    #[error("Another proposal is open. It must be signed, declined or withdrawn first.")]
    Proposed,
    #[error(
        "Something is still missing from the text. Only a facilitator may propose it like that."
    )]
    Gaps,
    #[error("Only the person who proposed it, or a facilitator, can withdraw a proposal.")]
    NotYours,
    #[error("Say why, in at most {MAX_STEP_MESSAGE_CHARS} characters.")]
    Reason,
    #[error("A message has at most {MAX_STEP_MESSAGE_CHARS} characters.")]
    Message,
    #[error("Each side needs at least one signatory, and at most {MAX_SIGNATORIES}.")]
    Quorum,
    #[error("This text is frozen. To change it, a facilitator must begin the next draft.")]
    Frozen,
    #[error("This text is not frozen: there is nothing to reopen.")]
    Drafting,
    #[error("This moment has not come yet.")]
    Future,
    /// Only rooms return this error. A replay never does, because a ledger is not judged by one version of Unicode.
    #[error(
        "This text contains something that its readers can’t see, and nobody may sign what they can’t see. Ask the person who proposed it to withdraw the proposal, clean the text and propose it again."
    )]
    Unreleasable,
}
