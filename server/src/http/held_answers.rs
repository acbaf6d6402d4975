//! The memory that answers take until their readers have received them.
//!
//! If a reader receives an answer slowly, the answer stays in memory, and that costs the reader nothing. So the bytes
//! of answers are counted until they are sent: for each signed-in person, and for each address group of readers without
//! a user account. Files are not counted here ([`NotCounted`]): the number of draft files has a limit of its own, and
//! all readers of a release's file share the same memory.
//!
//! A request is refused if the answers to its requester take too much memory. If the answers to all signed-in people,
//! or to all others, together take too much memory, a request is refused only if the answers to its requester take more
//! than an equal share. So a few requesters whose answers take much memory keep nobody else from reading.

use super::App;
use super::identity::{Asker, Caller};
use crate::fair_queue::{Busy, Requester};
use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Number of bytes that count for an answer whose size is unknown.
const UNKNOWN_BYTES: u64 = 1024 * 1024;

/// The limits of the bytes that answers take in memory until their readers have received them.
#[derive(Debug, Clone, Copy)]
pub struct HeldLimits {
    /// Maximum number of bytes of all answers to one requester. If a requester has only one answer, it can be larger.
    pub each: usize,
    /// Maximum number of bytes of the answers to all signed-in people together. The answers to all readers without a
    /// user account can together have as many bytes again.
    pub all: usize,
}

impl Default for HeldLimits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self { each: 16 * MIB, all: 192 * MIB }
    }
}

/// The count of the bytes of answers that are in memory and not sent yet. Clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct HeldAnswers {
    limits: HeldLimits,
    held: Arc<Mutex<Held>>,
}

/// The bytes of unsent answers to one class of requesters: signed-in people, or all others.
#[derive(Debug, Default)]
struct Class {
    by_requester: HashMap<Requester, usize>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Held {
    people: Class,
    others: Class,
}

impl Held {
    fn class(&mut self, requester: &Requester) -> &mut Class {
        match requester {
            Requester::Person(_) => &mut self.people,
            Requester::Address(_) => &mut self.others,
        }
    }
}

impl Class {
    fn admits(&self, requester: &Requester, bytes: usize, limits: HeldLimits) -> Result<(), Busy> {
        // A requester's only answer is sent whatever its size, because otherwise nobody could ever read a large one.
        let Some(theirs) = self.by_requester.get(requester) else { return Ok(()) };
        let share = limits.all / self.by_requester.len();
        if theirs + bytes > limits.each {
            Err(Busy::Requester)
        } else if self.bytes + bytes > limits.all && theirs + bytes > share {
            Err(Busy::Server)
        } else {
            Ok(())
        }
    }

    fn add(&mut self, requester: &Requester, bytes: usize) {
        self.bytes += bytes;
        *self.by_requester.entry(requester.clone()).or_default() += bytes;
    }

    fn remove(&mut self, requester: &Requester, bytes: usize) {
        self.bytes -= bytes;
        if let Some(theirs) = self.by_requester.get_mut(requester) {
            *theirs -= bytes;
            if *theirs == 0 {
                self.by_requester.remove(requester);
            }
        }
    }
}

impl HeldAnswers {
    pub(crate) fn new(limits: HeldLimits) -> Self {
        Self { limits, held: Arc::default() }
    }

