//! Cuts large frames into small ones while they come in.
//!
//! tungstenite keeps for each connection, until it ends, a buffer as large as the largest frame that came on it: a
//! thousand connections that once sent 8 MiB would hold 8 GB. A message in many small frames (RFC 6455, 5.4) is put
//! together in memory of its own, which is free once the message has been taken.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The largest payload that a frame has after this, in bytes. A multiple of the four bytes of a mask, so that every
/// piece of a frame is masked as the frame was.
pub(super) const MAX_FRAME_BYTES: usize = 16 * 1024;
/// The header of a piece: two bytes, two of its length, four of its mask.
const PIECE_HEADER: usize = 8;
/// The longest header of a frame.
const LONGEST_HEADER: usize = 14;
/// Of a header's first byte: the frame is its message's last.
const FINAL: u8 = 0x80;
/// Of a header's first byte: the frame is about the connection, and must not be cut.
const CONTROL: u8 = 0x08;
/// Of a header's second byte: the payload is masked.
const MASKED: u8 = 0x80;
/// In place of a length: it follows in two bytes.
const TWO_BYTES: u8 = 126;
/// In place of a length: it follows in eight bytes.
const EIGHT_BYTES: u8 = 127;

/// A stream of frames from a client, in which no frame of a message is large.
#[derive(Debug)]
pub(crate) struct SmallFrames<S> {
    stream: S,
    cutter: Cutter,
}

/// What is known of the frame that is coming in.
#[derive(Debug)]
struct Cutter {
    /// Frames with a larger payload are left as they are: they are refused by their header.
    max_message_bytes: u64,
    /// Bytes of a header that is not whole yet.
    header: HeaderBytes,
    /// What is to be read before anything else: a header that is whole, or that of the next piece.
    output: HeaderBytes,
    /// Bytes of payload until the frame, or the piece of it, ends.
    left: u64,
    /// What follows the piece.
    rest: Option<Rest>,
}

/// What of a frame comes after a piece of it.
#[derive(Debug)]
struct Rest {
    bytes: u64,
    is_final: bool,
    mask: [u8; 4],
}

/// Some bytes of headers.
#[derive(Debug, Default)]
struct HeaderBytes {
    bytes: [u8; LONGEST_HEADER],
    len: usize,
}

impl HeaderBytes {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, more: &[u8]) {
        self.bytes[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// Moves as many bytes into `buf` as it has room for.
    fn drain_into(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.len.min(buf.remaining());
        buf.put_slice(&self.bytes[..count]);
        self.bytes.copy_within(count..self.len, 0);
        self.len -= count;
    }
}

/// The header of a frame (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy)]
struct Header {
    first: u8,
    payload: u64,
    mask: Option<[u8; 4]>,
    /// Its own length.
    len: usize,
}

impl Header {
    /// How long a header is of which these bytes have come: as far as they tell.
    fn len_of(bytes: &[u8]) -> usize {
        let Some(second) = bytes.get(1) else { return 2 };
        let length = match second & !MASKED {
            TWO_BYTES => 2,
            EIGHT_BYTES => 8,
            _ => 0,
        };
        2 + length + if second & MASKED == 0 { 0 } else { 4 }
    }

    /// The header at the beginning of `bytes`, if it is whole.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let len = Self::len_of(bytes);
        let header = bytes.get(..len)?;
        let (rest, mask) = if header[1] & MASKED == 0 {
            (&header[2..], None)
        } else {
            let (rest, mask) = header[2..].split_last_chunk()?;
            (rest, Some(*mask))
        };
        let payload = match rest {
            [] => u64::from(header[1] & !MASKED),
            rest => rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        Some(Self { first: header[0], payload, mask, len })
    }
}

impl Cutter {
    fn new(max_message_bytes: usize) -> Self {
        let (header, output) = <(HeaderBytes, HeaderBytes)>::default();
        let max_message_bytes = max_message_bytes as u64;
        Self { max_message_bytes, header, output, left: 0, rest: None }
    }

    /// A header is whole. Gives that of the first piece if the frame is cut.
    fn begin(&mut self, header: Header) -> Option<[u8; PIECE_HEADER]> {
        let is_large = header.payload > MAX_FRAME_BYTES as u64
            && header.payload <= self.max_message_bytes
            && header.first & CONTROL == 0;
        let Some(mask) = header.mask.filter(|_| is_large) else {
            self.left = header.payload;
            return None;
        };
        let is_final = header.first & FINAL != 0;
        let rest = Rest { bytes: header.payload, is_final, mask };
        Some(self.piece(header.first & !FINAL, rest))
    }

