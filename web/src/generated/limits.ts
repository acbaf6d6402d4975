// Made from the crate `document` by `cargo xtask check`. Changes here are lost.

/** The title of a plan, in characters at most. */
export const MAX_PLAN_TITLE_CHARS = 300;

/** The reason for a redaction, in characters at most. */
export const MAX_REDACTION_REASON_CHARS = 500;

/** The message or reason of a step, in characters at most. */
export const MAX_STEP_MESSAGE_CHARS = 2000;

/** The name of a version, in characters at most. */
export const MAX_VERSION_NAME_CHARS = 120;

/** The description of a version, in characters at most. */
export const MAX_VERSION_DESCRIPTION_CHARS = 2000;
