//! Tests of what only Word documents have: styles of runs, tracked changes, and tables in tables.

use super::content;
use crate::import::import;
use accord_document::template::NOTES;

/// Returns a Word document with this body.
pub(super) fn word(body: &str) -> Vec<u8> {
    word_with_links(body, &[])
}

/// Returns a Word document with this body, whose links `l0`, `l1`, … lead to these addresses.
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
    let destination = styled(" (laws.example)");
    // A destination that Accord's writer added after a link is left out, also if the link has several parts, if link
    // and destination are tracked insertions, and if Word has split the run of the destination.
    check(&format!("{law}{destination}{}", run(", and")), "the law, and");
    check(&format!("{}{}{destination}", link(0, &run("the ")), link(0, &run("law"))), "the law");
    check(&format!("<w:ins>{law}</w:ins><w:ins>{destination}</w:ins>"), "the law");
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
    // Text in the style of destinations is kept if it follows no link, repeats the destination, names another host, or
    // says more.
    check(&styled("We publish it."), "We publish it.");
    check(&format!("{}{destination}", run("the law")), "the law (laws.example)");
    check(&format!("{law}{destination}{destination}"), "the law (laws.example)");
    check(&format!("{law}{}{destination}", run(" of")), "the law of (laws.example)");
    check(&format!("{law}{}", styled(" (evil.example)")), "the law (evil.example)");
    check(&format!("{law}{}", styled("(laws.example)")), "the law(laws.example)");
    check(
        &format!("{law}{}", styled(" (laws.example) and more")),
        "the law (laws.example) and more",
    );
    check(&format!("{law}{}{}", styled(" (laws"), run("!")), "the law (laws!");
    check(&link(0, &format!("{}{destination}", run("the law"))), "the law (laws.example)");
    check(
        &format!("{law}{}", styled(" (laws.example)").replace("</w:t>", "</w:t><w:br/>")),
        "the law (laws.example)",
    );
    // A destination is recognised only after a link in the same paragraph.
    check(&format!("{law}</w:p><w:p>{destination}"), "the law\n (laws.example)");
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
        // Word puts repeated rows into a content control.
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
