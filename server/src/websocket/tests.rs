//! Tests of a client's WebSocket and the server's, in both directions, over a network that cuts messages anywhere.

use super::*;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::Error;

const MAX_MESSAGE_BYTES: usize = 300_000;

type Served = WebSocketStream<SmallFrames<DuplexStream>>;

/// Returns the client's and the server's end of a network that transmits at most `at_once` bytes at a time.
async fn pair(at_once: usize) -> (WebSocketStream<DuplexStream>, Served) {
    let (near, far) = duplex(at_once);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES));
    let client = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let stream = SmallFrames::new(far, MAX_MESSAGE_BYTES);
    (client, WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
}

/// Returns `len` bytes in a pattern that differs between neighbouring pieces of a frame, so that a swapped piece is
/// noticed.
fn bytes(len: usize) -> Bytes {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

#[tokio::test]
async fn messages_of_every_length_come_in_as_they_were_sent_wherever_the_network_cuts() {
    let piece = MAX_FRAME_BYTES;
    let lengths = [0, 1, 125, 126, piece - 1, piece, piece + 1, 65_535, 65_536, 5 * piece, 100_003];
    for at_once in [1, 2, 3, 7, 13, 4_096, 1 << 20] {
        let (mut client, mut server) = pair(at_once).await;
        let sending = async {
            for len in lengths {
                client.send(Message::Binary(bytes(len))).await.unwrap();
                client.send(Message::Ping(bytes(3))).await.unwrap();
            }
        };
        let reading = async {
            for len in lengths {
                let message = server.next().await.unwrap().unwrap();
                assert!(message == Message::Binary(bytes(len)), "{len} bytes, {at_once} at once");
                assert_eq!(server.next().await.unwrap().unwrap(), Message::Ping(bytes(3)));
            }
        };
        tokio::join!(sending, reading);
    }
}

#[tokio::test]
async fn a_message_that_was_cut_by_its_sender_is_cut_further() {
    let (mut client, mut server) = pair(1_000).await;
    let whole = bytes(3 * 40_000);
    let part = |number: usize| whole.slice(number * 40_000..(number + 1) * 40_000);
    let of = |number, data| {
        Message::Frame(Frame::message(part(number), OpCode::Data(data), number == 2))
    };
    let sending = async {
        client.send(of(0, Data::Binary)).await.unwrap();
        // A sender is allowed to send a ping between the frames of a message.
        client.send(Message::Ping(Bytes::new())).await.unwrap();
        client.send(of(1, Data::Continue)).await.unwrap();
        client.send(of(2, Data::Continue)).await.unwrap();
    };
    let reading = async {
        assert!(server.next().await.unwrap().unwrap().is_ping());
        assert!(server.next().await.unwrap().unwrap() == Message::Binary(whole.clone()));
    };
    tokio::join!(sending, reading);
}

#[tokio::test]
async fn a_frame_above_the_limit_is_refused_by_its_header() {
    let (mut near, far) = duplex(64);
    let stream = SmallFrames::new(far, MAX_MESSAGE_BYTES);
    let config = WebSocketConfig::default().max_frame_size(Some(MAX_FRAME_BYTES));
    let mut server = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let mut header = vec![0x82, 0x80 | 127];
    header.extend((MAX_MESSAGE_BYTES as u64 + 1).to_be_bytes());
    header.extend([0; 4]);
    near.write_all(&header).await.unwrap();
    let refused = server.next().await.unwrap();
    assert!(matches!(refused, Err(Error::Capacity(_))), "{refused:?}");
}

/// Returns the bytes that come out of [`SmallFrames`] when `sent` arrives at most `at_once` bytes at a time.
async fn passed(sent: &[u8], at_once: usize) -> Vec<u8> {
    let (mut near, far) = duplex(at_once);
    let sending = async {
        near.write_all(sent).await.unwrap();
        drop(near);
    };
    let mut out = Vec::new();
    let mut stream = SmallFrames::new(far, MAX_MESSAGE_BYTES);
    let (_, read) = tokio::join!(sending, stream.read_to_end(&mut out));
    read.unwrap();
    out
}

#[tokio::test]
async fn what_needs_no_cut_is_passed_on_as_it_is() {
    // A text, an empty frame, a frame without a mask, a close, and a frame whose length 3 is written in eight bytes.
    let mut sent = vec![0x81, 0x82, 1, 2, 3, 4, 9, 9, 0x82, 0x80, 0, 0, 0, 0, 0x82, 1, 7];
    sent.extend([0x88, 0x80, 5, 5, 5, 5, 0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 3, 1, 1, 1, 1, 8, 8, 8]);
    // The start of a header, after which the connection ends.
    sent.extend([0x82]);
    for at_once in 1..sent.len() {
        let out = passed(&sent, at_once).await;
        assert_eq!(out[..], sent[..sent.len() - 1], "{at_once} at once");
    }
}

#[tokio::test]
async fn the_last_piece_alone_ends_the_message() {
    let mut sent = vec![0x82, 0x80 | 126];
    sent.extend((MAX_FRAME_BYTES as u16 + 4).to_be_bytes());
    sent.extend([1, 2, 3, 4]);
    sent.extend(vec![0; MAX_FRAME_BYTES + 4]);
    let out = passed(&sent, 1 << 20).await;
    let [high, low] = (MAX_FRAME_BYTES as u16).to_be_bytes();
    assert_eq!(out[..8], [0x02, 0xfe, high, low, 1, 2, 3, 4]);
    assert_eq!(out[8 + MAX_FRAME_BYTES..][..8], [0x80, 0xfe, 0, 4, 1, 2, 3, 4]);
    assert_eq!(out.len(), 8 + MAX_FRAME_BYTES + 8 + 4);
}

#[tokio::test]
async fn a_message_goes_out_in_small_frames_and_arrives_whole() {
    let (mut client, mut server) = pair(1_000).await;
    for len in [0, 1, MAX_FRAME_BYTES, MAX_FRAME_BYTES + 1, 200_000] {
        let all: Vec<Message> = frames(bytes(len)).collect();
        let sending = async {
            for frame in all {
                // The length of a frame includes its header.
                assert!(frame.len() <= MAX_FRAME_BYTES + 4);
                server.send(frame).await.unwrap();
            }
        };
        let (_, read) = tokio::join!(sending, client.next());
        assert!(read.unwrap().unwrap() == Message::Binary(bytes(len)), "{len}");
    }
}
