//! Tests that the parts of a draft find their fields: by headings, labels, lists and tables. The drafts are Markdown.

use super::markdown;
use accord_document::model::content::Content;
use accord_document::model::delta::{self, Op};
use accord_document::template::NOTES;

#[test]
fn headings_and_labels_open_parts_and_the_rest_stands_in_the_notes() {
    let (placed, content) = markdown(
        "# Open budgets\n\nAn introduction.\n\n## 1. What is the public problem?\n\nNobody *can* read it.\n\n\
         ### Background\n\nIt is long.\n\n**Lead institution:** City Hall\n\n## Politics\n\nA risk.\n\n\
         ### More\n\nAnother.\n\nFrom: 1 March 2027\n",
    );
    assert_eq!(content.plain("title"), "Open budgets\n");
    assert_eq!(content.plain("problem"), "Nobody can read it.\nBackground\nIt is long.\n");
    assert_eq!(content.plain("lead"), "City Hall\n");
    assert_eq!(content.plain(NOTES), "An introduction.\nPolitics\nA risk.\nMore\nAnother.\n");
    assert_eq!(content.facts["period_from"], "2027-03-01");
    assert_eq!(placed.fields, ["title", "lead", "problem"]);
    assert!(placed.has_notes);
}

#[test]
fn milestones_come_from_headings_lists_and_tables() {
    let (_, by_heading) = markdown(
        "# T\n\n## Milestones\n\n### Milestone 1: A register\n\nIn full.\n\n#### Expected outputs\n\nIt.\n\n\
         Expected completion: 30 June 2027\n\n### Milestone 2\n\nA law\n",
    );
    let milestones = |content: &Content| -> Vec<_> {
        let one = |m: &accord_document::model::Milestone| {
            [
                delta::plain(&m.what),
                delta::plain(&m.outputs),
                delta::plain(&m.who),
                m.due.clone(),
                m.due_text.clone(),
            ]
        };
        content.milestones.iter().map(one).collect()
    };
    assert_eq!(
        milestones(&by_heading),
        [
            ["A register\nIn full.\n", "It.\n", "\n", "2027-06-30", ""],
            ["A law\n", "\n", "\n", "", ""]
        ]
    );
    let (_, by_list) = markdown("# T\n\n## Milestones\n\n- A register\n- A law\n");
    assert_eq!(milestones(&by_list).len(), 2);
    let (_, by_table) = markdown(
        "# T\n\n| Milestone | Completion date | Responsible | Budget |\n|-|-|-|-|\n| A law | Fall 2027 | The mayor | 5 |\n",
    );
    assert_eq!(
        milestones(&by_table),
        [["A law\nBudget: 5\n", "\n", "The mayor\n", "", "Fall 2027"]]
    );
}

#[test]
fn a_form_in_a_table_is_read_by_its_labels() {
    let (placed, content) = markdown(
        "| Commitment title | Clean water |\n|-|-|\n| Commitment lead | Water Board |\n\
         | What causes the problem? | Old pipes |\n| Weather | Rain |\n",
    );
    assert_eq!(content.plain("title"), "Clean water\n");
    assert_eq!(content.plain("lead"), "Water Board\n");
    assert_eq!(content.plain("causes"), "Old pipes\n");
    assert_eq!(content.plain(NOTES), "Weather: Rain\n");
    assert!(placed.has_notes);
}

#[test]
fn a_heading_that_says_more_than_a_name_stays_and_a_question_of_a_form_does_not() {
    let (_, content) = markdown(
        "# T\n\n## Causes of the flooding in Mathare\n\nRain.\n\n## What is the public problem that the commitment will address?\n\n\
         Floods.\n\n## Lead institution of our hearts\n\nNobody.\n\n## Title\n\nA better name\n\n## Contact\n\n### Title\n\nDr\n",
    );
    assert_eq!(content.plain("causes"), "Causes of the flooding in Mathare\nRain.\n");
    assert_eq!(content.plain("problem"), "Floods.\n");
    assert_eq!(content.plain("contact_title"), "Dr\n");
    assert_eq!(content.plain("lead"), "\n");
    assert_eq!(content.plain(NOTES), "Lead institution of our hearts\nNobody.\nT\n");
    assert_eq!(content.plain("title"), "A better name\n");
}

#[test]
fn an_empty_row_and_one_of_many_cells_are_read() {
    let (_, content) = markdown(
        "| a | b | c |\n|-|-|-|\n| | | |\n| | x | |\n| Supporting stakeholders | Civil society | The union |\n",
    );
    assert_eq!(content.plain("supporting_civil_society"), "The union\n");
    assert_eq!(content.plain(NOTES), "a | b | c\nx\n");
}

#[test]
fn no_word_is_lost_wherever_it_stands() {
    let text = "alpha\n\n# beta\n\n> gamma\n> delta\n\n1. epsilon\n   - zeta\n\n   eta\n2. theta\n\n\
        ```\niota\nkappa\n```\n\n<b>lambda</b>\n\n<div>\nmu\n</div>\n\n| nu | xi | omicron |\n|-|-|-|\n| pi | rho | sigma |\n\n\
        ![tau](u.png) [upsilon](javascript:phi)\n\n## Lead institution\n\nchi\n\npsi\n\nomega\n";
    let (placed, content) = markdown(text);
    let all: String = content.texts.values().map(|ops| delta::plain(ops)).collect();
    let words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau \
        upsilon chi psi omega";
    for word in words.split(' ') {
        assert!(all.contains(word), "{word} in {all}");
    }
    assert_eq!(placed.pictures, 1);
    let links = content
        .texts
        .values()
        .flatten()
        .any(|op| matches!(op, Op::Insert { attributes, .. } if attributes.contains("link")));
    assert!(!links, "an address that runs something is no link");
}
