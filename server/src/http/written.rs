//! Answers that contain the whole text of a document. With all its formatting, the text can take 16 MiB, and ten times
//! as much memory while it is read and serialized. So the server makes only one such answer for a person at a time, and
//! meanwhile makes or reads no file, import or history for the same person. The work runs on threads that can block for
//! long, because all requests share the other threads.

use super::App;
use super::problem::blocking;
use crate::fair_queue::{PersonalTurn, Place, QueueLimits};
use crate::people::SignedIn;
use crate::problem::Problem;
use crate::store::StoreError;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::io;
use std::sync::Arc;

/// The limits of requests for whole texts. The requests need no slots, only the personal turn. So a person whose budget
/// in a document is used up can keep their own turn busy for minutes, but nothing that other people need.
pub(crate) const WHOLE_TEXTS: QueueLimits =
    QueueLimits { slots: 256, anonymous_slots: 0, slots_each: 1, places_each: 16, places: 256 };

/// A person's turn to have a whole text read and serialized. The turn lasts until all clones are dropped.
#[derive(Debug, Clone)]
pub(super) struct WholeTextTurn {
    _place: Arc<Place>,
    personal: PersonalTurn,
}

impl WholeTextTurn {
    /// Waits until no other whole text, file, import or history is being made for this person.
    ///
    /// # Errors
    /// Returns an error if too many requests of this person wait, or if this request has waited too long.
    pub(super) async fn wait(app: &App, by: &SignedIn) -> Result<Self, Problem> {
        let place = app.whole_texts.place(&by.into())?;
        let personal = place.personal_turn().await?;
        Ok(Self { _place: Arc::new(place), personal })
    }

    /// Returns the personal turn. If the answer needs a reading of a ledger, the reading happens within this turn.
    pub(super) fn personal(&self) -> &PersonalTurn {
        &self.personal
    }

    /// Runs `work` on a thread for blocking work. The turn lasts until the work has ended, even if nobody waits for its
    /// result any more.
    ///
    /// # Errors
    /// Returns the error of `work`, or an error if the thread fails.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.clone();
        blocking(move || {
            let _turn = turn;
            work()
        })
        .await
    }

    /// Returns an answer with the result of `make`, as JSON. The turn lasts until the answer is serialized.
    pub(super) async fn written<T: Serialize>(
        &self,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Response, Problem> {
        Ok(json_response(self.blocking(move || serialized(&make())).await?))
    }
}

/// Returns an answer with the result of `make`, as JSON.
pub(super) async fn written<T: Serialize>(
    make: impl FnOnce() -> T + Send + 'static,
) -> Result<Response, Problem> {
    Ok(json_response(blocking(move || serialized(&make())).await?))
}

fn json_response(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn serialized(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    exact_json(value).map_err(|error| StoreError::Failed(error.to_string()))
}

/// Serializes a value as JSON into a buffer of exactly the needed size: a buffer that grows would take up to three
/// times as much memory.
fn exact_json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value)?;
    let mut written = Vec::with_capacity(length.0);
    serde_json::to_writer(&mut written, value)?;
    Ok(written)
}

/// A writer that only counts bytes.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fair_queue::{FairQueue, PersonalLocks, Requester};
    use accord_document::ids::PersonId;
    use futures_util::FutureExt as _;

    #[test]
    fn json_takes_as_much_memory_as_it_is_long() {
        let value = serde_json::json!({ "texts": ["a \"quoted\" word".repeat(1_000), 1.5, null] });
        let written = exact_json(&value).unwrap();
        assert_eq!(written, value.to_string().into_bytes());
        assert_eq!(written.capacity(), written.len());
    }

    #[tokio::test]
    async fn one_person_reads_one_whole_text_at_a_time() {
        let texts = FairQueue::sharing(WHOLE_TEXTS, PersonalLocks::default());
        let place = |name: &str| texts.place(&Requester::Person(PersonId::new(name))).unwrap();
        let (first, second) = (place("ana"), place("ana"));
        let reading = first.personal_turn().now_or_never().unwrap().unwrap();
        assert!(
            second.personal_turn().now_or_never().is_none(),
            "her second text waits for her first"
        );
        for name in (0..100).map(|n| format!("p{n}")) {
            let theirs = place(&name).personal_turn().now_or_never();
            assert!(theirs.is_some_and(|turn| turn.is_ok()), "others do not, whoever reads");
        }
        drop(reading);
        assert!(second.personal_turn().now_or_never().is_some());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_turn_lasts_as_long_as_its_work_although_nobody_waits_for_it() {
        let texts = FairQueue::sharing(WHOLE_TEXTS, PersonalLocks::default());
        let place = || texts.place(&Requester::Person(PersonId::new("ana"))).unwrap();
        let (first, second) = (Arc::new(place()), place());
        let personal = first.personal_turn().await.unwrap();
        let turn = WholeTextTurn { _place: first, personal };
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let work = async move {
            let work = move || {
                begun.send(()).unwrap();
                // If the test fails, it drops the other end, and this returns an error.
                let _ = ended.recv();
                Ok(())
            };
            turn.blocking(work).await
        };
        let asker = tokio::spawn(work);
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
        asker.abort();
        assert!(asker.await.is_err(), "the asker has hung up");
        assert!(second.personal_turn().now_or_never().is_none(), "the work goes on");
        end.send(()).unwrap();
        assert!(second.personal_turn().await.is_ok());
    }
}
