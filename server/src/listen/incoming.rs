//! The size of the message that is arriving on a WebSocket, and whether more of it is allowed to arrive.
//!
//! The bytes of a socket don't show where a message ends. So the size of the arriving message includes every byte that
//! has arrived since the reader took the last message.

use super::deadlines::Deadlines;
use super::large_messages::{
    LargeMessagePermit, LargeMessages, PersonalPermit, PersonalPermits, SMALL_MESSAGE_BYTES,
};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep, sleep_until};

type Asking = Pin<Box<dyn Future<Output = Option<LargeMessagePermit>> + Send>>;

pub(super) struct Incoming {
    all: LargeMessages,
    person: PersonalPermits,
    deadlines: Deadlines,
    /// Number of bytes that have arrived since the reader took the last message.
    unfinished: u64,
    asking: Option<Asking>,
    permit: Option<LargeMessagePermit>,
    /// Time at which the large message got its permit, and a timer for the message's deadline. `None` while the message
    /// has no permit. The deadline exists because other messages wait for permits.
    due: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("unfinished", &self.unfinished).finish_non_exhaustive()
    }
}

impl Incoming {
    pub(super) fn new(all: LargeMessages, person: PersonalPermits, deadlines: Deadlines) -> Self {
        Self { all, person, deadlines, unfinished: 0, asking: None, permit: None, due: None }
    }

    /// Returns `Ready` when more bytes can be read: immediately for a small message, and after the wait for a permit
    /// for a large one.
    ///
    /// # Errors
    /// Returns an error if a large message arrives too slowly.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unfinished < SMALL_MESSAGE_BYTES {
            return Poll::Ready(Ok(()));
        }
        if self.permit.is_none() {
            let (all, person) = (&self.all, &self.person);
            let ask = || -> Asking { Box::pin(all.clone().permit(person.clone())) };
            let asking = self.asking.get_or_insert_with(ask);
            self.permit = ready!(asking.as_mut().poll(cx));
            self.asking = None;
            let now = Instant::now();
            self.due = Some((now, Box::pin(sleep_until(now + self.deadlines.body_grace))));
        }
        let Some((began, due)) = &mut self.due else { return Poll::Ready(Ok(())) };
        let until = *began + self.deadlines.body_time(self.unfinished);
        if due.deadline() != until {
            due.as_mut().reset(until);
        }
        if due.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "a large message comes too slowly",
            )));
        }
        Poll::Ready(Ok(()))
    }

    /// Adds to the number of bytes that have arrived since the reader took the last message.
    pub(super) fn received(&mut self, bytes: usize) {
        self.unfinished += bytes as u64;
    }

    /// Records that the reader has taken a whole message. Returns the permit of the person who sent it, or `None` if
    /// the message was small.
    pub(super) fn taken(&mut self) -> Option<PersonalPermit> {
        self.unfinished = 0;
        self.due = None;
        self.permit.take().map(LargeMessagePermit::received)
    }
}

#[cfg(test)]
mod tests {
    use super::super::large_messages::MAX_LARGE_MESSAGES_PER_PERSON;
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::time::timeout;

    fn incoming(all: &LargeMessages, person: &PersonalPermits) -> Incoming {
        let deadlines = Deadlines { body_grace: Duration::from_millis(50), ..Deadlines::default() };
        Incoming::new(all.clone(), person.clone(), deadlines)
    }

    async fn may_come(incoming: &mut Incoming) -> Option<bool> {
        let ready = timeout(Duration::from_millis(5), poll_fn(|cx| incoming.poll_ready(cx))).await;
        ready.ok().map(|ready| ready.is_ok())
    }

    #[tokio::test]
    async fn one_person_has_a_few_large_messages_at_once_and_others_have_theirs() {
        let (all, ana, ben) =
            (LargeMessages::default(), PersonalPermits::default(), PersonalPermits::default());
        let mut anas: Vec<_> =
            (0..=MAX_LARGE_MESSAGES_PER_PERSON).map(|_| incoming(&all, &ana)).collect();
        for one in &mut anas {
            assert_eq!(may_come(one).await, Some(true), "small ones need no permit");
            one.received(100_000);
        }
        let mut last = anas.pop().unwrap();
        for one in &mut anas {
            assert_eq!(may_come(one).await, Some(true));
        }
        assert_eq!(may_come(&mut last).await, None, "it waits");
        let mut bens = incoming(&all, &ben);
        bens.received(100_000);
        assert_eq!(may_come(&mut bens).await, Some(true));
        let permit = anas[0].taken();
        assert!(permit.is_some());
        assert_eq!(
            may_come(&mut last).await,
            None,
            "until it has a place among those that wait for the room"
        );
        drop(permit);
        assert_eq!(may_come(&mut last).await, Some(true));
    }

    /// Returns connections of several people. Each person has one connection for each large message that can arrive
    /// from them at the same time. On each connection, a large message has begun that never ends.
    fn crowd(all: &LargeMessages, people: usize) -> Vec<Incoming> {
        let everybody = (0..people).flat_map(|_| {
            let person = PersonalPermits::default();
            (0..MAX_LARGE_MESSAGES_PER_PERSON).map(move |_| person.clone())
        });
        let one = |person| {
            let mut one = incoming(all, &person);
            one.deadlines = Deadlines::default();
            one.received(100_000);
            one
        };
        everybody.map(one).collect()
    }

    #[tokio::test]
    async fn eight_people_who_send_as_slowly_as_they_may_leave_permits_to_a_ninth() {
        let all = LargeMessages::default();
        let mut crowd = crowd(&all, 8);
        let mut coming = 0;
        for one in &mut crowd {
            coming += usize::from(may_come(one).await == Some(true));
        }
        assert_eq!(coming, 16, "all of theirs");
        let mut ninth = incoming(&all, &PersonalPermits::default());
        ninth.received(100_000);
        assert_eq!(may_come(&mut ninth).await, Some(true));
    }

    #[tokio::test]
    async fn messages_that_wait_for_their_rooms_leave_permits_to_others() {
        let all = LargeMessages::default();
        let mut waiting = Vec::new();
        for mut one in crowd(&all, 8) {
            assert_eq!(may_come(&mut one).await, Some(true));
            waiting.extend(one.taken());
        }
        assert_eq!(waiting.len(), 16, "all of them wait");
        let mut ninth = incoming(&all, &PersonalPermits::default());
        ninth.received(100_000);
        assert_eq!(may_come(&mut ninth).await, Some(true));
    }

    #[tokio::test]
    async fn a_large_message_that_trickles_ends() {
        let mut one = incoming(&LargeMessages::default(), &PersonalPermits::default());
        one.deadlines.body_rate = 10_000_000;
        one.received(100_000);
        assert_eq!(may_come(&mut one).await, Some(true));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(may_come(&mut one).await, Some(false));
    }
}
