//! The identifiers of ledgers, as the log and the witness store them.

use accord_document::ids::{DocumentId, LedgerId, PlanId};
use accord_document::lib0::{ReadError, Reader, Write as _};

/// Writes the identifier of a ledger.
pub(super) fn put_ledger(out: &mut Vec<u8>, ledger: &LedgerId) {
    let (kind, id) = match ledger {
        LedgerId::Document(id) => (b'd', id.as_str()),
        LedgerId::Plan(id) => (b'p', id.as_str()),
        LedgerId::Audit => (b'a', ""),
    };
    out.push(kind);
    out.put_buf(id.as_bytes());
}

/// Reads the identifier of a ledger.
pub(super) fn read_ledger(r: &mut Reader<'_>) -> Result<LedgerId, ReadError> {
    let kind = r.byte()?;
    let id = r.string()?;
    match kind {
        b'd' => Ok(LedgerId::Document(DocumentId::new(id))),
        b'p' => Ok(LedgerId::Plan(PlanId::new(id))),
        b'a' => Ok(LedgerId::Audit),
        _ => Err(ReadError::Overflow),
    }
}