    /// The header of a frame's next piece.
    fn piece(&mut self, first: u8, mut rest: Rest) -> [u8; PIECE_HEADER] {
        self.left = rest.bytes.min(MAX_FRAME_BYTES as u64);
        rest.bytes -= self.left;
        let is_last = rest.bytes == 0;
        let first = first | if is_last && rest.is_final { FINAL } else { 0 };
        // At most `MAX_FRAME_BYTES`.
        let [high, low] = (self.left as u16).to_be_bytes();
        let [a, b, c, d] = rest.mask;
        self.rest = (!is_last).then_some(rest);
        [first, MASKED | TWO_BYTES, high, low, a, b, c, d]
    }

    /// Writes the header of a frame's next piece, once the piece before it has been read.
    fn begin_next_piece(&mut self) {
        if self.left == 0
            && let Some(rest) = self.rest.take()
        {
            // A continuation has the opcode 0.
            let header = self.piece(0, rest);
            self.output.push(&header);
        }
    }

    /// The most that may be read at once: what comes after a piece has a header before it.
    fn max_read(&self) -> usize {
        let most = if self.rest.is_some() { self.left } else { u64::MAX };
        usize::try_from(most).unwrap_or(usize::MAX).min(MAX_FRAME_BYTES)
    }

    /// Bytes of a header that was not whole have come.
    fn extend_header(&mut self, more: &[u8]) {
        self.header.push(more);
        if let Some(header) = Header::parse(self.header.as_slice()) {
            match self.begin(header) {
                Some(piece) => self.output.push(&piece),
                None => self.output.push(self.header.as_slice()),
            }
            self.header.clear();
        }
    }

    /// Bytes have come. Puts in their place what is to be read instead, which is never longer, and gives its length.
    fn rewrite(&mut self, bytes: &mut [u8]) -> usize {
        let (mut at, mut end) = (0, bytes.len());
        loop {
            let passed = (end - at).min(usize::try_from(self.left).unwrap_or(usize::MAX));
            at += passed;
            self.left -= passed as u64;
            if at == end {
                return end;
            }
            let Some(header) = Header::parse(&bytes[at..end]) else {
                self.header.push(&bytes[at..end]);
                return at;
            };
            match self.begin(header) {
                None => at += header.len,
                Some(piece) => {
                    bytes.copy_within(at + header.len..end, at + PIECE_HEADER);
                    end -= header.len - PIECE_HEADER;
                    bytes[at..at + PIECE_HEADER].copy_from_slice(&piece);
                    at += PIECE_HEADER;
                }
            }
        }
    }
}

impl<S> SmallFrames<S> {
    /// Frames with a payload above `max_message_bytes` are not cut.
    pub(super) fn new(stream: S, max_message_bytes: usize) -> Self {
        Self { stream, cutter: Cutter::new(max_message_bytes) }
    }
}

/// Reads at most as much as `buf` has room for.
fn poll_some<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buf = ReadBuf::new(buf);
    ready!(Pin::new(stream).poll_read(cx, &mut buf))?;
    Poll::Ready(Ok(buf.filled().len()))
}

impl<S: AsyncRead + Unpin> AsyncRead for SmallFrames<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, cutter } = &mut *self;
        let before = buf.filled().len();
        while buf.filled().len() == before && buf.remaining() > 0 {
            cutter.begin_next_piece();
            if cutter.output.len > 0 {
                cutter.output.drain_into(buf);
                break;
            }
            let begun = cutter.header.as_slice();
            if begun.is_empty() {
                let most = cutter.max_read().min(buf.remaining());
                let room = buf.initialize_unfilled_to(most);
                let count = ready!(poll_some(stream, cx, room))?;
                if count == 0 {
                    break;
                }
                let count = cutter.rewrite(&mut room[..count]);
                buf.advance(count);
            } else {
                let mut more = [0; LONGEST_HEADER];
                let missing = Header::len_of(begun) - begun.len();
                let count = ready!(poll_some(stream, cx, &mut more[..missing]))?;
                if count == 0 {
                    break;
                }
                cutter.extend_header(&more[..count]);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SmallFrames<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
