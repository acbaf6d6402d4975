//! Mail, where an SMTP server is named (RFC 5321): so far to set a new password.

use lettre::message::{Mailbox, header::ContentType};
use lettre::{Message, SmtpTransport, Transport};
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Where mail goes out, and in whose name.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// `smtps://user:password@host:465`, or `smtp://host:587?tls=required`; `smtp://127.0.0.1:25` for a
    /// server on this machine.
    pub url: String,
    /// `Accord <accord@example.org>`.
    pub from: String,
}

#[derive(Debug, Error)]
pub enum MailError {
    #[error("the address of the mail server can't be understood: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
    #[error("mail can't come from {0:?}: name an address like Accord <accord@example.org>")]
    From(String),
    #[error("that is no address for mail: {0}")]
    To(#[from] lettre::address::AddressError),
    #[error("the mail can't be written: {0}")]
    Message(#[from] lettre::error::Error),
}

/// A way to send mail. Sending blocks.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    transport: SmtpTransport,
    from: Mailbox,
}

impl Mail {
    /// # Errors
    /// When the configuration can't be understood. Whether the server answers, only sending tells.
    pub(crate) fn new(config: &MailConfig) -> Result<Self, MailError> {
        let transport = SmtpTransport::from_url(&config.url)?.timeout(Some(TIMEOUT)).build();
        let from =
            Mailbox::from_str(&config.from).map_err(|_| MailError::From(config.from.clone()))?;
        Ok(Self { transport, from })
    }

    /// # Errors
    /// When the server does not take it.
    pub(crate) fn send(&self, to: &str, subject: &str, text: String) -> Result<(), MailError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.parse()?))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)?;
        self.transport.send(&message)?;
        Ok(())
    }
}
