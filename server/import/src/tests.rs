use crate::error::ImportError;
use crate::import::import;
use crate::place::Placed;
use accord_document::model::Replica;
use accord_document::model::blocks::{Block, blocks};
use accord_document::model::content::Content;
use accord_document::model::delta::{self, Op};
use accord_document::model::seed;
use accord_document::template::NOTES;
use accord_files::{Manuscript, Paper, docx, samples};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What a commitment says that was made of a draft.
fn content(placed: &Placed) -> Content {
    let mut replica = Replica::new(7);
    replica.apply(&seed(1, &placed.draft)).unwrap();
    replica.content()
}

fn markdown(text: &str) -> (Placed, Content) {
    let placed = import("draft.md", text.as_bytes(), "en").unwrap();
    let content = content(&placed);
    (placed, content)
}

#[test]
fn a_docx_of_ours_comes_back_as_it_was_in_every_language() {
    for language in ["en", "ko", "ka", "cs", "fr", "es", "pt", "id", "sw"] {
        let released = samples::released(language, |content| {
            let line = |text: &str| vec![Op::text(text), Op::text("\n")];
            for field in accord_document::template::FIELDS {
                if field.key != NOTES {
                    content.texts.entry(field.key.into()).or_insert_with(|| line(field.key));
                }
            }
            content.facts.insert("period_to".into(), "2028-08-31".into());
            let mut second = content.milestones[0].clone();
            second.due_text = String::new();
            second.who = line("Somebody else");
            content.milestones.push(second);
        });
        let paper = Paper::of(&released, &samples::draft());
        let file = docx(&paper, &Manuscript::of(&released), &[], 0);
        let placed = import("draft.docx", &file, language).unwrap();
        assert!(!placed.has_notes, "{language}: {:?}", placed.draft.texts);
        let back = samples::identified(language, &content(&placed));
        let shown = |ops: &Vec<Op>| blocks(ops);
        for (key, ops) in &released.texts {
            let mut expect = blocks(ops);
            for block in &mut expect {
                // Its own headings begin with the first level.
                if let Block::Heading(level, _) = block {
                    *level = 1;
                }
            }
            assert_eq!(back.texts.get(key).map(shown), Some(expect), "{language}: {key}");
        }
        assert_eq!(back.facts, released.facts, "{language}");
        let told = |all: &accord_document::release::canonical::Released| -> Vec<_> {
            let one = |m: &accord_document::release::canonical::ReleasedMilestone| {
                (
                    m.what.clone(),
                    m.outputs.clone(),
                    m.who.clone(),
                    m.due.clone(),
                    m.due_text.clone(),
                )
            };
            all.milestones.iter().map(one).collect()
        };
        assert_eq!(told(&back), told(&released), "{language}");
    }
}

#[test]
fn where_links_lead_is_shown_in_files_and_is_no_text_when_they_come_back() {
    let link = |address: &str| samples::attributes(&[("link", address.into())]);
    let problem = vec![
        Op::text("Read "),
        Op::insert("the law", link("https://laws.example/a_b?c=1&d=2")),
        Op::text(" (laws.example), "),
        Op::insert("example.org", link("https://example.org/")),
        Op::text(", "),
        Op::insert("write", link("mailto:a_na@example.org?subject=Hi")),
        Op::text(" or "),
        Op::insert("call", link("tel:+1-2")),
        Op::text(" us.\n"),
    ];
    let released = samples::released("en", |content| {
        content.texts.insert("problem".into(), problem.clone());
    });
    let paper = Paper::of(&released, &samples::draft());
    let word = docx(&paper, &Manuscript::of(&released), &[], 0);
    let text = accord_files::markdown(&paper);
    assert!(
        text.contains("(laws.example) (laws.example), [example.org](<https://example.org/>), "),
        "{text}"
    );
    assert!(text.contains("(a\\_na\\@example.org) or "), "{text}");
    for (name, file) in [("a.docx", word), ("a.md", text.into_bytes())] {
        let back = content(&import(name, &file, "en").unwrap());
        assert_eq!(blocks(&back.texts["problem"]), blocks(&problem), "{name}");
    }
    // What others write in this form is text of theirs.
    let (_, foreign) = markdown("# T\n\n## Problem\n\n[law](https://a.example) (a.example)\n");
    assert_eq!(foreign.plain("problem"), "law (a.example)\n");
}

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
    let told = |content: &Content| -> Vec<_> {
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
        told(&by_heading),
        [
            ["A register\nIn full.\n", "It.\n", "\n", "2027-06-30", ""],
            ["A law\n", "\n", "\n", "", ""]
        ]
    );
    let (_, by_list) = markdown("# T\n\n## Milestones\n\n- A register\n- A law\n");
    assert_eq!(told(&by_list).len(), 2);
    let (_, by_table) = markdown(
        "# T\n\n| Milestone | Completion date | Responsible | Budget |\n|-|-|-|-|\n| A law | Fall 2027 | The mayor | 5 |\n",
    );
    assert_eq!(told(&by_table), [["A law\nBudget: 5\n", "\n", "The mayor\n", "", "Fall 2027"]]);
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
    let links =
        content.texts.values().flatten().any(
            |op| matches!(op, Op::Insert { attributes, .. } if attributes.contains_key("link")),
        );
    assert!(!links, "an address that runs something is no link");
}

