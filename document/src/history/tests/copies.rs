//! Tests of passages that repeat older passages: who is credited for them, and that a redaction finds all copies.

use super::*;
use crate::model::locate;

/// The ledger contains a secret twice, because it was deleted and brought back by an undo. `copies_of` finds both, so
/// that a redaction can remove both.
#[test]
fn what_repeats_a_passage_goes_with_it() {
    use crate::body::Redaction;
    use crate::update::ScanError;
    let mut ledger = Ledgered::new();
    let mut replica = Replica::new(10);
    replica.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    let target = Target::field("problem");
    let mut take = |replica: &mut Replica| {
        let claims = replica.take_claims();
        for update in replica.take_made() {
            let provenance = claims.clone().into();
            let entry = ledger.state.edit_from(&actor("ana"), 1, [1; 16], &update, provenance);
            let entry = entry.unwrap().unwrap();
            ledger.history.record(&entry, true);
            ledger.entries.push(entry);
        }
    };
    replica.edit(&target, &[Op::text("the key is hunter2 ")]);
    replica.stop_capturing();
    take(&mut replica);
    replica.edit(&target, &[skip(8), Op::delete(11)]);
    replica.stop_capturing();
    take(&mut replica);
    replica.undo();
    take(&mut replica);
    let passage = locate(ledger.state.doc(), &target, 11, "hunter2").unwrap();
    let stored = |ranges: Vec<crate::update::Range>| {
        let (_, blanked) =
            Redaction::of(String::new(), ranges, ledger.entries.iter().map(Ok::<_, ScanError>))
                .unwrap();
        let mut entries = ledger.entries.clone();
        for entry in blanked {
            let seq = entry.seq.0 as usize;
            entries[seq] = entry;
        }
        let bytes: Vec<u8> = entries.iter().flat_map(Entry::encode).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    assert!(stored(passage.clone()).contains("hunter2"), "the deleted original is another");
    let rest = stored(ledger.history.copies_of(&passage));
    assert!(!rest.contains("hunter2") && rest.contains("the key is "), "{rest}");
}

/// Returns, for each piece of the field `problem`, its text, its first author, and the person who placed it if somebody
/// else did.
fn credits(ledger: &Ledgered) -> Vec<(String, String, Option<String>)> {
    let now = Seq(ledger.history.len() - 1);
    let diff = ledger.history.diff(now, now);
    let name = |span: &EditSpan| ledger.history.authors()[span.author as usize].person.to_string();
    let problem = diff.texts.iter().find(|text| text.target == Target::field("problem")).unwrap();
    let pieces = problem.pieces.iter().filter(|piece| !piece.text().trim().is_empty());
    pieces
        .map(|piece| {
            let placed = piece.placed.as_ref().map(name);
            (piece.text().trim().to_owned(), name(&piece.written), placed)
        })
        .collect()
}

/// A sentence keeps its author wherever it is pasted. A sentence that one person assembles from another person's phrases
/// also names the person who assembled it.
/// Rule A7.
#[test]
fn a_sentence_put_together_from_anothers_phrases_names_who_did() {
    let target = Target::field("problem");
    let mut ledger = Ledgered::new();
    let (mut ana, mut ben) = (Replica::new(10), Replica::new(20));
    ana.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    let hers =
        "The ministry will publish budgets. It shall not raise the fees. Nobody asked for this.\n";
    ana.edit(&target, &[Op::text(hers)]);
    for update in ana.take_made() {
        ledger.take("ana", 1, &update);
    }
    ben.apply(&ledger.state.encode_since(&crate::StateVector::default())).unwrap();
    let place = |part: &str| {
        hers.encode_utf16().count() as u32
            - hers[hers.find(part).unwrap()..].encode_utf16().count() as u32
    };
    let mut copy = |ledger: &mut Ledgered, parts: &[&str]| {
        let mut old = Vec::new();
        for part in parts {
            old.extend(locate(ledger.state.doc(), &target, place(part), part).unwrap());
        }
        let end =
            crate::model::delta::utf16_len(&crate::model::delta::plain(&ben.read(&target))) - 1;
        ben.edit(&target, &[skip(end), Op::text(&format!("{}\n", parts.concat()))]);
        let made = ben.take_made();
        let copied: Vec<u16> = parts.concat().encode_utf16().collect();
        let claims = crate::update::pasted(&made, &copied, &old);
        assert!(!claims.is_empty());
        for update in made {
            let provenance = claims.clone().into();
            let edited = ledger.state.edit_from(&actor("ben"), 2, [1; 16], &update, provenance);
            let entry = edited.unwrap().unwrap();
            ledger.history.record(&entry, true);
            ledger.entries.push(entry);
        }
    };
    copy(&mut ledger, &["The ministry will ", "raise the fees", "."]);
    copy(&mut ledger, &["It shall not raise the fees."]);
    let credits = credits(&ledger);
    let theirs = |text: &str| {
        let found = credits.iter().find(|(said, ..)| said.contains(text));
        found.map(|(_, by, placed)| (by.as_str(), placed.as_deref())).unwrap()
    };
    assert_eq!(theirs("publish budgets"), ("ana", None));
    let forged: Vec<_> = credits.iter().filter(|(.., placed)| placed.is_some()).collect();
    let is_told = |(text, by, placed): &&(String, String, Option<String>)| {
        text.contains("The ministry will") && by == "ana" && placed.as_deref() == Some("ben")
    };
    assert!(forged.iter().any(is_told), "{credits:?}");
    let last = credits.last().unwrap();
    assert!(
        last.0.ends_with("It shall not raise the fees.") && last.1 == "ana" && last.2.is_none(),
        "{credits:?}"
    );
}
