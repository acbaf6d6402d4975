//! Handles each message of a connection.

use super::pending::PendingEffect;
use super::unfinished::EditStep;
use super::{Effect, Room, note_frame};
use crate::ledger::{Entry, LedgerPosition};
use crate::limits;
use crate::state::{EditOutcome, LargeEdit};
use crate::sync::admission::Admission;
use crate::sync::close::Close;
use crate::sync::connection::{ConnectionId, Dialect};
use crate::sync::wire::{Message, ServerNote};
use crate::update::{Claim, Refusal, UpdatePart, claims_from};
use yrs::StateVector;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

/// Maximum number of clients in a state vector: as many as can have written in a document, and as many again that only the
/// sender knows.
const MAX_CLIENTS_IN_STATE_VECTOR: usize = 2 * limits::MAX_ITEMS_PER_DOCUMENT;

impl Room {
    pub(super) fn message(&mut self, id: ConnectionId, message: &Message<'_>) {
        match message {
            Message::Step1(vector) => self.step1(id, vector),
            Message::Step2(update) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.answered = true;
                }
                self.edit(id, None, update, Vec::new());
            }
            Message::Update(update) => self.edit(id, None, update, Vec::new()),
            Message::Edit { number, claims, update } if self.is_accord(id) => {
                match claims_from(claims) {
                    Ok(claims) => self.edit(id, Some(*number), update, claims),
                    Err(error) => self.refuse(id, Some(*number), error.into()),
                }
            }
            Message::Note(json) if self.is_accord(id) => self.note(id, json),
            Message::Awareness(update) => self.awareness(id, update),
            Message::QueryAwareness => {
                let everybody = Message::Awareness(&self.presence.everybody(id)).encode();
                self.send(id, everybody.into());
            }
            Message::Edit { .. } | Message::Note(_) | Message::Unknown => {}
        }
    }

    /// Answers a step 1 (rule M1).
    fn step1(&mut self, id: ConnectionId, vector: &[u8]) {
        let Some(remote) = read_state_vector(vector) else {
            return self.disconnect(id, Close::MALFORMED, "A state vector is malformed.");
        };
        let document = Message::Step2(&self.state.encode_since(&remote)).encode();
        let mine = Message::Step1(&self.state.state_vector().encode_v1()).encode();
        let everybody = Message::Awareness(&self.presence.everybody(id)).encode();
        // If an earlier answer still waits until entries are on disk, the new answer replaces it, so that at most one
        // document waits for each client.
        self.held
            .retain(|(_, held)| !matches!(held, PendingEffect::Document(other, _) if *other == id));
        self.hold(PendingEffect::Document(id, [document.into(), mine.into(), everybody.into()]));
    }

    fn edit(&mut self, id: ConnectionId, number: Option<u64>, update: &[u8], claims: Vec<Claim>) {
        if update.len() > limits::MAX_BYTES_CHECKED_IN_TURN {
            return self.queue_large(id, number, true, LargeEdit::new(update.to_vec(), claims));
        }
        self.take_edit(id, number, true, EditStep::Update(update, claims));
    }

    /// Handles an edit, or the piece of an edit that one turn takes. `is_last` says whether nothing of the edit is left
    /// afterwards.
    pub(super) fn take_edit(
        &mut self,
        id: ConnectionId,
        number: Option<u64>,
        is_last: bool,
        step: EditStep<'_>,
    ) {
        let Some(connection) = self.connections.get(&id) else { return };
        let Admission { actor, dialect, .. } = &connection.admission;
        let answered = connection.answered || *dialect == Dialect::Accord;
        let (actor, salt) = (actor.clone(), self.salt(0));
        let taken = match (step, connection.refusal_if_new()) {
            (EditStep::Checked(checked), refusal) => self.state.end_check(checked, refusal),
            (EditStep::Update(update, claims), None) => {
                self.state.edit_in_turn(&actor, self.now, salt, update, claims)
            }
            (EditStep::Part(UpdatePart { update, claims }), None) => {
                self.state.edit_part(&actor, self.now, salt, &update, claims)
            }
            (EditStep::Update(update, _), Some(refusal)) => {
                self.state.compare(&actor, update, refusal).map(|()| EditOutcome::Taken(None))
            }
            (EditStep::Part(part), Some(refusal)) => {
                self.state.compare(&actor, &part.update, refusal).map(|()| EditOutcome::Taken(None))
            }
        };
        match taken {
            Ok(EditOutcome::NeedsCheck(large)) => self.queue_large(id, number, is_last, large),
            Ok(EditOutcome::InParts(parts)) => self.queue_parts(id, number, is_last, parts),
            Ok(EditOutcome::Taken(entry)) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    // The whole edit was integrated or adds nothing, so all content of this client belongs to the
                    // current draft.
                    connection.is_current |= answered && is_last;
                }
                if let Some(entry) = entry {
                    // The sender of a numbered edit receives an acknowledgement instead of the update. The sender of an
                    // edit without a number receives the update.
                    self.append_edit(entry, number.map(|_| id));
                }
                // Rule A3: a numbered edit is acknowledged as a whole, once it is durable.
                if let Some(number) = number.filter(|_| is_last) {
                    let LedgerPosition { seq, head, .. } = *self.state.position();
                    self.note_when_durable(id, &ServerNote::Saved { number, seq, head });
                }
            }
            // A stock client sends edits as soon as it is connected, even before the content that they build on. Such
            // an early edit is ignored, because the client's step 2 follows and contains everything.
            Err(refusal) if refusal.asks_for_resync() && !answered => {}
            Err(refusal) => self.refuse(id, number, refusal),
        }
    }

    /// Appends an edit, and broadcasts it once it is durable (rule M2).
    pub(super) fn append_edit(&mut self, entry: Entry, except: Option<ConnectionId>) {
        let Some((net, _)) = entry.body.edit() else { return };
        let frame = Message::Update(net).encode().into();
        self.out.push(Effect::Append(entry));
        self.hold(PendingEffect::Broadcast { frame, except });
        let releases = self.state.releases();
        let stale = releases.open().filter(|open| releases.is_stale(open)).map(|open| open.by.seq);
        if stale.is_some() && stale != self.stale {
            self.stale = stale;
            self.announce_release();
        }
    }

    fn refuse(&mut self, id: ConnectionId, number: Option<u64>, refusal: Refusal) {
        if let Some(connection) = self.connections.get(&id) {
            let person = connection.admission.actor.person.clone();
            self.out.push(Effect::Refused(id, person, refusal));
        }
        let message = format!("{}.", capitalised(&refusal.to_string()));
        if refusal.asks_for_resync() {
            self.disconnect(id, Close::RESYNC, message);
        } else {
            // Rule A4: a refused edit is named in a note before the connection closes.
            if let (Some(number), true) = (number, self.is_accord(id)) {
                let reason = refusal.reason().to_owned();
                let message = message.clone();
                self.send(id, note_frame(&ServerNote::Refused { number, reason, message }));
            }
            let code = match refusal {
                Refusal::Forged { .. } | Refusal::ReadOnly => Close::FORBIDDEN,
                Refusal::Frozen | Refusal::EarlierDraft => Close::FROZEN,
                Refusal::TooLarge
                | Refusal::TooManyClients
                | Refusal::TooManyItems
                | Refusal::TooMuchFormatting
                | Refusal::TooManyBetween
                | Refusal::Fragmented => Close::TOO_LARGE,
                _ => Close::MALFORMED,
            };
            self.disconnect(id, code, message);
        }
        if self.state.is_broken() {
            let others: Vec<_> = self.connections.keys().copied().collect();
            for other in others {
                self.disconnect(
                    other,
                    Close::RESYNC,
                    "The server is opening this commitment again.",
                );
            }
            self.out.push(Effect::Rebuild);
        }
    }

    fn awareness(&mut self, id: ConnectionId, update: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let user = &connection.admission.user;
        let may_use = |client| self.state.may_use(client, &user.person);
        let before = connection.presence;
        let received =
            self.presence.receive(id, user, &mut connection.presence, may_use, update, self.now);
        // A client id is recorded as belonging to the person of the connection only if that person may write.
        let is_first = before.is_none() && connection.admission.may_write;
        let claimed = connection.presence.filter(|_| is_first);
        let claim = claimed.and_then(|client| self.state.announce(client, &user.person));
        let is_new = claim.is_some();
        if let Some(claim) = claim {
            self.presence.hide(claim.client);
            self.out.push(Effect::SaveClientIdClaim(claim));
        }
        match received {
            Ok(_) if is_new => {}
            Ok(changed) => self.broadcast_awareness(changed),
            Err(_) => self.disconnect(
                id,
                Close::MALFORMED,
                "An awareness message is malformed or larger than 4 KiB.",
            ),
        }
    }
}

/// Reads a state vector, or returns `None` if it is malformed or has too many clients. The declared number of its pairs is checked against the
/// bytes that are left, before yrs decodes the vector.
fn read_state_vector(bytes: &[u8]) -> Option<StateVector> {
    let mut r = crate::lib0::Reader::new(bytes);
    let count = r.count().ok()?;
    if count > MAX_CLIENTS_IN_STATE_VECTOR {
        return None;
    }
    for _ in 0..count {
        if r.var_u64().ok()? > limits::MAX_CLIENT_ID {
            return None;
        }
        r.var_u32().ok()?;
    }
    if !r.is_empty() {
        return None;
    }
    StateVector::decode_v1(bytes).ok()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