    /// Counts the bytes of an answer for its requester until the returned value is dropped.
    ///
    /// # Errors
    /// Returns an error only if `may_refuse` is true and another answer to this requester is in memory. The error is
    /// [`Busy::Requester`] if the answers to this requester would exceed their limit. It is [`Busy::Server`] if the
    /// answers to the whole class would exceed their limit, and those to this requester its share of that limit.
    fn hold(
        &self,
        requester: &Requester,
        bytes: usize,
        may_refuse: bool,
    ) -> Result<HeldBytes, Busy> {
        let mut held = self.lock();
        let class = held.class(requester);
        if may_refuse {
            class.admits(requester, bytes, self.limits)?;
        }
        class.add(requester, bytes);
        Ok(HeldBytes { answers: self.clone(), requester: requester.clone(), bytes })
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of an answer, which count for its requester until this value is dropped.
#[derive(Debug)]
struct HeldBytes {
    answers: HeldAnswers,
    requester: Requester,
    bytes: usize,
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.answers.lock().class(&self.requester).remove(&self.requester, self.bytes);
    }
}

/// A piece of an answer. The whole answer counts as long as any piece of it waits to be sent.
struct HeldPiece {
    bytes: Bytes,
    _held: Arc<HeldBytes>,
}

impl AsRef<[u8]> for HeldPiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A mark for an answer that is not counted here, because its memory is limited elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotCounted;

impl NotCounted {
    pub(super) fn mark(mut response: Response) -> Response {
        response.extensions_mut().insert(Self);
        response
    }
}

/// Counts an answer's bytes for its requester, or refuses to send it. The answer to a change is always sent, because it
/// can contain data that is shown only once, such as the link of an invitation.
pub(super) async fn hold_answer(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let may_refuse = matches!(*request.method(), Method::GET | Method::HEAD);
    let (mut parts, body) = request.into_parts();
    let Ok(Caller { address, .. }) = Caller::from_request_parts(&mut parts, &app).await;
    let asker = Asker::default();
    parts.extensions.insert(asker.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    let bytes = response.body().size_hint().upper().unwrap_or(UNKNOWN_BYTES);
    if bytes == 0 || response.extensions().get::<NotCounted>().is_some() {
        return Ok(response);
    }
    let requester = asker.requester().unwrap_or_else(|| Requester::at(address));
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let held = Arc::new(app.held_answers.hold(&requester, bytes, may_refuse)?);
    Ok(response.map(|body| {
        let piece = move |bytes| Bytes::from_owner(HeldPiece { bytes, _held: held.clone() });
        Body::new(body.map_frame(move |frame| frame.map_data(&piece)))
    }))
}

/// Counts the answers of public pages like [`hold_answer`], but refuses with a sentence instead of JSON.
pub(super) async fn hold_page(
    app: State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Response> {
    hold_answer(app, request, next).await.map_err(Problem::sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use accord_document::ids::PersonId;

    fn person(name: &str) -> Requester {
        Requester::Person(PersonId::new(name))
    }

    #[test]
    fn each_requester_holds_so_many_bytes_until_they_are_sent() {
        let answers = HeldAnswers::new(HeldLimits { each: 300, all: 10_000 });
        let (ana, ben) = (person("ana"), person("ben"));
        let mut hers: Vec<_> = (0..3).map(|_| answers.hold(&ana, 100, true).unwrap()).collect();
        assert_eq!(answers.hold(&ana, 100, true).unwrap_err(), Busy::Requester);
        let change = answers.hold(&ana, 100, false).unwrap();
        let his = answers.hold(&ben, 100, true).unwrap();
        drop(change);
        hers.pop();
        hers.push(answers.hold(&ana, 100, true).unwrap());
        drop((hers, his));
        let held = answers.lock();
        assert!(held.people.by_requester.is_empty());
        assert_eq!((held.people.bytes, held.others.bytes), (0, 0));
    }

    #[test]
    fn a_few_who_hold_much_keep_nobody_else_from_reading() {
        let answers = HeldAnswers::new(HeldLimits { each: 300, all: 600 });
        let held: Vec<_> = (0..6)
            .map(|n| answers.hold(&person(&format!("p{}", n % 2)), 100, true).unwrap())
            .collect();
        let ana = person("ana");
        let mut hers = vec![answers.hold(&ana, 100, true).expect("who holds nothing is answered")];
        hers.push(answers.hold(&ana, 100, true).expect("a third of all is hers"));
        assert_eq!(answers.hold(&ana, 100, true).unwrap_err(), Busy::Server);
        let reader = Requester::at("10.0.0.1".parse().unwrap());
        answers.hold(&reader, 100, true).expect("readers without an account have their own");
        drop((held, hers));
    }

    #[test]
    fn a_first_answer_is_sent_whatever_its_size() {
        let answers = HeldAnswers::new(HeldLimits { each: 10, all: 10 });
        let ana = person("ana");
        let first = answers.hold(&ana, 1_000, true).unwrap();
        assert!(answers.hold(&ana, 1, true).is_err());
        drop(first);
        answers.hold(&ana, 1_000, true).unwrap();
    }
}
