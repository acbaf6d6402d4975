//! Checkpoints: the state of a document after some entry, so that a document can be opened without applying its whole
//! ledger.
//!
//! A checkpoint is a cache. It contains the number and the hash of the entry after which it was made, and is used only
//! if the ledger has an entry with this number and hash. Otherwise, or if the version of the checkpoint is unknown, the
//! ledger is applied from its beginning.
//!
//! Layout (integers are lib0 variable-length unless noted):
//!
//! ```text
//! checkpoint = 3:u8 genesis:buf(JSON) seq head:32 time size known:buf redactions:buf(JSON)
//!              versions:buf(JSON) releases:buf(JSON) restored:buf(JSON) update:rest
//! ```

use super::DocumentState;
use super::check_basis::CheckBasis;
use super::measures::Measures;
use crate::body::Genesis;
use crate::ids::{Digest, LineageId, Seq};
use crate::ledger::{Chain, LedgerPosition};
use crate::lib0::{ReadError, Reader, Write};
use crate::update::{AnnouncedClients, Scan, StructIndex, causal_parts, scan};
use crate::ydoc;
use yrs::updates::decoder::Decode;
use yrs::{Doc, StateVector, Transact, Update};

/// The version that this code writes and reads. Raise it with every change of the state or of this layout.
const VERSION: u8 = 3;

/// Number of clients above which a document is integrated in parts, and of structs in a part. When a struct refers to one
/// that comes later, yrs puts it aside, and for each further one it looks through all that it has put aside. In an encoded
/// document, where clients are in the order of their ids, that takes time in proportion to the square of their number.
const MAX_CLIENTS_AT_ONCE: usize = 128;

impl DocumentState {
    /// Encodes the current state as a checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Vec<u8> {
        let LedgerPosition { lineage, seq, head } = self.position();
        let restored = self.chain.restored().map(|began| (began, lineage));
        let mut out = vec![VERSION];
        out.put_buf(&json(self.genesis()));
        out.put_var(seq.0);
        out.extend_from_slice(&head.0);
        out.put_var(self.time());
        out.put_var(self.basis.measures.size as u64);
        out.put_buf(&self.basis.index.encode());
        out.put_buf(&json(&self.redactions));
        out.put_buf(&json(&self.versions));
        out.put_buf(&json(&self.releases));
        out.put_buf(&json(&restored));
        out.extend_from_slice(&self.encode_since(&StateVector::default()));
        out
    }

    /// Restores the state from a checkpoint, or returns `None` if the checkpoint is damaged or has another version.
    #[must_use]
    pub fn resume(checkpoint: &[u8]) -> Option<Self> {
        let mut r = Reader::new(checkpoint);
        if r.byte().ok()? != VERSION {
            return None;
        }
        Self::read(&mut r).ok().flatten()
    }

    fn read(r: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        let genesis: Option<Genesis> = serde_json::from_slice(r.buf()?).ok();
        let seq = Seq(r.var_u64()?);
        let head = Digest(r.take(32)?.try_into().map_err(|_| ReadError::Truncated)?);
        let time = r.var_u64()?;
        // The stored size is skipped, because the document is measured below.
        r.var_u64()?;
        let mut known = StructIndex::decode(r.buf()?)?;
        let redactions = serde_json::from_slice(r.buf()?).ok();
        let versions = serde_json::from_slice(r.buf()?).ok();
        let releases = serde_json::from_slice(r.buf()?).ok();
        let restored: Option<Option<(Seq, LineageId)>> = serde_json::from_slice(r.buf()?).ok();
        let update = r.take(r.remaining())?;
        let Ok(document) = scan(update) else { return Ok(None) };
        let measures = Measures::of(&document, update.len());
        let causal_order = known.reorder(&document);
        let doc = causal_order.and_then(|order| integrated(update, &document, &order));
        let (
            Some(genesis),
            Some(redactions),
            Some(versions),
            Some(releases),
            Some(restored),
            Some(doc),
        ) = (genesis, redactions, versions, releases, restored, doc)
        else {
            return Ok(None);
        };
        let (began, lineage) = restored.unzip();
        let lineage = lineage.unwrap_or_else(|| genesis.lineage.clone());
        let chain = Chain::resume(genesis, began, LedgerPosition { lineage, seq, head }, time);
        Ok(Some(Self {
            doc,
            basis: CheckBasis { index: known, measures, announced: AnnouncedClients::default() },
            chain,
            broken: false,
            redactions,
            versions,
            releases,
        }))
    }
}

/// Returns a yrs document with the content of a whole encoded document, or `None` if yrs can't read it. `causal_order` is the
/// index of the run of each struct, in an order in which the structs can be integrated.
pub(super) fn integrated(update: &[u8], document: &Scan<'_>, causal_order: &[u32]) -> Option<Doc> {
    let doc = ydoc::new(0);
    let mut txn = doc.transact_mut();
    if document.runs.len() <= MAX_CLIENTS_AT_ONCE {
        txn.apply_update(Update::decode_v1(update).ok()?).ok()?;
    } else {
        let parts = causal_parts(update, document, causal_order, MAX_CLIENTS_AT_ONCE);
        for part in parts.ok()? {
            txn.apply_update(Update::decode_v1(&part).ok()?).ok()?;
        }
    }
    drop(txn);
    Some(doc)
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("what is kept is plain strings and numbers")
}
