//! Releases as they are read and downloaded: the text that the ledger has at the frozen moment, and the signed note.
//!
//! Each time a release is read from disk, its text is built from the ledger, and the digest of that text is compared
//! with the digest that both sides signed. The note is stored as it was first signed. This module changes neither the
//! text nor the note.

use crate::archives::{Archives, Reading};
use crate::cache::LruCache;
use crate::fair_queue::{Asker, Requester};
use crate::open_error::OpenError;
use crate::people::People;
use crate::plans::Plans;
use crate::replay::decode;
use crate::signing::keys::Keys;
use crate::signing::note::PublicKey;
use crate::signing::{ReleaseFile, Signatory, Statement};
use crate::store::{Store, StoreError, Swap};
use accord_document::ids::{DocumentId, Seq};
use accord_document::ledger::LedgerPosition;
use accord_document::release::canonical::{Identity, Released};
use accord_document::release::{Proposal, Release};
use accord_document::state::DocumentState;
use axum::body::Bytes;
use std::sync::Arc;

/// The kind of the records that hold notes. A note is stored in pieces, each with the key `document/number/piece`.
const NOTES: &str = "note";
/// Maximum size of one piece of a note, in bytes: a record can hold little more.
const NOTE_PIECE_BYTES: usize = 3_000;

/// Maximum memory of all cached releases together, in bytes. Each release counts as twice the size of its file.
const MAX_CACHED_BYTES: usize = 16 * 1024 * 1024;

/// A release with its statement and its file.
#[derive(Debug)]
pub(crate) struct SealedRelease {
    pub released: Released,
    pub statement: Statement,
    /// The bytes of the [`ReleaseFile`] to download.
    pub file: Bytes,
    /// The frozen moment: the number of the entry that the text follows.
    pub moment: Seq,
}

/// All releases, with a cache. Clones share it.
#[derive(Clone)]
pub(crate) struct SealedReleases {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    archives: Archives,
    plans: Plans,
    people: People,
    keys: Keys,
    /// The cached releases, by document and number.
    kept: LruCache<(DocumentId, u32), Arc<SealedRelease>>,
}

impl std::fmt::Debug for SealedReleases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedReleases").finish_non_exhaustive()
    }
}

impl SealedReleases {
    #[must_use]
    pub(crate) fn new(
        store: Arc<dyn Store>,
        archives: Archives,
        plans: Plans,
        people: People,
        keys: Keys,
    ) -> Self {
        let kept = LruCache::new(MAX_CACHED_BYTES);
        let shared = Shared { store, archives, plans, people, keys, kept };
        Self { shared: Arc::new(shared) }
    }

    /// Returns the public halves of all keys that ever signed releases, the current one last.
    #[must_use]
    pub(crate) fn keys(&self) -> &[PublicKey] {
        self.shared.keys.published()
    }

    /// Returns a release by its number, or `None` if no release has it. A release that is not cached is built from its
    /// ledger, once the requester's turn has come.
    ///
    /// # Errors
    /// Returns [`OpenError::Busy`] if there are too many requests, or an error if the release can't be read or its text
    /// is not the one that was signed.
    pub(crate) async fn get(
        &self,
        asker: impl Into<Asker<'_>>,
        document: &DocumentId,
        number: u32,
    ) -> Result<Option<Arc<SealedRelease>>, OpenError> {
        let key = (document.clone(), number);
        if let Some(frozen) = self.shared.kept.get(&key) {
            return Ok(Some(frozen));
        }
        let releases = self.clone();
        let make = move |_: &Archives, reading: &Reading| releases.make(reading, key);
        self.shared.archives.in_turn(asker, make).await
    }

    /// Signs the note of a release right after the text was frozen. The note contains the names that people have when
    /// the note is signed, so the signing must not be delayed. For this reason, it does not wait in the queue for
    /// reading ledgers, however many requests the person who completed the quorum has there.
    ///
    /// # Errors
    /// Returns an error if the release does not exist, can't be read, or has another text than the one that was signed.
    pub(crate) async fn seal(&self, document: &DocumentId, number: u32) -> Result<(), OpenError> {
        let (releases, key) = (self.clone(), (document.clone(), number));
        let reading = self.shared.archives.sealing().await;
        let sealed = tokio::task::spawn_blocking(move || releases.make(&reading, key)).await?;
        sealed?.map(drop).ok_or(OpenError::Missing)
    }

