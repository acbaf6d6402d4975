//! Why a connection ends, as WebSocket close codes (RFC 6455, section 7.4).

use std::borrow::Cow;

/// A close code and a sentence for people.
///
/// Codes from 4400 to 4499 are final: stock clients from y-websocket 3.1 on stop reconnecting.
/// All others ask the client to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The close code, from 1000 on.
    pub code: u16,
    /// At most 123 bytes.
    pub reason: Cow<'static, str>,
}

impl Close {
    /// A message is larger than any may be.
    pub const TOO_LONG: u16 = 1009;
    /// The server is shutting down or restarting.
    pub const RESTART: u16 = 1012;
    /// The server can't save at the moment.
    pub const TRY_AGAIN: u16 = 1013;
    /// The client missed something: it should sync again from the start.
    pub const RESYNC: u16 = 4300;
    /// The client was too slow, sent more than could be worked on, or lost its room: it should sync again.
    pub const SLOW: u16 = 4301;
    /// The client has sent something malformed.
    pub const MALFORMED: u16 = 4400;
    /// The session has ended.
    pub const SIGNED_OUT: u16 = 4401;
    /// The client may not do this, or may not be here.
    pub const FORBIDDEN: u16 = 4403;
    /// The ledger is not the one the client knows: its lineage or its head differ.
    pub const OTHER_LEDGER: u16 = 4409;
    /// The text is frozen, or what was sent was written before it was.
    pub const FROZEN: u16 = 4423;
    /// The update, or the document with it, is too large.
    pub const TOO_LARGE: u16 = 4413;

    /// A close code with a sentence, cut to 123 bytes.
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

    /// Whether the client must not come back with what it has.
    #[must_use]
    pub fn is_final(code: u16) -> bool {
        (4400..4500).contains(&code)
    }
}
