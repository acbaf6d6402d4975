//! Compares a history of random co-writing with the test's own record of it.

use super::{Totals, World};
use accord_document::history::{Diff, EditSpan, PieceStatus};
use accord_document::ids::Seq;
use anyhow::{Context, Result, ensure};
use rand::RngExt;
use std::collections::HashSet;

impl World {
    /// Compares the history's differences between 20 random pairs of moments with the test's own record.
    pub(super) fn compare(&mut self, totals: &mut Totals) -> Result<()> {
        for _ in 0..20 {
            let from = self.random.random_range(0..self.by.len());
            let to = self.random.random_range(from..self.by.len());
            let diff = self.history.diff(Seq(from as u64), Seq(to as u64));
            self.check(&diff, from, to, totals).with_context(|| format!("from {from} to {to}"))?;
            totals.pairs += 1;
        }
        Ok(())
    }

    fn author(&self, deed: &EditSpan) -> &str {
        self.history.authors()[deed.author as usize].person.as_str()
    }

    /// Returns the number of times that a character was in a text after the given entry.
    fn count(&self, key: &str, moment: usize, c: char) -> usize {
        self.texts_at[moment].get(key).map_or(0, |text| text.iter().filter(|d| **d == c).count())
    }

    /// Returns the entry between two moments that was the last to insert a character, or the first to delete it;
    /// `None` if no entry did.
    fn changed_in(
        &self,
        key: &str,
        c: char,
        status: PieceStatus,
        (from, to): (usize, usize),
    ) -> Option<usize> {
        let changed = |moment: &usize| {
            let (before, after) = (self.count(key, moment - 1, c), self.count(key, *moment, c));
            if status == PieceStatus::Inserted { before < after } else { before > after }
        };
        match status {
            PieceStatus::Inserted => (from + 1..=to).rev().find(changed),
            _ => (from + 1..=to).find(changed),
        }
    }

    fn check(&self, diff: &Diff, from: usize, to: usize, totals: &mut Totals) -> Result<()> {
        let nothing = Vec::new();
        for text in &diff.texts {
            let key = &text.target.0;
            let texts_at = |moment: usize| self.texts_at[moment].get(key).unwrap_or(&nothing);
            let side = |not: PieceStatus| -> Vec<char> {
                let there = text.pieces.iter().filter(|piece| piece.status != not);
                there.flat_map(|piece| piece.text().chars()).collect()
            };
            ensure!(
                side(PieceStatus::Inserted) == *texts_at(from),
                "{key}: not what stood there before"
            );
            ensure!(
                side(PieceStatus::Deleted) == *texts_at(to),
                "{key}: not what stands there after"
            );
            let told_as = |status: PieceStatus| -> HashSet<char> {
                let pieces = text.pieces.iter().filter(|piece| piece.status == status);
                pieces.flat_map(|piece| piece.text().chars()).collect()
            };
            let (gone, come) = (told_as(PieceStatus::Deleted), told_as(PieceStatus::Inserted));
            for piece in &text.pieces {
                let chars = piece.text().chars().filter(|c| self.first.contains_key(c));
                for c in chars {
                    totals.characters += 1;
                    let wrote = self.author(&piece.written);
                    ensure!(
                        wrote == self.first[&c],
                        "{c} in {key}: {} wrote it first, not {wrote}",
                        self.first[&c]
                    );
                    let Some(by) = &piece.by else { continue };
                    if piece.status == PieceStatus::Kept {
                        continue;
                    }
                    // If two people have restored the same character, the text contains it twice, and neither copy can be
                    // attributed.
                    let twice = (from..=to).any(|moment| self.count(key, moment, c) > 1);
                    // A character that was deleted in one place and inserted in another can't be attributed either.
                    let crossed = gone.contains(&c) && come.contains(&c);
                    if twice || crossed || self.ambiguous.contains(&(key.clone(), c)) {
                        continue;
                    }
                    let entry = self.changed_in(key, c, piece.status, (from, to));
                    let entry = entry.context("it came or went some time")?;
                    let who = self.author(by);
                    ensure!(
                        who == self.by[entry],
                        "{c} in {key}, {:?}: {} did it in entry {entry}, not {who} in {}",
                        piece.status,
                        self.by[entry],
                        by.first
                    );
                    let seqs = by.first.0..=by.last.0;
                    ensure!(
                        seqs.contains(&(entry as u64)),
                        "{c} in {key}: entry {entry}, not {seqs:?}"
                    );
                    totals.by_others += usize::from(self.by[entry] != self.first[&c]);
                }
            }
        }
        Ok(())
    }
}
