//! A request whose sender does not wait for the whole answer. The sender can hang up, read slowly, or send the body
//! in parts.

use anyhow::{Context, Result};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request on a connection of its own. The server closes the connection after the answer, and dropping the request
/// hangs up.
#[derive(Debug)]
pub struct OpenRequest(TcpStream);

impl OpenRequest {
    /// Connects and sends the head of a request. `headers` contains whole lines, each with its line break.
    pub(crate) fn begin(
        address: &str,
        cookie: &str,
        (method, path): (&str, &str),
        headers: &str,
    ) -> Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        // Without TCP's delay of small packets (Nagle's algorithm), every part leaves at once, even if the sender hangs up
        // directly afterwards.
        stream.set_nodelay(true)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncookie: {cookie}\r\n\
             {headers}connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        Ok(Self(stream))
    }

    /// Sends a part of the body. Returns an error if the server has closed the connection.
    pub fn send(&mut self, part: &[u8]) -> io::Result<()> {
        self.0.write_all(part)
    }

    /// Reads the status of the answer and nothing after it. Returns an error if it does not arrive within the given
    /// time.
    pub fn status(&mut self, within: Duration) -> Result<u16> {
        self.0.set_read_timeout(Some(within))?;
        let mut first = [0; "HTTP/1.1 200".len()];
        self.0.read_exact(&mut first).context("no answer")?;
        let first = String::from_utf8_lossy(&first);
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|status| status.parse().ok());
        status.with_context(|| format!("not an answer: {first:?}"))
    }

    /// Reads the rest of the answer, with its headers, after [`status`](Self::status).
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).map(|_| rest)
    }
}
