//! Splits large frames into small ones while they arrive.
//!
//! Until a connection ends, tungstenite keeps a buffer as large as the largest frame that arrived on it. A thousand
//! connections on which 8 MiB arrived once would take 8 GB. A message in many small frames (RFC 6455, 5.4) is assembled
//! in separate memory, which is freed once the message has been taken.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Maximum payload of a frame after the split, in bytes. It is a multiple of the mask's length, four bytes. So every
/// piece can use the mask of the whole frame unchanged.
pub(super) const MAX_FRAME_BYTES: usize = 16 * 1024;
/// Length of the header that each piece of a split frame gets, in bytes: the first two bytes of every header, two bytes
/// for the length of the payload, and four bytes for the mask.
const PIECE_HEADER: usize = 8;
/// Maximum length of a frame's header, in bytes.
const LONGEST_HEADER: usize = 14;
/// Bit in a header's first byte: the frame is the last of its message.
const FINAL: u8 = 0x80;
/// Bit in a header's first byte: the frame controls the connection, and must not be split.
const CONTROL: u8 = 0x08;
/// Bit in a header's second byte: the payload is masked.
const MASKED: u8 = 0x80;
/// Value in place of the payload's length: the length follows in two bytes.
const TWO_BYTES: u8 = 126;
/// Value in place of the payload's length: the length follows in eight bytes.
const EIGHT_BYTES: u8 = 127;

/// A stream of frames from a client, in which the frames of messages are small.
#[derive(Debug)]
pub(crate) struct SmallFrames<S> {
    stream: S,
    cutter: Cutter,
}

/// The state of the frame that is arriving.
#[derive(Debug)]
struct Cutter {
    /// Maximum size of a message. A frame with a larger payload is passed on unsplit, because tungstenite refuses it by
    /// its header.
    max_message_bytes: u64,
    /// The bytes that have arrived of a header that is not complete yet.
    header: HeaderBytes,
    /// Bytes to return to the reader first: a complete frame header, either the original or one made for the next
    /// piece.
    output: HeaderBytes,
    /// Number of payload bytes until the frame, or the current piece of it, ends.
    left: u64,
    /// The part of the frame after the current piece, or `None` if the frame is not split or the current piece is its
    /// last.
    rest: Option<Rest>,
}

/// The part of a frame that comes after a piece.
#[derive(Debug)]
struct Rest {
    bytes: u64,
    is_final: bool,
    mask: [u8; 4],
}

/// A small buffer for the bytes of a header.
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

    /// Moves bytes into `buf`, as many as fit.
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
    /// Length of the header, in bytes.
    len: usize,
}

impl Header {
    /// Returns the length of the header that starts with `bytes`, in bytes. The first two bytes are enough to know this
    /// length. If there are fewer bytes, returns 2, the length of the shortest header.
    fn len_of(bytes: &[u8]) -> usize {
        let Some(second) = bytes.get(1) else { return 2 };
        let length = match second & !MASKED {
            TWO_BYTES => 2,
            EIGHT_BYTES => 8,
            _ => 0,
        };
        2 + length + if second & MASKED == 0 { 0 } else { 4 }
    }

    /// Parses the header at the start of `bytes`, or returns `None` if the header is not complete.
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

    /// Starts a frame, whose header is complete. Returns the header of the first piece, or `None` if the frame is not
    /// split.
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

    /// Starts the next piece of a frame, and returns its header.
    fn piece(&mut self, first: u8, mut rest: Rest) -> [u8; PIECE_HEADER] {
        self.left = rest.bytes.min(MAX_FRAME_BYTES as u64);
        rest.bytes -= self.left;
        let is_last = rest.bytes == 0;
        let first = first | if is_last && rest.is_final { FINAL } else { 0 };
        // The cast loses nothing, because `left` is at most `MAX_FRAME_BYTES`.
        let [high, low] = (self.left as u16).to_be_bytes();
        let [a, b, c, d] = rest.mask;
        self.rest = (!is_last).then_some(rest);
        [first, MASKED | TWO_BYTES, high, low, a, b, c, d]
    }

    /// Puts the header of the frame's next piece into `output`, if the current piece has been read completely and is
    /// not the last.
    fn begin_next_piece(&mut self) {
        if self.left == 0
            && let Some(rest) = self.rest.take()
        {
            // A continuation frame has the opcode 0.
            let header = self.piece(0, rest);
            self.output.push(&header);
        }
    }

    /// Returns the maximum number of bytes to read next. If another piece follows, a read must not go beyond the
    /// current piece, because a header has to be inserted before the next piece.
    fn max_read(&self) -> usize {
        let most = if self.rest.is_some() { self.left } else { u64::MAX };
        usize::try_from(most).unwrap_or(usize::MAX).min(MAX_FRAME_BYTES)
    }

    /// Adds bytes to an incomplete header, and starts the frame once the header is complete.
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

    /// Splits the frames in `bytes`, which have just arrived. Afterwards, the start of `bytes` contains the bytes for
    /// the reader. Returns the number of these bytes, which is at most the length of `bytes`.
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
    /// Splits the frames of `stream`, except frames whose payload exceeds `max_message_bytes`.
    pub(super) fn new(stream: S, max_message_bytes: usize) -> Self {
        Self { stream, cutter: Cutter::new(max_message_bytes) }
    }
}

/// Reads at most as many bytes as `buf` has room for, and returns their number.
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
