//! Tests that compare histories with the documents that yrs builds from the same ledgers. This file has the ledgers and
//! the random edits that the tests share.

mod checkpoints;
mod copies;
mod described;
mod memory;
mod moments;

use super::*;
use crate::body::Genesis;
use crate::ids::{LineageId, SessionId};
use crate::ledger::RULES;
use crate::model::attributes::Attributes;
use crate::model::content::Content;
use crate::model::delta::{self, Op};
use crate::model::{Draft, seed};
use crate::model::{Replica, Target};
use crate::random::Random;
use crate::state::DocumentState;
use crate::template;
use serde_json::json;

pub(super) fn actor(person: &str) -> Actor {
    Actor {
        person: PersonId::new(person),
        seat: Seat::Author,
        sector: Sector::Other,
        session: SessionId::new("s"),
    }
}

/// A ledger, with the document state and the history that result from it.
pub(super) struct Ledgered {
    pub(super) state: DocumentState,
    pub(super) history: History,
    pub(super) entries: Vec<Entry>,
}

impl Ledgered {
    pub(super) fn new() -> Self {
        let genesis = Genesis {
            lineage: LineageId::new("l"),
            schema: template::COMMITMENT_SCHEMA.into(),
            language: "en".into(),
            rules: RULES,
        };
        let genesis = genesis.entry(actor("fay"), 0, [0; 16]);
        let mut history = History::default();
        history.record(&genesis, true);
        let state = DocumentState::begin(&genesis).unwrap();
        let mut new = Self { state, history, entries: vec![genesis] };
        new.take("fay", 0, &seed(1, &Draft::default()));
        new
    }

    pub(super) fn take(&mut self, person: &str, now: u64, update: &[u8]) {
        let entry = self.state.edit(&actor(person), now, [1; 16], update).unwrap();
        if let Some(entry) = entry {
            self.history.record(&entry, true);
            self.entries.push(entry);
        }
    }
}

/// Returns the content with adjacent inserts of equal attributes joined, so that two contents can be compared.
pub(super) fn joined(mut content: Content) -> Content {
    let join = |ops: &mut Vec<Op>| {
        let mut out: Vec<Op> = Vec::new();
        for op in ops.drain(..) {
            if let (
                Some(Op::Insert { insert: serde_json::Value::String(last), attributes }),
                Op::Insert { insert: serde_json::Value::String(text), attributes: same },
            ) = (out.last_mut(), &op)
                && attributes == same
            {
                last.push_str(text);
            } else {
                out.push(op);
            }
        }
        *ops = out;
    };
    content.texts.values_mut().for_each(join);
    for milestone in &mut content.milestones {
        join(&mut milestone.what);
        join(&mut milestone.outputs);
        join(&mut milestone.who);
    }
    content
}

/// Makes one random edit of a kind that people make.
fn act(replica: &mut Replica, random: &mut Random) {
    let milestones = replica.milestones();
    let target = match random.below(4) {
        0 if !milestones.is_empty() => {
            Target::milestone(&milestones[random.below(milestones.len())].id, "what")
        }
        1 => Target::field("causes"),
        _ => Target::field("problem"),
    };
    let len: u32 = replica.read(&target).iter().map(Op::len).sum();
    let units: Vec<u16> = delta::plain(&replica.read(&target)).encode_utf16().collect();
    // An offset inside a surrogate pair is replaced by the start of the pair, because an editor never ends a selection within a
    // pair.
    let whole = |at: u32| match units.get(at as usize) {
        Some(0xdc00..0xe000) => at - 1,
        _ => at,
    };
    let at = whole(random.below(len as usize) as u32);
    let end = whole((at + 2 + random.below(6) as u32).min(len));
    let span = end.saturating_sub(at).max(1);
    let named = |name: &str, value| Attributes::from_iter([(name, value)]);
    let retain = Op::retain(at, Attributes::new());
    match random.below(14) {
        0 => replica.add_milestone(&format!("m{}", random.below(4)), None),
        1 if !milestones.is_empty() => replica.remove_milestone(&milestones[0].id),
        2 if milestones.len() > 1 => {
            replica.move_milestone(&milestones[1].id, Some(&milestones[0].id))
        }
        3 => replica.set_fact("starts", &format!("2027-01-{:02}", 1 + random.below(28))),
        4 => drop(replica.undo()),
        5 => drop(replica.redo()),
        6 => replica.edit(&target, &[retain, Op::retain(span, named("bold", json!(true)))]),
        7 => replica.edit(&target, &[retain, Op::retain(span, named("list", json!("bullet")))]),
        8 => replica.edit(&target, &[retain, Op::retain(span, named("bold", json!(null)))]),
        9 => replica.edit(&target, &[retain, Op::text("\n")]),
        10 | 11 if at + span < len => replica.edit(&target, &[retain, Op::delete(span)]),
        _ => replica
            .edit(&target, &[retain, Op::text(["word ", "한국", "😀", "x"][random.below(4)])]),
    }
}

fn skip(count: u32) -> Op {
    Op::retain(count, Attributes::new())
}
