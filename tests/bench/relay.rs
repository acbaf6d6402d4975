//! A bare relay, the least that any server has to do: it forwards each binary frame to the other clients of its room, with
//! one write for each. It has no document, no accounts and no limits.

use anyhow::Result;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// The connections of each room. A room is a path.
type Rooms = Arc<Mutex<HashMap<String, HashMap<u64, std::net::TcpStream>>>>;

/// Serves until the process is killed.
pub(crate) async fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let rooms = Rooms::default();
    for id in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(client(stream, id, rooms.clone()));
    }
    Ok(())
}

#[allow(clippy::result_large_err)] // The callback's type is that of tungstenite.
async fn client(stream: TcpStream, id: u64, rooms: Rooms) -> Result<()> {
    let stream = stream.into_std()?;
    let own = stream.try_clone()?;
    let stream = TcpStream::from_std(stream)?;
    let mut room = String::new();
    let note = |request: &Request, response: Response| {
        room = request.uri().path().to_owned();
        Ok(response)
    };
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let mut socket = accept_hdr_async_with_config(stream, note, Some(config)).await?;
    let lock = || rooms.lock().unwrap_or_else(PoisonError::into_inner);
    lock().entry(room.clone()).or_default().insert(id, own);
    while let Some(Ok(message)) = socket.next().await {
        if message.is_binary() {
            let frame = frame(&message.into_data());
            // A client that does not read is removed from the room, because the relay has no queue for it.
            let takes = |mut stream: &std::net::TcpStream| {
                stream.write(&frame).is_ok_and(|written| written == frame.len())
            };
            let mut rooms = lock();
            rooms.entry(room.clone()).or_default().retain(|&other, s| other == id || takes(s));
        }
    }
    lock().entry(room).or_default().remove(&id);
    Ok(())
}

/// Returns a binary frame of a server (RFC 6455, section 5) with a message of at most 65,535 bytes.
fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    match message.len() {
        length @ 0..126 => frame.push(length as u8),
        length => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend(message);
    frame
}