#[test]
fn what_is_no_draft_is_refused_in_words() {
    assert_eq!(import("a.pdf", b"%PDF-1.7", "en").unwrap_err(), ImportError::Kind);
    assert_eq!(import("a.md", b"\xff\xfe", "en").unwrap_err(), ImportError::Kind);
    assert_eq!(import("a.md", b" \n\n", "en").unwrap_err(), ImportError::Empty);
    assert!(matches!(import("a.docx", b"no archive", "en"), Err(ImportError::Damaged(_))));
    let long = "word ".repeat(100_000);
    assert_eq!(import("a.md", long.as_bytes(), "en").unwrap_err(), ImportError::Long);
}

/// A Word document with this body.
fn word(body: &str) -> Vec<u8> {
    word_with_links(body, &[])
}

/// A Word document with this body, whose links `l0`, `l1`, … lead to these addresses.
fn word_with_links(body: &str, addresses: &[&str]) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let (w, o) = (
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    );
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    write!(zip, "<w:document xmlns:w=\"{w}\" xmlns:r=\"{o}\"><w:body>{body}</w:body></w:document>")
        .unwrap();
    zip.start_file("word/_rels/document.xml.rels", zip::write::SimpleFileOptions::default())
        .unwrap();
    let link = |(at, address)| {
        format!("<Relationship Id=\"l{at}\" Type=\"{o}/hyperlink\" Target=\"{address}\"/>")
    };
    let links: String = addresses.iter().enumerate().map(link).collect();
    write!(zip, "<Relationships>{links}</Relationships>").unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn of_the_style_of_destinations_only_what_our_file_says_behind_a_link_is_left_out() {
    let run = |text: &str| format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>");
    let styled = |text: &str| {
        let style = "<w:rPr><w:rStyle w:val=\"AccordDestination\"/></w:rPr>";
        format!("<w:r>{style}<w:t xml:space=\"preserve\">{text}</w:t></w:r>")
    };
    let link =
        |at: usize, inside: &str| format!("<w:hyperlink r:id=\"l{at}\">{inside}</w:hyperlink>");
    let addresses =
        ["https://laws.example/a?b", "mailto:o%60brien@city.example?subject=Hi", "tel:+1-2"];
    let check = |inside: &str, expect: &str| {
        let file = word_with_links(&format!("<w:p>{inside}</w:p>"), &addresses);
        let content = content(&import("a.docx", &file, "en").unwrap());
        assert_eq!(content.plain(NOTES), format!("{expect}\n"), "{inside}");
    };
    let law = link(0, &run("the law"));
    let told = styled(" (laws.example)");
    // Ours: behind a link, also where its words are in parts, where both are inserted, and where Word has cut it.
    check(&format!("{law}{told}{}", run(", and")), "the law, and");
    check(&format!("{}{}{told}", link(0, &run("the ")), link(0, &run("law"))), "the law");
    check(&format!("<w:ins>{law}</w:ins><w:ins>{told}</w:ins>"), "the law");
    let parts =
        format!("{}<w:proofErr w:type=\"spellStart\"/>{}", styled(" (laws"), styled(".example)"));
    check(&format!("{law}{parts}{}", run(".")), "the law.");
    let mail = link(1, &run("write"));
    check(
        &format!(
            "{mail}{}{}{}",
            styled(" (o`brien@city.example)"),
            link(2, &run(" call")),
            styled(" (+1-2)")
        ),
        "write call",
    );
    // Text in that style: it stands alone, is said once more, names another host or says more.
    check(&styled("We publish it."), "We publish it.");
    check(&format!("{}{told}", run("the law")), "the law (laws.example)");
    check(&format!("{law}{told}{told}"), "the law (laws.example)");
    check(&format!("{law}{}{told}", run(" of")), "the law of (laws.example)");
    check(&format!("{law}{}", styled(" (evil.example)")), "the law (evil.example)");
    check(&format!("{law}{}", styled("(laws.example)")), "the law(laws.example)");
    check(
        &format!("{law}{}", styled(" (laws.example) and more")),
        "the law (laws.example) and more",
    );
    check(&format!("{law}{}{}", styled(" (laws"), run("!")), "the law (laws!");
    check(&link(0, &format!("{}{told}", run("the law"))), "the law (laws.example)");
    check(
        &format!("{law}{}", styled(" (laws.example)").replace("</w:t>", "</w:t><w:br/>")),
        "the law (laws.example)",
    );
    // A link in another paragraph is none before it.
    check(&format!("{law}</w:p><w:p>{told}"), "the law\n (laws.example)");
}

