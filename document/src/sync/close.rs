//! The reasons for which a connection ends, as WebSocket close codes (RFC 6455, section 7.4).

use std::borrow::Cow;

/// A close code, with a sentence for people.
///
/// Codes from 4400 to 4499 are final: stock clients from y-websocket 3.1 on stop reconnecting. All other codes ask
/// the client to connect again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The close code, from 1000 on.
    pub code: u16,
    /// The sentence, at most 123 bytes long.
    pub reason: Cow<'static, str>,
}

impl Close {
    /// The client broke the WebSocket protocol (RFC 6455).
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// A text message is not UTF-8.
    pub const INVALID_TEXT: u16 = 1007;
    /// A message is larger than rule C4 allows.
    pub const TOO_LONG: u16 = 1009;
    /// The server is shutting down or restarting.
    pub const RESTART: u16 = 1012;
    /// The server can't save or open the document at the moment, or the person has too many large documents open.
    pub const TRY_AGAIN: u16 = 1013;
    /// The client or the server has missed an update, the next draft begins, or the server had to open the document
    /// again. The client should sync from the start.
    pub const RESYNC: u16 = 4300;
    /// The client was too slow, sent more than the server could handle, did not answer a ping, or was in a room that
    /// has ended. The client should sync again.
    pub const SLOW: u16 = 4301;
    /// The client has sent something malformed.
    pub const MALFORMED: u16 = 4400;
    /// The session has ended.
    pub const SIGNED_OUT: u16 = 4401;
    /// The person may not do what the client has tried, or may not be in the document.
    pub const FORBIDDEN: u16 = 4403;
    /// The ledger is not the one that the client remembers: its lineage or the remembered entry differs.
    pub const OTHER_LEDGER: u16 = 4409;
    /// The text is frozen, or the edit was written before the current draft began.
    pub const FROZEN: u16 = 4423;
    /// The update is too large or costs too much to integrate, or the document would become too large.
    pub const TOO_LARGE: u16 = 4413;

    /// Returns a close code with a sentence, which is cut to 123 bytes.
    #[must_use]
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        if reason.len() > 123 {
            let mut cut = 123;
            while !reason.is_char_boundary(cut) {
                cut -= 1;
            }
            reason.to_mut().truncate(cut);
        }
        Self { code, reason }
    }

    /// Returns whether a close code is final: the client must not connect again with the content that it has.
    #[must_use]
    pub fn is_final(code: u16) -> bool {
        (4400..4500).contains(&code)
    }
}
