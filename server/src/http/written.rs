//! Answers that hold the whole text of a document. With all its formatting that may be 16 MiB, and ten times as much while it
//! is read and written, so each person has one of them made at a time, on threads that may be kept for long: everybody's
//! requests share the others.

use super::App;
use super::problem::blocking;
use crate::admission::{AdmissionLimits, Place, Slot};
use crate::people::SignedIn;
use crate::problem::Problem;
use crate::store::StoreError;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Whole texts that are read and written at the same time. The slots are as many as the places: a person whose budget in a
/// document is used up may hold theirs for minutes, and no slot of others.
pub(crate) const WHOLE_TEXTS: AdmissionLimits =
    AdmissionLimits { slots: 256, anonymous_slots: 0, slots_each: 1, places_each: 16, places: 256 };

/// A person's turn to have a whole text read and written, until it is dropped.
#[derive(Debug)]
pub(super) struct WholeTextTurn {
    _place: Place,
    _slot: Slot,
}

impl WholeTextTurn {
    /// Waits until this person has no other whole text under way.
    ///
    /// # Errors
    /// When too many of theirs wait, or this one has waited for too long.
    pub(super) async fn wait(app: &App, by: &SignedIn) -> Result<Self, Problem> {
        let place = app.whole_texts.place(&by.into())?;
        let slot = place.slot().await?;
        Ok(Self { _place: place, _slot: slot })
    }
}

/// Answers with what `make` gives, as JSON.
pub(super) async fn written<T: Serialize>(
    make: impl FnOnce() -> T + Send + 'static,
) -> Result<Response, Problem> {
    let write =
        move || serde_json::to_vec(&make()).map_err(|error| StoreError::Failed(error.to_string()));
    let body = blocking(write).await?;
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::{Admission, Requester};
    use accord_document::ids::PersonId;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn one_person_reads_one_whole_text_at_a_time() {
        let texts = Admission::new(WHOLE_TEXTS);
        let place = |name: &str| texts.place(&Requester::Person(PersonId::new(name))).unwrap();
        let (first, second) = (place("ana"), place("ana"));
        let reading = first.slot().now_or_never().unwrap().unwrap();
        assert!(second.slot().now_or_never().is_none(), "her second text waits for her first");
        for name in (0..100).map(|n| format!("p{n}")) {
            let theirs = place(&name).slot().now_or_never();
            assert!(theirs.is_some_and(|slot| slot.is_ok()), "others do not, whoever reads");
        }
        drop(reading);
        assert!(second.slot().now_or_never().is_some());
    }
}