#[test]
fn tracked_changes_are_read_as_accepted() {
    let file = word(
        "<w:p><w:r><w:t>a </w:t></w:r><w:ins><w:r><w:t>new </w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>\
         <w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>one </w:t></w:r></w:p><w:p><w:r><w:t>with the next</w:t></w:r></w:p>\
         <w:p><w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>here</w:t></w:r></w:moveTo></w:p>",
    );
    let content = content(&import("a.docx", &file, "en").unwrap());
    assert_eq!(content.plain(NOTES), "a new \none with the next\nhere\n");
    assert_eq!(content.plain("title"), "a\n", "without a title it is called like its file");
}

#[test]
fn a_form_of_tables_in_tables_is_read_by_its_labels() {
    let p = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
    let row = |cells: &[String]| {
        let cells: String = cells.iter().map(|cell| format!("<w:tc>{cell}</w:tc>")).collect();
        format!("<w:tr>{cells}</w:tr>")
    };
    let table = |rows: &[String]| format!("<w:tbl>{}</w:tbl>", rows.concat());
    let inner = table(&[
        row(&[p("Government"), p("Ward office")]),
        row(&[p("Civil Society"), p("Muungano")]),
    ]);
    let question = "3. How will it improve citizen participation in monitoring solutions?";
    let file = word(&table(&[
        row(&[p("Number and Name of the Commitment"), p("3. Open budgets")]),
        row(&[p("Supporting Stakeholders"), format!("{inner}{}", p(""))]),
        // Rows that a program repeats stand in a control.
        format!(
            "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>",
            row(&[p("Commitment Lead"), p("Treasury")])
        ),
        row(&[p(question)]),
        row(&[p("Assemblies vote.")]),
    ]));
    let content = content(&import("a.docx", &file, "en").unwrap());
    for (key, expect) in [
        ("title", "3. Open budgets\n"),
        ("supporting_government", "Ward office\n"),
        ("supporting_civil_society", "Muungano\n"),
        ("lead", "Treasury\n"),
        ("participation", "Assemblies vote.\n"),
    ] {
        assert_eq!(content.plain(key), expect, "{key}");
    }
    assert_eq!(content.plain(NOTES), "");
}