    /// Builds a release from its ledger, or takes it from the cache. Blocks.
    fn make(
        &self,
        reading: &Reading,
        key: (DocumentId, u32),
    ) -> Result<Option<Arc<SealedRelease>>, OpenError> {
        // Another request can have built the release while this one waited for its turn.
        if let Some(frozen) = self.shared.kept.get(&key) {
            return Ok(Some(frozen));
        }
        let (document, number) = (&key.0, key.1);
        let Some((released, release, proposal)) = self.read(reading, document, number)? else {
            return Ok(None);
        };
        let (signed_by, note, statement) = self.note(document, &release, &proposal)?;
        let release = serde_json::to_value(&released).map_err(unwritable)?;
        let file = ReleaseFile { release, note, key: signed_by };
        let file = Bytes::from(serde_json::to_vec_pretty(&file).map_err(unwritable)?);
        let frozen = Arc::new(SealedRelease { released, statement, file, moment: proposal.moment });
        // The release holds its text in memory in addition to its file, so it counts as twice the size of the file.
        self.shared.kept.insert(key, frozen.clone(), frozen.file.len() * 2);
        Ok(Some(frozen))
    }

    /// Reads the text of a release from the ledger, and checks that its digest is the one that was signed. Returns the
    /// text, the release and its proposal, or `None` if there is no such release.
    fn read(
        &self,
        reading: &Reading,
        document: &DocumentId,
        number: u32,
    ) -> Result<Option<(Released, Release, Proposal)>, OpenError> {
        let pick = |state: &DocumentState| {
            let (identity, release, proposal) = find(state, document, number)?;
            Some((proposal.moment, (identity, release, proposal)))
        };
        let read = self.shared.archives.content(reading, document, pick)?;
        let Some(((identity, release, proposal), content)) = read else { return Ok(None) };
        let released = Released::of(identity, &content);
        if released.digest() != proposal.digest {
            return Err(damaged(format!(
                "the text of release {number} of {document} is not the one that was signed"
            )));
        }
        Ok(Some((released, release, proposal)))
    }

