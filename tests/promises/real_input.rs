//! Recorded typing by two people at the same time results in the complete recorded text everywhere.

use accord_tests::{Server, SyncClient, Trace, Transaction, node};
use anyhow::Result;

const FIELD: &str = "problem";

/// An update without structs and deletions.
const NOTHING: [u8; 2] = [0, 0];

/// Returns whether all characters of a trace are in Unicode's basic plane. Offsets in UTF-16 code units then equal
/// offsets in code points.
fn is_basic(trace: &Trace) -> bool {
    trace.end_content.chars().all(|c| c.len_utf16() == 1)
        && trace
            .txns
            .iter()
            .all(|t| t.patches.iter().all(|p| p.2.chars().all(|c| c.len_utf16() == 1)))
}

/// Types one transaction into a replica, and returns its update.
fn type_in(client: &SyncClient, transaction: &Transaction) -> Vec<u8> {
    use yrs::{Text, Transact};
    let text = client.doc.get_or_insert_text(FIELD);
    let mut txn = client.doc.transact_mut();
    for patch in &transaction.patches {
        text.remove_range(&mut txn, patch.0, patch.1);
        text.insert(&mut txn, patch.0, &patch.2);
    }
    txn.encode_update_v1()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_typing_at_once_end_in_the_recorded_text_everywhere() -> Result<()> {
    let trace = Trace::load("friendsforever")?;
    assert!(is_basic(&trace));
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let (ana, ben) = (server.visit("ana")?, server.visit("ben")?);
    let document = ana.create("Friends")?;
    // The recorded text is the one that Yjs gives if agent 0 has the smaller client id, so agent 0 gets id 1.
    let mut clients = [
        SyncClient::connect_accord(&server, &ana, &document, 1).await?,
        SyncClient::connect_accord(&server, &ben, &document, 2).await?,
    ];
    let started = clients[0].text(FIELD);
    assert_eq!(started, "\n", "a new document's text is one empty line");

    // `heard[a]` is the number of the other agent's transactions that agent `a` has applied. Each transaction is
    // typed into exactly the text in which it was recorded: after all earlier transactions of its agent, its parents,
    // and everything before these parents.
    let mut heard = [0usize; 2];
    let mut made = [0usize; 2];
    // For each transaction, `past` has the number of transactions of each agent up to it, the transaction itself
    // included.
    let mut past: Vec<[usize; 2]> = Vec::with_capacity(trace.txns.len());
    for transaction in &trace.txns {
        let (own, other) = (transaction.agent, 1 - transaction.agent);
        let mut seen = [0; 2];
        for &parent in &transaction.parents {
            for agent in 0..2 {
                seen[agent] = seen[agent].max(past[parent][agent]);
            }
        }
        assert_eq!(seen[own], made[own], "an agent's own past is all it made");
        while heard[own] < seen[other] {
            match clients[own].inbox.pop_front() {
                // In `accord.v1`, the server sends no client its own edits, so each update is from the other agent.
                Some(update) => {
                    heard[own] += 1;
                    clients[own].apply(&update)?;
                }
                None => {
                    clients[other].flush().await?;
                    clients[own].flush().await?;
                    clients[own].fetch().await?;
                }
            }
        }
        let update = type_in(&clients[own], transaction);
        if update != NOTHING {
            clients[own].feed_update(&update).await?;
            made[own] += 1;
        }
        seen[own] = made[own];
        past.push(seen);
        // The buffers of the socket are finite, so the frames are flushed now and then.
        if made[own].is_multiple_of(64) {
            clients[own].flush().await?;
        }
    }
    let wanted = format!("{}\n", trace.end_content);
    for client in &mut clients {
        client.flush().await?;
    }
    for client in &mut clients {
        client.until(FIELD, |text| text == wanted).await?;
    }
    assert_eq!(ana.text(&document, FIELD)?, wanted, "on the server");
    let last = node("read.mjs", &[&server.address, &ana.ticket(&document)?, &document, FIELD])?;
    assert_eq!(last, wanted, "for a stock client that joins last");
    Ok(())
}