#[test]
fn hostile_word_documents_are_refused_or_read_as_text() {
    // Entities that multiply.
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\">");
    for at in 0..10 {
        let (name, before) = ((b'b' + at) as char, (b'a' + at) as char);
        bomb.push_str(&format!("<!ENTITY {name} \"{}\">", format!("&{before};").repeat(10)));
    }
    bomb.push_str("]><d>&k;</d>");
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bomb.as_bytes()).unwrap();
    let file = zip.finish().unwrap().into_inner();
    assert!(matches!(import("a.docx", &file, "en"), Err(ImportError::Damaged(_))));
    // What nests without end.
    let deep = format!(
        "{}{}",
        "<w:sdt><w:sdtContent>".repeat(5_000),
        "</w:sdtContent></w:sdt>".repeat(5_000)
    );
    assert!(import("a.docx", &word(&deep), "en").is_err());
    // An archive that unpacks to far more than it is.
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..80 {
        zip.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let file = zip.finish().unwrap().into_inner();
    assert!(file.len() < 1024 * 1024);
    assert_eq!(import("a.docx", &file, "en").unwrap_err(), ImportError::Long);
}

/// A draft of random parts, in which each word stands once, and those words.
fn random_draft(random: &mut StdRng) -> (String, Vec<String>) {
    const NAMES: [&str; 14] = [
        "The problem",
        "Lead institution",
        "Milestones",
        "Milestone 3",
        "Expected outputs",
        "Who is responsible",
        "Expected completion",
        "Contact",
        "Title",
        "What solution do you propose?",
        "When",
        "Supporting: government",
        "Commitment title",
        "Notes",
    ];
    let (mut text, mut words) = (String::new(), Vec::new());
    let mut word = || {
        words.push(format!("w{}x", words.len()));
        words.last().cloned().unwrap_or_default()
    };
    for _ in 0..random.random_range(1..25) {
        let name = NAMES[random.random_range(0..NAMES.len())];
        let level = "#".repeat(random.random_range(1..5));
        let part = match random.random_range(0..12) {
            0..3 => format!("{level} {name}"),
            3 => format!("{level} {} {}", word(), word()),
            4 => format!("{level} {name}: {}", word()),
            5 => format!("**{name}:** {} {}", word(), word()),
            6 => format!("- {}\n  - {}\n- {}", word(), word(), word()),
            7 => format!("> {}\n> {}", word(), word()),
            8 => format!(
                "| {name} | {} |\n|-|-|\n| {} | {} |\n| | {} |",
                word(),
                word(),
                word(),
                word()
            ),
            9 => format!(
                "| Milestone | Expected outputs | Date | {} |\n|-|-|-|-|\n| {} | {} | {} | {} |",
                word(),
                word(),
                word(),
                word(),
                word()
            ),
            10 => format!("{name}\n"),
            _ => format!("{} *{}*  \n{}", word(), word(), word()),
        };
        text.push_str(&part);
        text.push_str("\n\n");
    }
    (text, words)
}

#[test]
fn of_random_drafts_no_word_is_lost_and_none_stands_twice() {
    for seed in 0..600 {
        let mut random = StdRng::seed_from_u64(seed);
        let (text, words) = random_draft(&mut random);
        let Ok(placed) = import("draft.md", text.as_bytes(), "en") else {
            assert!(words.is_empty(), "seed {seed}: {text}");
            continue;
        };
        let content = content(&placed);
        let mut all: String = content.texts.values().map(|ops| delta::plain(ops)).collect();
        for one in &content.milestones {
            for ops in [&one.what, &one.outputs, &one.who] {
                all.push_str(&delta::plain(ops));
            }
            all.push_str(&format!("{} ", one.due_text));
        }
        for word in words {
            assert_eq!(all.matches(&word).count(), 1, "seed {seed}: {word} in\n{all}\nof\n{text}");
        }
    }
}

#[test]
fn a_damaged_word_document_is_refused_or_read_and_stops_nothing() {
    let released = samples::released("en", |_| {});
    let paper = Paper::of(&released, &samples::draft());
    let whole = docx(&paper, &Manuscript::of(&released), &[], 0);
    for seed in 0..400 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut file = whole.clone();
        for _ in 0..random.random_range(1..20) {
            let at = random.random_range(0..file.len());
            file[at] = random.random();
        }
        file.truncate(random.random_range(file.len() / 2..=file.len()));
        let _ = import("a.docx", &file, "en");
    }
}