    /// Returns the key that signed a release's note, the note, and its statement. The first call signs the note and
    /// stores it.
    fn note(
        &self,
        document: &DocumentId,
        release: &Release,
        proposal: &Proposal,
    ) -> Result<(String, String, Statement), OpenError> {
        let key = format!("{document}/{:06}", release.number);
        loop {
            let pieces = self.shared.store.scan(NOTES, &format!("{key}/"))?;
            if !pieces.is_empty() {
                let bytes = pieces.into_iter().flat_map(|(_, piece)| piece.value).collect();
                let note = String::from_utf8(bytes)
                    .map_err(|_| damaged("a note is not readable".into()))?;
                let (signed_by, statement) = self.open(&note)?;
                // The note must name the digest of the text that the ledger has.
                if statement.digest != proposal.digest || statement.number != release.number {
                    return Err(damaged(format!("the note of release {key} is of another text")));
                }
                return Ok((signed_by.to_string(), note, statement));
            }
            let statement = self.statement(document, release, proposal)?;
            let note = self.shared.keys.signing().sign(&statement.text());
            let pieces = note.as_bytes().chunks(NOTE_PIECE_BYTES).enumerate();
            let swaps: Vec<_> = pieces
                .map(|(index, piece)| Swap {
                    kind: NOTES,
                    key: format!("{key}/{index:03}"),
                    expected: None,
                    value: Some(piece.to_vec()),
                })
                .collect();
            match self.shared.store.swap_all(&swaps) {
                // On a conflict, another request has signed the note at the same time. The next pass of the loop reads
                // that note.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns the statement about a release that the note will contain.
    fn statement(
        &self,
        document: &DocumentId,
        release: &Release,
        proposal: &Proposal,
    ) -> Result<Statement, OpenError> {
        let seq = release.frozen.seq;
        let entry = self.shared.store.entry(&document.clone().into(), seq)?;
        let entry = decode(seq, &entry.ok_or(OpenError::Missing)?)?;
        let genesis = self.shared.store.entry(&document.clone().into(), Seq(0))?;
        let genesis = decode(Seq(0), &genesis.ok_or(OpenError::Missing)?)?;
        let accord_document::body::Body::Genesis(genesis) = genesis.body else {
            return Err(OpenError::Missing);
        };
        let (plan, state) = self.shared.plans.home(document).ok_or(OpenError::Missing)?;
        let mut signatories = Vec::new();
        for mark in &proposal.signatures {
            let person = self.shared.people.person(&mark.person)?;
            signatories.push(Signatory {
                person: mark.person.clone(),
                name: person.map(|person| person.name).unwrap_or_default(),
                sector: mark.sector,
                time: mark.time,
            });
        }
        Ok(Statement {
            digest: proposal.digest,
            document: document.clone(),
            number: release.number,
            plan,
            plan_title: state.title().to_owned(),
            ledger: LedgerPosition { lineage: genesis.lineage, seq, head: entry.hash() },
            frozen: release.frozen.time,
            quorum: proposal.quorum,
            signatories,
        })
    }

    /// Verifies a note, and returns the key that signed it and its statement.
    fn open(&self, note: &str) -> Result<(&PublicKey, Statement), OpenError> {
        let opened = |key| Some((key, Statement::read(PublicKey::open(key, note).ok()?)?));
        let found = self.keys().iter().find_map(opened);
        found.ok_or_else(|| damaged("a note is not signed with a key of this server".into()))
    }

    /// Returns the public releases of a document, the newest first, each with the time of its publication.
    ///
    /// # Errors
    /// Returns [`OpenError::Busy`] if there are too many requests, or an error if a release can't be read or has
    /// another digest than the one that was launched.
    pub(crate) async fn public(
        &self,
        requester: &Requester,
        document: &DocumentId,
    ) -> Result<Vec<Published>, OpenError> {
        let Some((_, plan)) = self.shared.plans.home(document) else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for (launched, launch) in plan.published(document) {
            let frozen = self.get(requester, document, launched.number).await?;
            let frozen = frozen.ok_or(OpenError::Missing)?;
            if frozen.statement.digest != launched.digest {
                let what = format!(
                    "the text of release {} of {document} is not the one that was launched",
                    launched.number
                );
                return Err(damaged(what));
            }
            all.push(Published {
                sealed: frozen,
                time: launch.public_from(),
                zone: launch.zone.clone(),
            });
        }
        all.reverse();
        Ok(all)
    }
}

/// Finds a release by its number in a document's state. Returns the release, its proposal, and the identity that
/// [`Released::of`] needs to build its text, or `None` if there is no such release.
pub(crate) fn find(
    state: &DocumentState,
    document: &DocumentId,
    number: u32,
) -> Option<(Identity, Release, Proposal)> {
    let releases = state.releases();
    let index = (number as usize).checked_sub(1)?;
    let release = releases.all().get(index)?;
    let proposal = releases.proposal_of(release);
    Some((state.identity(document, number), release.clone(), proposal.clone()))
}

/// Returns the document and the number of the release to whose note a record belongs, or `None` for other records.
pub(crate) fn release_of_record(kind: &str, key: &str) -> Option<(DocumentId, u32)> {
    let mut parts = (kind == NOTES).then(|| key.rsplitn(3, '/'))?;
    let (_piece, number, document) = (parts.next()?, parts.next()?, parts.next()?);
    Some((DocumentId::new(document), number.parse().ok()?))
}

/// A release that is public.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub sealed: Arc<SealedRelease>,
    /// The time since which the release is public, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The time zone of the launch (an IANA name).
    pub zone: String,
}

fn damaged(what: String) -> OpenError {
    StoreError::Damaged(what).into()
}

fn unwritable(error: serde_json::Error) -> OpenError {
    StoreError::Failed(error.to_string()).into()
}
