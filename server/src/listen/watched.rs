//! A socket that records when its peer sends and reads, and that fails if the peer reads nothing for too long.

use super::connection::ConnectionState;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    state: ConnectionState,
    /// Timer for the longest time that a write waits for the peer to read. It counts while `is_stalled` is true.
    stall: Pin<Box<Sleep>>,
    is_stalled: bool,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, state: ConnectionState) -> Self {
        let stall = Box::pin(sleep(state.deadlines().write_stall));
        Self { stream, state, stall, is_stalled: false }
    }

    /// Returns the result of a write, or an error if the peer has read nothing for too long.
    fn watch(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            // After a stall, a write can succeed only because the peer has acknowledged some bytes.
            self.state.sent(std::mem::take(&mut self.is_stalled));
            return written;
        }
        if !self.is_stalled {
            self.is_stalled = true;
            self.state.wait_for_peer();
            self.stall.as_mut().reset(Instant::now() + self.state.deadlines().write_stall);
        }
        ready!(self.stall.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.state.close();
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.state.poll_read_ready(cx))?;
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let bytes = buf.filled().len() - before;
        if bytes > 0 {
            self.state.received(bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
