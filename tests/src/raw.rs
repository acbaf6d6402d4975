//! A bare TCP connection, from any address of this machine.

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// Raises this process's limit of open files to the maximum that the system allows, and returns the limit.
pub fn raise_open_files() -> Result<u64> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum.unwrap_or(u64::MAX))
}

/// A TCP connection on which a test sends any bytes it likes.
#[derive(Debug)]
pub struct Raw(pub TcpStream);

impl Raw {
    /// Connects from an address of this machine, such as `127.0.0.2`.
    pub async fn connect(from: &str, to: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from.parse()?, 0))?;
        let connected = timeout(Duration::from_secs(10), socket.connect(to.parse()?)).await;
        Ok(Self(connected.context("no connection in time")??))
    }

    pub async fn say(&mut self, text: &str) -> Result<()> {
        Ok(self.0.write_all(text.as_bytes()).await?)
    }

    /// Returns all bytes that come until the server closes or resets the connection. Returns an error if the server
    /// does neither in time.
    pub async fn to_the_end(&mut self, within: Duration) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        let read = async {
            let mut piece = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = self.0.read(&mut piece).await {
                all.extend_from_slice(&piece[..count]);
            }
        };
        timeout(within, read).await.context("the server does not close")?;
        Ok(all)
    }

    /// Requests a page on a connection of its own, and returns the status of the answer.
    pub async fn status(from: &str, to: &str, path: &str) -> Result<u16> {
        let mut raw = Self::connect(from, to).await?;
        raw.say(&format!("GET {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n\r\n")).await?;
        let answer = raw.to_the_end(Duration::from_secs(10)).await?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).with_context(|| format!("no answer: {answer:?}"))?;
        Ok(status.parse()?)
    }
}
