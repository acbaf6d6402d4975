//! Releases as they are read and downloaded: the text as the ledger has it at the moment that was frozen, and
//! the note that seals it.
//!
//! The text is made from the ledger, and its digest compared with the one that both sides signed, each time it
//! is read from disk; the note is kept as it was signed first. Nothing here can change either.

use crate::archives::{Archives, Reading};
use crate::cache::LruCache;
use crate::fair_queue::Requester;
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

/// The records that hold notes, in pieces: each under `document/number/piece`.
const NOTES: &str = "note";
/// Bytes of one piece: a record holds little more.
const PIECE: usize = 3_000;

/// What all releases kept in memory may take together, in bytes of their files.
const BUDGET: usize = 32 * 1024 * 1024;

/// A release with its statement and its file.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub released: Released,
    pub statement: Statement,
    /// The [`ReleaseFile`], as it is downloaded.
    pub file: Bytes,
    /// The moment that was frozen: the number of the entry that it follows.
    pub moment: Seq,
}

/// All releases. Cloning shares them.
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
    /// By document and number.
    kept: LruCache<(DocumentId, u32), Arc<Frozen>>,
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
        let kept = LruCache::new(BUDGET);
        let shared = Shared { store, archives, plans, people, keys, kept };
        Self { shared: Arc::new(shared) }
    }

    /// The public halves of all keys that releases were ever signed with, the one of now last.
    #[must_use]
    pub(crate) fn keys(&self) -> &[PublicKey] {
        self.shared.keys.published()
    }

    /// A release by its number, if there is one. Where it is not in memory it is made of its ledger, once the requester's
    /// turn has come.
    ///
    /// # Errors
    /// When it can't be read, or is not what was signed; [`OpenError::Busy`] when too much is asked for.
    pub(crate) async fn get(
        &self,
        requester: &Requester,
        document: &DocumentId,
        number: u32,
    ) -> Result<Option<Arc<Frozen>>, OpenError> {
        let key = (document.clone(), number);
        if let Some(frozen) = self.shared.kept.get(&key) {
            return Ok(Some(frozen));
        }
        let releases = self.clone();
        let make = move |_: &Archives, reading: &Reading| releases.make(reading, key);
        self.shared.archives.in_turn(requester, make).await
    }

    /// Signs a release right after it was frozen. The note holds people's names as they are when it is signed, so signing
    /// must not be late: it does not wait in the queue for reading ledgers, however much its signer has asked for.
    ///
    /// # Errors
    /// When there is no such release, it can't be read, or is not what was signed.
    pub(crate) async fn seal(&self, document: &DocumentId, number: u32) -> Result<(), OpenError> {
        let (releases, key) = (self.clone(), (document.clone(), number));
        let reading = self.shared.archives.sealing().await;
        let sealed = tokio::task::spawn_blocking(move || releases.make(&reading, key)).await?;
        sealed?.map(drop).ok_or(OpenError::Missing)
    }

    /// Makes a release of its ledger. Blocks.
    fn make(
        &self,
        reading: &Reading,
        key: (DocumentId, u32),
    ) -> Result<Option<Arc<Frozen>>, OpenError> {
        // Somebody else may have had it made meanwhile.
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
        let frozen = Arc::new(Frozen { released, statement, file, moment: proposal.moment });
        // The text, too, is held beside its file.
        self.shared.kept.insert(key, frozen.clone(), frozen.file.len() * 2);
        Ok(Some(frozen))
    }

    /// What the ledger has of a release.
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
            return Err(damaged(format!("release {number} of {document} is not what was signed")));
        }
        Ok(Some((released, release, proposal)))
    }

    /// The note of a release, behind the key that it is signed with: the one that was signed first.
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
                // The note must be of this very text, whose digest was compared.
                if statement.digest != proposal.digest || statement.number != release.number {
                    return Err(damaged(format!("the note of release {key} is of another text")));
                }
                return Ok((signed_by.to_string(), note, statement));
            }
            let statement = self.state(document, release, proposal)?;
            let note = self.shared.keys.signing().sign(&statement.text());
            let pieces = note.as_bytes().chunks(PIECE).enumerate();
            let swaps: Vec<_> = pieces
                .map(|(index, piece)| Swap {
                    kind: NOTES,
                    key: format!("{key}/{index:03}"),
                    expected: None,
                    value: Some(piece.to_vec()),
                })
                .collect();
            match self.shared.store.swap_all(&swaps) {
                // Somebody else asked at the same moment.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is to be signed of a release.
    fn state(
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

    /// What a note says, behind the key that it is signed with.
    fn open(&self, note: &str) -> Result<(&PublicKey, Statement), OpenError> {
        let opened = |key| Some((key, Statement::read(PublicKey::open(key, note).ok()?)?));
        let found = self.keys().iter().find_map(opened);
        found.ok_or_else(|| damaged("a note is not signed with a key of this server".into()))
    }

    /// The releases of a document that are public, the newest first, each as it was launched.
    ///
    /// # Errors
    /// When one can't be read, or is not what was launched; [`OpenError::Busy`] when too much is asked for.
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
                let what =
                    format!("release {} of {document} is not what was launched", launched.number);
                return Err(damaged(what));
            }
            all.push(Published { frozen, time: launch.public_from(), zone: launch.zone.clone() });
        }
        all.reverse();
        Ok(all)
    }
}

/// A release by its number, as a ledger has it, and what makes a text that release.
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

/// A release that everybody may read.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub frozen: Arc<Frozen>,
    /// Since when, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The time zone of its launch (IANA).
    pub zone: String,
}

fn damaged(what: String) -> OpenError {
    StoreError::Damaged(what).into()
}

fn unwritable(error: serde_json::Error) -> OpenError {
    StoreError::Failed(error.to_string()).into()
}
