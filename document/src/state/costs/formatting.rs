//! Tests of the limits on the cost of formatting, and of changes that do not count towards them.

use super::*;
use crate::state::source::Source;

/// Encodes letters, each directly after a format that sets an attribute. `formats` contains the name of each attribute,
/// and its value as JSON.
fn formatted(client: u64, formats: &[(String, String)]) -> Vec<u8> {
    let mut structs = vec![first("a")];
    for (at, (name, value)) in formats.iter().enumerate() {
        let mut format = vec![6 | 0x80];
        format.put_var(client);
        format.put_var(2 * at as u64);
        format.put_buf(name.as_bytes());
        format.put_buf(value.as_bytes());
        structs.push(format);
        structs.push(between(client, 2 * u32::try_from(at).unwrap() + 1, None, "a"));
    }
    update(client, 0, &structs, &[])
}

/// Rule U13.
#[test]
fn formatting_is_bounded_by_what_reading_it_costs() {
    let refused = |formats: Vec<(String, String)>| {
        edit(&mut empty(), &formatted(7, &formats)).err() == Some(Refusal::TooMuchFormatting)
    };
    let bold = |n: usize| {
        ("bold".to_owned(), if n.is_multiple_of(2) { "true" } else { "null" }.to_owned())
    };
    let link =
        |len: usize| ("link".to_owned(), format!("\"https://a.example/{}\"", "x".repeat(len)));
    assert!(!refused((0..10_000).map(bold).collect()), "much formatting of few kinds");
    assert!(!refused((0..200).map(|n| (format!("attribute-{n}"), "1".into())).collect()));
    assert!(refused((0..2_000).map(|n| (format!("attribute-{n}"), "1".into())).collect()));
    assert!(refused(
        (0..500).cycle().take(9_000).map(|n| (format!("attribute-{n}"), "1".into())).collect()
    ));
    assert!(refused(vec![("x".repeat(1_025), "1".into())]));
    assert!(refused(vec![link(9_000)]));
    // A long link is allowed, and so are many pieces. But many pieces within a long link cost the product of the two.
    assert!(!refused(vec![link(2_000)]));
    assert!(!refused([link(2_000)].into_iter().chain((0..8_000).map(bold)).collect()));
    assert!(refused([link(8_000)].into_iter().chain((0..9_000).map(bold)).collect()));
    // The limit also holds for several updates together, and after a checkpoint.
    let mut state = empty();
    edit(&mut state, &formatted(7, &(0..9_000).map(bold).collect::<Vec<_>>())).unwrap();
    let mut state = DocumentState::resume(&state.checkpoint()).unwrap();
    let late = edit(&mut state, &formatted(8, &[link(8_000)]));
    assert_eq!(late.unwrap_err(), Refusal::TooMuchFormatting);
}

#[test]
fn a_long_link_over_many_lines_is_bounded_by_its_lines() {
    let linked = |lines: usize, formats: usize| {
        let mut state = empty();
        let mut format = vec![6];
        format.push(1);
        format.put_buf(b"problem");
        format.put_buf(b"link");
        format.put_buf(format!("\"https://a.example/{}\"", "x".repeat(8_000)).as_bytes());
        let mut structs = vec![format, between(7, 0, None, &"a\n".repeat(lines))];
        for at in 0..u32::try_from(formats).unwrap() {
            let mut bold = vec![6 | 0x80];
            bold.put_var(7);
            bold.put_var(u64::from(2 * u32::try_from(lines).unwrap() + at));
            bold.put_buf(b"bold");
            bold.put_buf(if at.is_multiple_of(2) { b"true" } else { b"null" });
            structs.push(bold);
        }
        edit(&mut state, &update(7, 0, &structs, &[])).err()
    };
    assert_eq!(linked(2_000, 0), None);
    assert_eq!(linked(9_000, 0), Some(Refusal::TooMuchFormatting), "72 MB as pages show it");
    assert_eq!(linked(100, 9_000), Some(Refusal::TooMuchFormatting));
}

#[test]
fn letters_that_nobody_formats_count_for_no_formatting() {
    let mut state = empty();
    let kinds: Vec<_> = (0..20).map(|n| (format!("attribute-{n}"), "1".into())).collect();
    edit(&mut state, &formatted(7, &kinds)).unwrap();
    for from in [0, 60_000] {
        assert!(edit(&mut state, &reversed(8, from..from + 60_000)).unwrap().is_some());
    }
}

#[test]
fn formatting_that_was_deleted_is_not_counted_for_ever() {
    let mut state = empty();
    let bold = |n: usize| {
        ("bold".to_owned(), if n.is_multiple_of(2) { "true" } else { "null" }.to_owned())
    };
    for client in 7..40 {
        let all: Vec<_> = (0..25_000).map(bold).collect();
        assert!(edit(&mut state, &formatted(client, &all)).unwrap().is_some(), "client {client}");
        assert!(edit(&mut state, &update(client, 0, &[], &[(0, 50_001)])).unwrap().is_some());
    }
}

#[test]
fn a_document_from_a_time_with_higher_ceilings_can_still_be_written_in() {
    let mut state = empty();
    let kinds = (0..40_000).map(|n| (format!("kind-{}", n % 8), "1".to_owned()));
    let all = formatted(7, &kinds.collect::<Vec<_>>());
    state.integrate(&actor(), &all, Source::Stored).unwrap();
    assert!(edit(&mut state, &update(8, 0, &[between(7, 0, None, "b")], &[])).unwrap().is_some());
    let bold = formatted(9, &[("kind-1".to_owned(), "2".to_owned())]);
    assert_eq!(edit(&mut state, &bold).unwrap_err(), Refusal::TooMuchFormatting);
    assert!(edit(&mut state, &update(7, 0, &[], &[(1, 60_000)])).unwrap().is_some());
    assert!(edit(&mut state, &bold).unwrap().is_some(), "once much of it is deleted");
}
