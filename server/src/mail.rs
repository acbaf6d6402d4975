//! Sending mail through an SMTP server (RFC 5321): a bounded queue, and one thread that sends. No request waits for the
//! mail server.

use lettre::message::{Mailbox, header::ContentType};
use lettre::{Message, SmtpTransport, Transport};
use std::str::FromStr;
#[cfg(test)]
use std::sync::mpsc::Receiver;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use thiserror::Error;

/// Time limit of each exchange with the mail server.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Number of mails that can wait to be sent. Further mails are dropped, and the drop is logged.
const MAX_WAITING: usize = 256;

/// The mail server, and the sender of all mails.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The address of the mail server: `smtps://user:password@host:465` or `smtp://host:587?tls=required`, or
    /// `smtp://127.0.0.1:25` for a server on this machine.
    pub url: String,
    /// The sender of all mails, such as `Accord <accord@example.org>`.
    pub from: String,
}

#[derive(Debug, Error)]
pub enum MailError {
    #[error("the address of the mail server can't be understood: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
    #[error("mail can't be sent from {0:?}: give a sender like Accord <accord@example.org>")]
    From(String),
    #[error("this is not an e-mail address: {0}")]
    To(#[from] lettre::address::AddressError),
    #[error("the mail can't be written: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("the thread that sends mail can't be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// A mail to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) subject: &'static str,
    pub(crate) text: String,
}

/// A handle to the thread that sends mails. Clones share the thread, which ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    waiting: SyncSender<Letter>,
}

impl Mail {
    /// Starts the thread that sends mails. The mail server is first contacted when a mail is sent.
    ///
    /// # Errors
    /// Returns an error if the configuration is invalid or the thread can't be created.
    pub(crate) fn start(config: &MailConfig) -> Result<Self, MailError> {
        let transport = SmtpTransport::from_url(&config.url)?.timeout(Some(TIMEOUT)).build();
        let from =
            Mailbox::from_str(&config.from).map_err(|_| MailError::From(config.from.clone()))?;
        let (waiting, letters) = sync_channel::<Letter>(MAX_WAITING);
        std::thread::Builder::new().name("mail".into()).spawn(move || {
            for letter in letters {
                if let Err(error) = send(&transport, &from, letter) {
                    tracing::error!(%error, "a mail could not be sent");
                }
            }
        })?;
        Ok(Self { waiting })
    }

    /// Queues a mail without waiting. If the queue is full, the mail is dropped.
    pub(crate) fn post(&self, letter: Letter) {
        if self.waiting.try_send(letter).is_err() {
            tracing::error!("a mail was dropped: {MAX_WAITING} are waiting for the mail server");
        }
    }

    /// Creates a handle whose mails go to the returned receiver instead of being sent.
    #[cfg(test)]
    pub(crate) fn for_tests() -> (Self, Receiver<Letter>) {
        let (waiting, letters) = sync_channel(MAX_WAITING);
        (Self { waiting }, letters)
    }
}

fn send(transport: &SmtpTransport, from: &Mailbox, letter: Letter) -> Result<(), MailError> {
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, letter.to.parse()?))
        .subject(letter.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text)?;
    transport.send(&message)?;
    Ok(())
}
