//! The interface of `accord-document` for JavaScript.
//!
//! Every method passes its arguments to [`Client`] or [`Replica`](accord_document::model::Replica), and converts the
//! answer for JavaScript: structured values become JSON text, updates and frames become `Uint8Array`. This crate must
//! not contain logic of its own.

// The code that wasm-bindgen generates needs these exceptions from the workspace's lints.
#![allow(unsafe_code, missing_debug_implementations)]

use accord_document::model::completeness::checklist;
use accord_document::model::delta::{self, Op};
use accord_document::model::{Replica, Target};
use accord_document::sync::{Client, ClientStatus, wire};
use js_sys::{Array, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// The client of one document in one browser tab.
#[wasm_bindgen]
pub struct AccordClient {
    client: Client,
    reported: Option<ClientStatus>,
}

#[wasm_bindgen]
impl AccordClient {
    /// Returns a client without content. `client_id` must be a fresh random integer below 2^53. `remembered` is the
    /// result of [`Self::remembered`] that this device has stored with the document, if any.
    #[wasm_bindgen(constructor)]
    pub fn new(client_id: f64, remembered: Option<String>) -> Self {
        console_error_panic_hook::set_once();
        let remembered = remembered.and_then(|json| serde_json::from_str(&json).ok());
        // An integer below 2^53 is exact in both types.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let replica = Replica::new(client_id as u64);
        Self { client: Client::new(replica, remembered), reported: None }
    }

    /// Loads an update that the device has stored, and the claims stored with it.
    pub fn load(&mut self, update: &[u8], claims: &[u8]) -> Result<(), JsError> {
        self.client.load_claims(claims).map_err(failed)?;
        self.client.replica_mut().apply(update).map_err(failed)
    }

    /// Ends loading. From now on, [`Self::take_changes`] and [`Self::take_updates`] return only what comes after the
    /// loaded content. `any` says whether anything was loaded. If so, the client assumes that the server lacks some of
    /// the loaded content.
    pub fn loaded(&mut self, any: bool) {
        self.client.replica_mut().take_changes();
        self.client.replica_mut().take_all();
        if any {
            self.client.assume_unsaved();
        }
    }

    pub fn opened(&mut self) {
        self.client.opened();
    }

    pub fn frame(&mut self, frame: &[u8]) -> Result<(), JsError> {
        self.client.frame(frame).map_err(failed)
    }

    pub fn closed(&mut self, code: u16, reason: &str) {
        self.client.closed(code, reason);
    }

    pub fn renew(&mut self) {
        self.client.renew();
    }

    #[wasm_bindgen(js_name = takeFrames)]
    pub fn take_frames(&mut self) -> Array {
        bytes(self.client.take_frames())
    }

    /// Takes the updates since the last call, for the device to store.
    #[wasm_bindgen(js_name = takeUpdates)]
    pub fn take_updates(&mut self) -> Array {
        bytes(self.client.replica_mut().take_all())
    }

    /// Returns the encoded claims of edits that are not known to be saved, for the device to store with the updates
    /// of those edits.
    pub fn claims(&self) -> Vec<u8> {
        self.client.claims()
    }

    /// Takes the changes since the last call as JSON, without those that the editor made itself. Returns `undefined` if
    /// there are none.
    #[wasm_bindgen(js_name = takeChanges)]
    pub fn take_changes(&mut self) -> Option<String> {
        let changes = self.client.replica_mut().take_changes();
        (!changes.is_empty()).then(|| json(&changes))
    }

    /// Returns everybody else in the document as JSON, or `undefined` if nothing has changed since the last call.
    #[wasm_bindgen(js_name = takePeers)]
    pub fn take_peers(&mut self) -> Option<String> {
        self.client.take_peers().map(|peers| json(&peers))
    }

    /// Returns everybody else in the document as JSON, with the present positions of their carets.
    pub fn peers(&mut self) -> String {
        json(&self.client.peers())
    }

    /// Returns the status of the client as JSON (`ClientStatus`), or `undefined` if it has not changed since the last
    /// call.
    #[wasm_bindgen(js_name = takeStatus)]
    pub fn take_status(&mut self) -> Option<String> {
        let status = ClientStatus {
            link: self.client.link().clone(),
            unsaved: self.client.is_unsaved(),
            may_write: self.client.may_write(),
            can_undo: self.client.replica().can_undo(),
            can_redo: self.client.replica().can_redo(),
        };
        if self.reported.as_ref() == Some(&status) {
            return None;
        }
        let changed = json(&status);
        self.reported = Some(status);
        Some(changed)
    }

    /// Takes the news since the last call, as bits: 1 means that a passage was redacted, so the device must replace
    /// what it stores, and 2 means that the path to a release has changed. Returns 0 if there is no news.
    #[wasm_bindgen(js_name = takeNews)]
    pub fn take_news(&mut self) -> u8 {
        self.client.take_news()
    }

    /// Returns the ledger position that the client remembers, as JSON, or `undefined` if the client remembers none.
    pub fn remembered(&self) -> Option<String> {
        self.client.remembered().map(json)
    }

    /// Returns the whole document as one update.
    pub fn state(&self) -> Vec<u8> {
        self.client.replica().encode_since(&yrs_empty())
    }

    /// Returns a text as a Delta in JSON. Attributes of blocks are only on newlines, and marks are only on other
    /// characters.
    pub fn read(&self, target: String) -> String {
        json(&delta::arrange(&self.client.replica().read(&Target(target))))
    }

    /// Returns whether a text ends in a newline. Only concurrent deletions can remove the last newline.
    #[wasm_bindgen(js_name = isEnded)]
    pub fn is_ended(&self, target: String) -> bool {
        self.client.replica().is_ended(&Target(target))
    }

    /// Changes a text. `ops` is a Delta as JSON. `now`, here and in the other methods, is the time in milliseconds
    /// since a fixed moment, such as the opening of the page. It decides which changes are undone together.
    pub fn edit(&mut self, now: f64, target: String, ops: &str) -> Result<(), JsError> {
        let ops = read_ops(ops)?;
        self.change(now, |replica| replica.edit(&Target(target), &ops));
        Ok(())
    }

    /// Remembers a passage that is copied or dragged, so that a later paste can claim it. `from` and `len` are in
    /// UTF-16 code units.
    pub fn copy(&mut self, target: String, from: u32, len: u32) {
        self.client.replica_mut().copy(&Target(target), from, len);
    }

    /// Changes a text by a paste or drop. `ops` is a Delta as JSON.
    pub fn paste(&mut self, now: f64, target: String, ops: &str) -> Result<(), JsError> {
        let ops = read_ops(ops)?;
        self.change(now, |replica| replica.paste(&Target(target), &ops));
        Ok(())
    }

    pub fn undo(&mut self, now: f64) -> bool {
        self.change(now, Replica::undo)
    }

    pub fn redo(&mut self, now: f64) -> bool {
        self.change(now, Replica::redo)
    }

    #[wasm_bindgen(js_name = addMilestone)]
    pub fn add_milestone(&mut self, now: f64, id: &str, after: Option<String>) {
        self.change(now, |replica| replica.add_milestone(id, after.as_deref()));
    }

    #[wasm_bindgen(js_name = removeMilestone)]
    pub fn remove_milestone(&mut self, now: f64, id: &str) {
        self.change(now, |replica| replica.remove_milestone(id));
    }

    #[wasm_bindgen(js_name = moveMilestone)]
    pub fn move_milestone(&mut self, now: f64, id: &str, before: Option<String>) {
        self.change(now, |replica| replica.move_milestone(id, before.as_deref()));
    }

    #[wasm_bindgen(js_name = setMilestone)]
    pub fn set_milestone(&mut self, now: f64, id: &str, key: &str, value: &str) {
        self.change(now, |replica| replica.set_milestone(id, key, value));
    }

    #[wasm_bindgen(js_name = setFact)]
    pub fn set_fact(&mut self, now: f64, key: &str, value: &str) {
        self.change(now, |replica| replica.set_fact(key, value));
    }

    /// Returns the milestones to show, in order, as JSON.
    pub fn milestones(&self) -> String {
        json(&self.client.replica().milestones())
    }

    /// Returns the dates of the commitment as JSON.
    pub fn facts(&self) -> String {
        json(&self.client.replica().facts())
    }

    /// Returns the whole visible content as JSON.
    pub fn content(&self) -> String {
        json(&self.client.replica().content())
    }

    /// Returns, as JSON, the checklist that says what the commitment still lacks.
    pub fn checklist(&self) -> String {
        json(&checklist(&self.client.replica().content()))
    }

    /// Announces the position of the user's own caret: a text, and the fixed and the moving end of the selection in
    /// UTF-16 code units. `target` is `undefined` when the document has no focus.
    pub fn point(&mut self, target: Option<String>, anchor: u32, head: u32) {
        let target = target.map(Target);
        self.client.point(target.as_ref().map(|target| (target, anchor, head)));
    }
}

impl AccordClient {
    fn change<R>(&mut self, now: f64, change: impl FnOnce(&mut Replica) -> R) -> R {
        // Even the milliseconds since the Unix epoch are far below 2^53, so `u64` has the exact whole part.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        self.client.replica_mut().set_now(now as u64);
        self.client.change(change)
    }
}

/// Returns the name of the subprotocol that the page must ask the server for.
#[wasm_bindgen]
pub fn subprotocol() -> String {
    wire::SUBPROTOCOL.to_owned()
}

/// Returns the template as JSON.
#[wasm_bindgen]
pub fn template() -> String {
    json(&accord_document::template::TEMPLATE)
}

fn read_ops(ops: &str) -> Result<Vec<Op>, JsError> {
    serde_json::from_str(ops).map_err(failed)
}

/// Converts an error to JavaScript's `Error`.
fn failed(error: impl std::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}

fn yrs_empty() -> accord_document::StateVector {
    accord_document::StateVector::default()
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("what crosses to JavaScript has only string keys")
}

fn bytes(list: Vec<Vec<u8>>) -> Array {
    list.iter().map(|bytes| Uint8Array::from(bytes.as_slice())).collect()
}
