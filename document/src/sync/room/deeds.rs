//! What is done to a document beside writing in it: redactions, versions, going back.

use super::{Effect, Room};
use crate::ids::Seq;
use crate::ledger::{Redaction, Version, VersionError};
use crate::people::{Action, Actor, permits};
use crate::sync::wire::ServerNote;
use crate::update::{Claim, Provenance, Refusal};

impl Room {
    /// Takes a passage out: deletes it for everybody, and appends the redaction. The entries it names
    /// are to be blanked once that is durable.
    ///
    /// # Errors
    /// When this person may not do that; nothing has changed then.
    pub fn redact(
        &mut self,
        actor: &Actor,
        redaction: Redaction,
        now: u64,
    ) -> Result<Vec<Effect>, Refusal> {
        self.now = now;
        let salts = [self.salt(0), self.salt(1)];
        let (deletion, entry) = self.state.redact(actor, now, salts, redaction)?;
        if let Some(deletion) = deletion {
            self.append_edit(deletion, None);
        }
        self.out.push(Effect::Append(entry));
        let accord: Vec<_> =
            self.sessions.keys().copied().filter(|&id| self.is_accord(id)).collect();
        for id in accord {
            self.note_when_durable(id, &ServerNote::Redacted);
        }
        Ok(self.take())
    }

    /// Names a moment.
    ///
    /// # Errors
    /// With what keeps it from being named; nothing has changed then.
    pub fn name_version(
        &mut self,
        actor: &Actor,
        version: Version,
        now: u64,
    ) -> Result<Vec<Effect>, VersionError> {
        self.now = now;
        let salt = self.salt(0);
        let entry = self.state.name_version(actor, now, salt, version)?;
        self.out.push(Effect::Append(entry));
        Ok(self.take())
    }

    /// Goes back to a moment by an edit, which everybody gets as they get any other. The moment before it
    /// becomes a version.
    ///
    /// # Errors
    /// When this person may not do that; nothing has changed then.
    pub fn restore(
        &mut self,
        actor: &Actor,
        update: &[u8],
        claims: Vec<Claim>,
        moment: Seq,
        now: u64,
    ) -> Result<Vec<Effect>, Refusal> {
        self.now = now;
        if !permits(actor.seat, Action::Restore) {
            return Err(Refusal::ReadOnly);
        }
        let before = self.state.position().seq;
        let provenance = Provenance { claims, restores: Some(moment) };
        let salt = self.salt(0);
        // What is as it was needs no entry, and no version before it.
        if let Some(entry) = self.state.edit_from(actor, now, salt, update, provenance)? {
            self.append_edit(entry, None);
            let version = Version {
                name: String::new(),
                description: String::new(),
                moment: before,
                before_restoring: Some(moment),
            };
            let salt = self.salt(0);
            let named = self.state.name_version(actor, now, salt, version);
            self.out.extend(named.ok().map(Effect::Append));
        }
        Ok(self.take())
    }
}
