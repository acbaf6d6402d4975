//! A mail server for tests, which keeps every mail that it receives.

use anyhow::Result;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Starts a mail server with as much of SMTP (RFC 5321) as a sender needs. Returns its address, and a channel with
/// the mails that it receives.
pub fn mailbox() -> Result<(SocketAddr, Receiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (received, mails) = channel();
    thread::spawn(move || -> Result<()> {
        for socket in listener.incoming() {
            let mut out = socket?;
            let mut lines = BufReader::new(out.try_clone()?).lines();
            out.write_all(b"220 mail.test\r\n")?;
            let mut mail = String::new();
            while let Some(line) = lines.next().transpose()? {
                let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
                    "DATA" => {
                        out.write_all(b"354 go on\r\n")?;
                        for line in lines.by_ref().map_while(Result::ok).take_while(|l| l != ".") {
                            mail.push_str(&line);
                            mail.push('\n');
                        }
                        b"250 taken\r\n"
                    }
                    "QUIT" => break,
                    _ => {
                        mail.push_str(&format!("{line}\n"));
                        b"250 fine\r\n"
                    }
                };
                out.write_all(answer)?;
                if answer.ends_with(b"taken\r\n") {
                    received.send(std::mem::take(&mut mail))?;
                }
            }
        }
        Ok(())
    });
    Ok((address, mails))
}
