//! Random sessions of stock clients that keep to the protocol.

use crate::{Server, node};
use anyhow::{Result, ensure};

/// Runs `count` random sessions against a fresh server, and returns the script's summary as a line. An edit that the
/// server refuses makes the run fail.
pub fn random_sessions(server: &Server, count: usize, seed: u32) -> Result<String> {
    let ana = server.visit("ana")?;
    let documents: Result<Vec<_>> =
        (0..1 + count / 40).map(|n| ana.create(&format!("Sessions {n}"))).collect();
    let (documents, count, seed) = (documents?, count.to_string(), seed.to_string());
    let mut args = vec![server.address.as_str(), &count, &seed];
    args.extend(documents.iter().map(String::as_str));
    let output = node("sessions.mjs", &args)?;
    let refused = server.metric("accord_edits_refused_total{")?;
    ensure!(refused == 0.0, "somebody was refused: {}\n{output}", refusals(server));
    Ok(output.trim().to_owned())
}

/// Returns the server's log lines about refused edits, joined into one text.
fn refusals(server: &Server) -> String {
    let log = server.log_from_the_start();
    let refused: Vec<_> = log.into_iter().filter(|line| line.contains("was refused")).collect();
    refused.join("\n")
}
