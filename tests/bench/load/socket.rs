//! A WebSocket client that receives at little cost: one call reads whatever has arrived, and each message is handed out
//! where it lies. It has no extensions, and trusts its server to follow the protocol.

use anyhow::{Context, Result, bail, ensure};
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What a server sends, other than pongs.
pub(super) enum Received<'a> {
    Message(&'a [u8]),
    Ping(&'a [u8]),
    Closed(&'a [u8]),
}

/// The receiving side of a connection.
pub(super) struct Socket {
    stream: Arc<TcpStream>,
    incoming: Incoming,
}

/// The sending side of a connection. Another thread can use it than the one that receives. Clones share the connection.
#[derive(Clone)]
pub(super) struct Sender(Arc<TcpStream>);

/// Opens a WebSocket at a path of a server.
pub(super) async fn connect(address: SocketAddr, path: &str) -> Result<(Socket, Sender)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let head = loop {
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the server closed instead of upgrading");
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break bytes.drain(..end + 4).collect::<Vec<u8>>();
        }
    };
    let head = String::from_utf8_lossy(&head);
    ensure!(head.starts_with("HTTP/1.1 101"), "no upgrade: {head}");
    // Both sides share one file, because a process can have few open files.
    let stream = Arc::new(stream);
    let sender = Sender(stream.clone());
    Ok((Socket { stream, incoming: Incoming { bytes, ..Incoming::default() } }, sender))
}

impl Socket {
    /// Waits until something arrives, and reads it.
    pub(super) async fn read(&mut self) -> Result<()> {
        let bytes = &mut self.incoming.bytes;
        bytes.reserve(16 * 1024);
        loop {
            self.stream.readable().await?;
            match self.stream.try_read_buf(bytes) {
                Ok(read) => {
                    ensure!(read > 0, "the server closed the connection");
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns the next whole message, ping or close that has been read.
    pub(super) fn next(&mut self) -> Result<Option<Received<'_>>> {
        self.incoming.next()
    }
}

impl Sender {
    /// Sends a message. It is an error if the connection can't take it at once, because the server doesn't read.
    pub(super) fn send(&self, message: &[u8]) -> Result<()> {
        self.write(BINARY, message)
    }

    pub(super) fn pong(&self, payload: &[u8]) -> Result<()> {
        self.write(PONG, payload)
    }

    fn write(&self, opcode: u8, payload: &[u8]) -> Result<()> {
        let frame = masked(opcode, payload, rand::random());
        let written = self.0.try_write(&frame).context("the server does not read")?;
        ensure!(written == frame.len(), "the server does not read");
        Ok(())
    }
}

/// Returns a frame of a client (RFC 6455, section 5).
fn masked(opcode: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Bytes that have been read, of which the frames before `start` have been handed out.
#[derive(Default)]
struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    /// The first frames of a message whose last frame has not been read.
    parts: Vec<u8>,
    /// The message that was put together from several frames last.
    whole: Vec<u8>,
}

impl Incoming {
    fn next(&mut self) -> Result<Option<Received<'_>>> {
        while let Some((first, payload)) = frame(&self.bytes[self.start..])? {
            let payload = self.start + payload.start..self.start + payload.end;
            self.start = payload.end;
            let is_last = first & 0x80 != 0;
            match first & 0x0f {
                CONTINUATION | TEXT | BINARY if is_last && self.parts.is_empty() => {
                    return Ok(Some(Received::Message(&self.bytes[payload])));
                }
                CONTINUATION | TEXT | BINARY => {
                    self.parts.extend_from_slice(&self.bytes[payload]);
                    if is_last {
                        self.whole = std::mem::take(&mut self.parts);
                        return Ok(Some(Received::Message(&self.whole)));
                    }
                }
                PING => return Ok(Some(Received::Ping(&self.bytes[payload]))),
                PONG => {}
                CLOSE => return Ok(Some(Received::Closed(&self.bytes[payload]))),
                other => bail!("the server sent a frame with opcode {other}"),
            }
        }
        self.bytes.drain(..self.start);
        self.start = 0;
        Ok(None)
    }
}

/// Returns the first byte of the first frame and the place of its payload, or `None` if the frame is not whole.
fn frame(bytes: &[u8]) -> Result<Option<(u8, Range<usize>)>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    ensure!(second & 0x80 == 0, "a server must not mask its frames");
    let (begin, length) = match second {
        126 => match rest.first_chunk() {
            Some(length) => (4, u16::from_be_bytes(*length).into()),
            None => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(length) => (10, usize::try_from(u64::from_be_bytes(*length))?),
            None => return Ok(None),
        },
        length => (2, usize::from(*length)),
    };
    let payload = begin..begin + length;
    Ok((bytes.len() >= payload.end).then_some((*first, payload)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds bytes in pieces of the given size, and returns the messages.
    fn messages(bytes: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let mut incoming = Incoming::default();
        let mut messages = Vec::new();
        for piece in bytes.chunks(piece) {
            incoming.bytes.extend_from_slice(piece);
            while let Some(received) = incoming.next().expect("valid frames") {
                if let Received::Message(message) = received {
                    messages.push(message.to_vec());
                }
            }
        }
        messages
    }

    #[test]
    fn messages_arrive_whole_however_their_bytes_are_cut() {
        let long = vec![7; 300];
        let mut bytes = vec![0x82, 2, 1, 2];
        bytes.extend([0x82, 126, 1, 44]);
        bytes.extend(&long);
        // A message in three frames, with a ping between the first and the second.
        bytes.extend([0x02, 1, 3, 0x89, 1, 9, 0x00, 1, 4, 0x80, 1, 5]);
        for piece in [1, 2, 3, 7, 1000] {
            assert_eq!(messages(&bytes, piece), [vec![1, 2], long.clone(), vec![3, 4, 5]]);
        }
    }

    #[test]
    fn a_frame_of_a_client_is_masked() {
        assert_eq!(masked(BINARY, &[1, 2, 3], [1; 4]), [0x82, 0x83, 1, 1, 1, 1, 0, 3, 2]);
    }
}
