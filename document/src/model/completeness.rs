//! The checklist of a commitment: what the commitment needs before both sides should sign it. The page shows unmet
//! needs as a gentle reminder. Unmet needs never stop anybody from writing.

use crate::model::content::Content;
use crate::model::delta;
use crate::template::Need;
use serde::{Deserialize, Serialize};

/// A need of the checklist, and whether the text meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Check {
    /// The need that the checklist names.
    pub need: Need,
    /// Whether the text of the commitment meets the need.
    pub met: bool,
}

/// Returns the whole checklist, in the order of the page.
///
/// `Released::of` signs the unmet needs of a release. So a change of what meets a need would change the digest of each
/// earlier release, and its file would count as damaged.
#[must_use]
pub fn checklist(content: &Content) -> Vec<Check> {
    let filled = |key: &str| !content.plain(key).trim().is_empty();
    let every = |has: &dyn Fn(&super::Milestone) -> bool| {
        !content.milestones.is_empty() && content.milestones.iter().all(has)
    };
    let dated = |m: &super::Milestone| !m.due.trim().is_empty() || !m.due_text.trim().is_empty();
    let staffed = |m: &super::Milestone| !delta::plain(&m.who).trim().is_empty();
    let value = ["transparency", "participation", "accountability"].into_iter().any(filled);
    [
        (Need::Title, filled("title")),
        (Need::Lead, filled("lead")),
        (Need::Problem, filled("problem")),
        (Need::Solution, filled("solution")),
        (Need::Results, filled("results")),
        (Need::Value, value),
        (Need::Milestone, !content.milestones.is_empty()),
        (Need::MilestoneDates, every(&dated)),
        (Need::MilestonePeople, every(&staffed)),
    ]
    .map(|(need, met)| Check { need, met })
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MilestoneDraft;
    use crate::model::delta::Op;
    use crate::model::{Draft, seed};
    use crate::ydoc;
    use yrs::updates::decoder::Decode;
    use yrs::{Transact, Update};

    fn open(draft: &Draft) -> Content {
        let doc = ydoc::new(0);
        doc.transact_mut().apply_update(Update::decode_v1(&seed(1, draft)).unwrap()).unwrap();
        Content::read(&doc)
    }

    #[test]
    fn an_empty_commitment_needs_everything() {
        assert!(checklist(&open(&Draft::default())).iter().all(|check| !check.met));
    }

    #[test]
    fn a_filled_commitment_is_ready_and_a_milestone_without_a_date_is_not() {
        let mut draft = Draft {
            texts: ["title", "lead", "problem", "solution", "results", "participation"]
                .map(|key| (key, vec![Op::text("Words")]))
                .to_vec(),
            milestones: vec![MilestoneDraft {
                id: "m1".into(),
                who: vec![Op::text("The registry")],
                due_text: "Fall 2027".into(),
                ..Default::default()
            }],
            facts: vec![],
        };
        assert!(checklist(&open(&draft)).iter().all(|check| check.met));
        draft.milestones[0].due_text.clear();
        let open: Vec<_> =
            checklist(&open(&draft)).into_iter().filter(|c| !c.met).map(|c| c.need).collect();
        assert_eq!(open, [Need::MilestoneDates]);
    }
}
