//! `accord repair` saves what is left of a damaged data folder, and says what is lost.

use crate::backup::{public, release};
use crate::release::freeze;
use crate::tampering::{Stored, empty_the_log};
use accord_tests::{Server, SyncClient, Visitor, accord_binary, copy_folder};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Number of edits in each document.
const EDITS: u32 = 60;
/// Number of the edit after which a passage is redacted.
const REDACTED_AFTER: u32 = 40;
const SECRET: &str = "hunter2";

/// A stopped installation with two documents.
struct Written {
    dir: tempfile::TempDir,
    /// The document of which an entry is damaged.
    damaged: String,
    /// The other document.
    whole: String,
    texts: [String; 2],
}

impl Written {
    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

/// Damages an entry of a document in the database of a data folder. `pick` gets the number of entries.
fn damage(data: &Path, document: &str, pick: impl Fn(usize) -> usize) -> Result<()> {
    let stored = Stored::open(data, "ledger", document)?;
    let keys = stored.keys()?;
    let key = &keys[pick(keys.len())];
    let mut value = stored.tree.get(key)?.context("it is there")?.to_vec();
    let last = value.len() - 1;
    value[last] ^= 1;
    stored.tree.insert(key, value)?;
    stored.tree.flush()?;
    Ok(())
}

/// Writes into two documents, redacts a passage of one, and stops the server.
async fn written() -> Result<Written> {
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    let server = Server::start(&data)?;
    let (ana, fay) = (server.visit("ana")?, server.visit("fay")?);
    let damaged = ana.create("Damaged")?;
    let whole = ana.create("Whole")?;
    for document in [&damaged, &whole] {
        write(&server, &ana, document, 0..REDACTED_AFTER).await?;
        redact(&ana, &fay, document)?;
        write(&server, &ana, document, REDACTED_AFTER..EDITS).await?;
    }
    let texts = [ana.text(&damaged, "problem")?, ana.text(&whole, "problem")?];
    ensure!(server.stop()?.success());
    // What is damaged in the database can't come back from the log.
    empty_the_log(&data)?;
    Ok(Written { dir, damaged, whole, texts })
}

/// Writes one word with each edit, each before the words of earlier edits.
async fn write(server: &Server, ana: &Visitor, document: &str, words: Range<u32>) -> Result<()> {
    let mut client = SyncClient::connect(server, ana, document, 7 + u64::from(words.start)).await?;
    for n in words {
        let word = if n == 3 { format!("{SECRET} ") } else { format!("w{n} ") };
        client.edit("problem", 0, 0, &word).await?;
        client.settled().await?;
    }
    Ok(())
}

fn redact(ana: &Visitor, fay: &Visitor, document: &str) -> Result<()> {
    let text = ana.text(document, "problem")?;
    let from = text.find(SECRET).context("the secret is there")?;
    let redaction =
        json!({ "target": "problem", "from": from, "text": SECRET, "reason": "A password" });
    ensure!(fay.post(&format!("/api/v1/documents/{document}/redactions"), redaction)?.0 == 204);
    Ok(())
}

/// Runs `accord repair`. Returns its exit code and its output.
fn repair(data: &Path, new: &Path) -> Result<(Option<i32>, String)> {
    let out =
        Command::new(accord_binary()).arg("repair").arg(new).arg("--data").arg(data).output()?;
    Ok((out.status.code(), String::from_utf8([out.stdout, out.stderr].concat())?))
}

/// Returns the texts of the damaged and of the whole document, as a server with this folder shows them. Checks that it
/// accepts new edits in both.
async fn served(data: &Path, written: &Written) -> Result<[String; 2]> {
    let server = Server::start(data)?;
    let ana = server.visit("ana")?;
    let mut texts = Vec::new();
    for document in [&written.damaged, &written.whole] {
        let text = ana.text(document, "problem")?;
        let (status, history) = ana.get(&format!("/api/v1/documents/{document}/history"))?;
        ensure!(status == 200 && !history.to_string().contains(SECRET), "{history}");
        let mut client = SyncClient::connect(&server, &ana, document, 9).await?;
        client.edit("problem", 0, 0, "On we go. ").await?;
        client.settled().await?;
        ensure!(ana.text(document, "problem")? == format!("On we go. {text}"));
        texts.push(text);
    }
    ensure!(server.stop()?.success());
    texts.try_into().ok().context("two texts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_saves_the_rest_of_a_damaged_folder_and_names_what_is_lost() -> Result<()> {
    let written = written().await?;
    let new = written.dir.path().join("new");
    let copy = tempfile::tempdir()?;
    copy_folder(&written.data(), copy.path())?;
    damage(copy.path(), &written.damaged, |_| 20)?;
    let (code, printed) = repair(copy.path(), &new)?;
    let lost = format!("LOST document {}: 20 of ", written.damaged);
    ensure!(code == Some(2) && printed.contains(&lost), "{code:?} {printed}");
    ensure!(printed.contains("entry 20 is damaged or missing"), "{printed}");
    // The redaction is behind the damage, so the saved entries need another one that explains them.
    ensure!(printed.contains("a redaction is lost"), "{printed}");
    ensure!(printed.matches("LOST").count() == 2 && !printed.contains("DAMAGED"), "{printed}");
    let [damaged, whole] = served(&new, &written).await?;
    ensure!(whole == written.texts[1]);
    ensure!(damaged.len() > 20 && damaged.len() < written.texts[0].len(), "{damaged}");
    ensure!(written.texts[0].ends_with(&damaged), "{damaged}");
    ensure!(damaged.contains("w5 ") && !damaged.contains("w30 "), "{damaged}");
    // The damaged folder is as it was, and the new one is not overwritten.
    let (again, printed) = repair(copy.path(), &new)?;
    ensure!(again == Some(1) && printed.contains("nothing was overwritten"), "{printed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_of_an_undamaged_folder_saves_everything() -> Result<()> {
    let written = written().await?;
    let new = written.dir.path().join("new");
    let before = fs::read(written.data().join("store/db"))?;
    let (code, printed) = repair(&written.data(), &new)?;
    ensure!(code == Some(0) && printed.contains("everything was saved"), "{code:?} {printed}");
    ensure!(fs::read(written.data().join("store/db"))? == before);
    let mode = |folder: &Path| Ok::<_, anyhow::Error>(fs::metadata(folder)?.permissions().mode());
    for file in fs::read_dir(written.data().join("keys"))? {
        let (file, copy) = (file?.path(), new.join("keys"));
        let copy = copy.join(file.file_name().context("a name")?);
        ensure!(fs::read(&copy)? == fs::read(&file)? && mode(&copy)? == mode(&file)?);
    }
    ensure!(served(&new, &written).await? == written.texts);

    // Without the witness, everything is saved as well, but nobody can know that.
    fs::remove_file(written.data().join("witness"))?;
    let second = written.dir.path().join("second");
    let (code, printed) = repair(&written.data(), &second)?;
    ensure!(code == Some(2) && printed.contains("witness is missing"), "{code:?} {printed}");
    ensure!(served(&second, &written).await? == written.texts);

    // A folder in which nothing is left gives no new one.
    let empty = tempfile::tempdir()?;
    let third = written.dir.path().join("third");
    let (code, printed) = repair(empty.path(), &third)?;
    ensure!(code == Some(1) && printed.contains("can be saved"), "{code:?} {printed}");
    ensure!(!third.exists());
    Ok(())
}

/// The signed note of a lost release must not stand in the way of a new release with its number.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_a_repair_has_lost_can_be_made_again() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (data, new) = (dir.path().join("data"), dir.path().join("new"));
    let server = Server::start(&data)?;
    release(&server)?;
    ensure!(server.stop()?.success());
    empty_the_log(&data)?;
    // The last entries of the document are the proposal and two signatures.
    damage(&data, "demo", |count| count - 3)?;
    let (code, printed) = repair(&data, &new)?;
    ensure!(code == Some(2) && printed.contains("release 1 is lost"), "{code:?} {printed}");
    let server = Server::start(&new)?;
    let (fay, ana, ben) = (server.visit("fay")?, server.visit("ana")?, server.visit("ben")?);
    freeze(&fay, &ana, &ben, "demo")?;
    // The plan still has the launch, and the text is the same.
    public(&server)?;
    ensure!(server.stop()?.success());
    Ok(())
}
