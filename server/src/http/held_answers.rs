//! What answers hold in memory until their readers have taken them.
//!
//! An answer stays in memory as long as its reader takes it slowly, and costs that reader nothing. So the bytes of each
//! person's answers, or of the answers to one address group of readers without an account, are counted until they are
//! sent.

use super::App;
use super::identity::{Asker, Caller};
use super::problem::Problem;
use crate::admission::{Busy, Requester};
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The largest answer that is never refused, in bytes: the system's own buffers take it from us.
const ALWAYS_SENT_BYTES: usize = 64 * 1024;

/// How many bytes answers may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldLimits {
    /// Those of one requester.
    pub(crate) each: usize,
    /// Those of all signed-in people together.
    pub(crate) people: usize,
    /// Those of all other readers together.
    pub(crate) others: usize,
}

impl Default for HeldLimits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { each: 64 * MIB, people: 256 * MIB, others: 128 * MIB }
    }
}

/// The bytes that answers hold now. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldAnswers {
    limits: HeldLimits,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    by_requester: HashMap<Requester, usize>,
    people: usize,
    others: usize,
}

impl Held {
    fn of_class(&mut self, requester: &Requester) -> &mut usize {
        match requester {
            Requester::Person(_) => &mut self.people,
            Requester::Address(_) => &mut self.others,
        }
    }
}

impl HeldAnswers {
    /// Counts an answer's bytes until the result is dropped.
    ///
    /// # Errors
    /// When this requester's answers, or those of all, hold as much as they may.
    fn hold(&self, requester: &Requester, bytes: usize) -> Result<HeldBytes, Busy> {
        let mut held = self.lock();
        if bytes > ALWAYS_SENT_BYTES {
            // The first answer is sent whatever its size.
            if held.by_requester.get(requester).is_some_and(|held| held + bytes > self.limits.each)
            {
                return Err(Busy::Requester);
            }
            let limit = match requester {
                Requester::Person(_) => self.limits.people,
                Requester::Address(_) => self.limits.others,
            };
            if *held.of_class(requester) + bytes > limit {
                return Err(Busy::Server);
            }
        }
        *held.of_class(requester) += bytes;
        *held.by_requester.entry(requester.clone()).or_default() += bytes;
        Ok(HeldBytes { answers: self.clone(), requester: requester.clone(), bytes })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer's bytes, counted until dropped.
#[derive(Debug)]
struct HeldBytes {
    answers: HeldAnswers,
    requester: Requester,
    bytes: usize,
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        let mut held = self.answers.lock();
        *held.of_class(&self.requester) -= self.bytes;
        if let Some(theirs) = held.by_requester.get_mut(&self.requester) {
            *theirs -= self.bytes;
            if *theirs == 0 {
                held.by_requester.remove(&self.requester);
            }
        }
    }
}

/// A piece of an answer, which is counted as long as anything of it waits to be sent.
struct HeldPiece {
    bytes: Bytes,
    _held: Arc<HeldBytes>,
}

impl AsRef<[u8]> for HeldPiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Counts an answer's bytes as its asker's, or refuses to send it.
pub(super) async fn hold_answer(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let Ok(Caller { address, .. }) = Caller::from_request_parts(&mut parts, &app).await;
    let asker = Asker::default();
    parts.extensions.insert(asker.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    let bytes = response.body().size_hint().lower();
    if bytes == 0 {
        return Ok(response);
    }
    let requester = asker.requester().unwrap_or_else(|| Requester::at(address));
    let held = app.held_answers.hold(&requester, usize::try_from(bytes).unwrap_or(usize::MAX))?;
    let held = Arc::new(held);
    Ok(response.map(|body| {
        let piece = move |bytes| Bytes::from_owner(HeldPiece { bytes, _held: held.clone() });
        Body::new(body.map_frame(move |frame| frame.map_data(&piece)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_document::ids::PersonId;

    #[test]
    fn each_requester_and_all_together_hold_so_many_bytes_until_they_are_sent() {
        const LARGE: usize = 100_000;
        let limits = HeldLimits { each: 3 * LARGE, people: 5 * LARGE, others: LARGE };
        let answers = HeldAnswers { limits, held: Arc::default() };
        let person = |name: &str| Requester::Person(PersonId::new(name));
        let (ana, ben) = (person("ana"), person("ben"));
        let mut hers: Vec<_> = (0..3).map(|_| answers.hold(&ana, LARGE).unwrap()).collect();
        assert_eq!(answers.hold(&ana, LARGE).unwrap_err(), Busy::Requester);
        let small = answers.hold(&ana, ALWAYS_SENT_BYTES).unwrap();
        drop(small);
        let his: Vec<_> = (0..2).map(|_| answers.hold(&ben, LARGE).unwrap()).collect();
        assert_eq!(answers.hold(&ben, LARGE).unwrap_err(), Busy::Server);
        let reader = Requester::at("10.0.0.1".parse().unwrap());
        let read = answers.hold(&reader, LARGE).unwrap();
        hers.pop();
        hers.push(answers.hold(&ana, LARGE).unwrap());
        drop((hers, his, read));
        let held = answers.lock();
        assert!(held.by_requester.is_empty());
        assert_eq!((held.people, held.others), (0, 0));
    }

    #[test]
    fn a_first_answer_is_sent_whatever_its_size() {
        let answers = HeldAnswers::default();
        let ana = Requester::Person(PersonId::new("ana"));
        let large = HeldLimits::default().each + 1;
        let first = answers.hold(&ana, large).unwrap();
        assert!(answers.hold(&ana, large).is_err());
        drop(first);
        answers.hold(&ana, large).unwrap();
    }
}
