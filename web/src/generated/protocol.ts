// Made from the crate `document` by `cargo xtask check`. Changes here are lost.

/** What `takeNews` gives, as bits: a passage was redacted, and a step was taken on the path to a release. */
export const REDACTED = 1;
export const RELEASE = 2;

/** The close code of a connection whose session has ended. */
export const SIGNED_OUT = 4401;
