//! Tests against two corpora: texts that could deceive signatories, and innocent texts in many languages. Other tests put
//! every code point of certain kinds inside words of English, Arabic, Korean, Hindi and other languages.

use super::*;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Innocent {
    language: String,
    text: String,
}

#[derive(Deserialize)]
struct Attack {
    attack: String,
    text: String,
    named: Vec<String>,
    cleaned: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    address: String,
    safe: bool,
    host: Option<String>,
}

macro_rules! data {
    ($name:literal) => {
        serde_json::from_str(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/data/",
            $name
        )))
        .unwrap()
    };
}

fn innocent() -> Vec<Innocent> {
    data!("readable/innocent.json")
}

fn attacks() -> Vec<Attack> {
    data!("readable/attacks.json")
}

/// Returns the code points of one Unicode property, as Node.js reports them.
fn hidden(property: &str) -> Vec<char> {
    let mut all: BTreeMap<String, serde_json::Value> = data!("readable/hidden.json");
    let ranges: Vec<(u32, u32)> = serde_json::from_value(all.remove(property).unwrap()).unwrap();
    ranges.into_iter().flat_map(|(from, to)| (from..=to).filter_map(char::from_u32)).collect()
}

fn code(c: char) -> String {
    CodePoint(c).to_string()
}

fn named(text: &str) -> BTreeSet<String> {
    findings(text).map(|finding| code(finding.character)).collect()
}

#[test]
fn nothing_innocent_is_named_or_changed() {
    let all = innocent();
    assert!(all.len() >= 60);
    for Innocent { language, text } in all {
        let found: Vec<_> = findings(&text).map(|f| (code(f.character), f.reason, f.at)).collect();
        assert_eq!(found, [], "{language}: {text}");
        assert_eq!(clean(&text), text, "{language}");
        assert_eq!(turned_numbers(&text), Vec::<usize>::new(), "{language}: {text}");
        assert!(!mixes_scripts(&text), "{language}: {text}");
    }
}

#[test]
fn every_attack_is_named_and_cleaned_as_far_as_that_changes_nothing() {
    for Attack { attack, text, named: expect, cleaned } in attacks() {
        assert_eq!(named(&text), expect.into_iter().collect(), "{attack}");
        let left = clean(&text);
        assert!(findings(&left).all(|finding| finding.replacement.is_none()), "{attack}");
        match cleaned {
            Some(cleaned) => assert_eq!(left, cleaned, "{attack}"),
            None => assert_ne!(named(&left), BTreeSet::new(), "{attack}"),
        }
    }
}

/// Returns the characters of `all` that are not reported between `before` and `after`.
fn unnamed(before: &str, after: &str, all: &[char]) -> Vec<String> {
    let is_unnamed = |c: &&char| !named(&format!("{before}{c}{after}")).contains(&code(**c));
    all.iter().filter(is_unnamed).map(|c| code(*c)).collect()
}

#[test]
fn every_hidden_character_in_a_word_is_named_unless_its_script_needs_it() {
    // These format characters (Cf) are visible: Arabic, Syriac and Kaithi number signs.
    let signs = [
        "U+0600", "U+0601", "U+0602", "U+0603", "U+0604", "U+0605", "U+06DD", "U+070F", "U+0890",
        "U+0891", "U+08E2", "U+110BD", "U+110CD",
    ];
    let properties =
        ["default_ignorable", "format", "bidi_control", "control", "separator", "private_use"];
    let mut all: BTreeSet<char> = properties.into_iter().flat_map(hidden).collect();
    for seen in ['\n', '\t'] {
        all.remove(&seen);
    }
    let all: Vec<char> = all.into_iter().collect();
    assert!(all.len() > 140_000);
    let with = |joiners: &[&str]| {
        let mut expect: Vec<String> =
            signs.iter().chain(joiners).map(|name| (*name).to_owned()).collect();
        expect.sort_by_key(|name| u32::from_str_radix(&name[2..], 16).unwrap());
        expect
    };
    let joiners = ["U+200C", "U+200D"];
    assert_eq!(unnamed("con", "tracts", &all), with(&[]), "English");
    assert_eq!(unnamed("계", "약", &all), with(&[]), "Korean");
    // The Syriac sign is reported here, because between the numbers it would reverse their order.
    let beside_numbers: Vec<_> = with(&[]).into_iter().filter(|name| name != "U+070F").collect();
    assert_eq!(unnamed("9", "0 / 10", &all), beside_numbers, "numbers");
    assert_eq!(unnamed("合", "同", &all), with(&[]), "Chinese");
    assert_eq!(unnamed("الح", "كومة", &all), with(&joiners), "Arabic");
    assert_eq!(unnamed("सर", "कार", &all), with(&joiners), "Hindi");
    assert_eq!(unnamed("ស", "ញ្ញា", &all), with(&["U+200B", "U+200C", "U+200D"]), "Khmer");
}

#[test]
fn every_unassigned_code_point_is_named() {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let all: Vec<char> = (0..=0x10_ffff)
        .filter_map(char::from_u32)
        .filter(|c| categories.get(*c) == GeneralCategory::Unassigned)
        .collect();
    assert!(all.len() > 800_000);
    assert_eq!(unnamed("con", "tracts", &all), Vec::<String>::new());
}

#[test]
fn marks_are_bounded_by_their_base_whatever_hides_between_them() {
    let count = |text: &str| {
        findings(text).filter(|finding| finding.reason == Reason::TooManyMarks).count()
    };
    assert_eq!(count(&format!("a{}", "\u{301}".repeat(8))), 0);
    assert_eq!(count(&format!("a{}", "\u{301}".repeat(9))), 1);
    assert_eq!(count(&format!("a{}b{}", "\u{301}".repeat(8), "\u{302}".repeat(8))), 0);
    assert_eq!(count(&format!("a{}", "\u{301}\u{200b}".repeat(9))), 1);
    assert_eq!(count(&"\u{e33}\u{e34}".repeat(3)), 0);
}

#[test]
fn cleaning_twice_is_cleaning_once() {
    let alphabet: Vec<char> = attacks().iter().flat_map(|attack| attack.text.chars().collect::<Vec<_>>())
        .chain(innocent().iter().flat_map(|innocent| innocent.text.chars().collect::<Vec<_>>()))
        .chain("\u{200b}\u{200c}\u{200d}\u{fe0f}\u{fe0e}\u{20e3}\u{34f}\u{180b}\u{180e}\u{1f3fd}\u{1f3f4}\u{1f468}\u{94d}1 \r\n".repeat(200).chars())
        .collect();
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..20_000 {
        let text: String = (0..random(14)).map(|_| alphabet[random(alphabet.len())]).collect();
        let once = clean(&text).into_owned();
        let left: Vec<_> =
            findings(&once).filter(|finding| finding.replacement.is_some()).collect();
        assert_eq!(left, [], "{text:?} became {once:?}");
        assert_eq!(clean(&once), once, "{text:?}");
    }
}

#[test]
fn a_long_run_of_hidden_characters_is_gone_through_once() {
    // The search must not look ahead from each of these characters again: that would take hours.
    let text = format!("م{}", "\u{200c}\u{feff}".repeat(100_000));
    assert_eq!(findings(&text).count(), 200_000);
    let text = "\u{61f}9".repeat(100_000);
    assert_eq!(findings(&text).count(), 100_000);
    let text = format!("{}م", "\u{61f}9".repeat(100_000));
    assert_eq!(findings(&text).count(), 0);
}

#[test]
fn links_are_judged_as_the_editor_judges_them() {
    let all: Vec<Link> = data!("links.json");
    for Link { address, safe, host } in all {
        assert_eq!(address::is_safe(&address), safe, "{address:?}");
        if safe && address.to_ascii_lowercase().starts_with("http") {
            assert_eq!(address::host(&address), host, "{address:?}");
        }
    }
}

#[test]
fn words_say_where_a_link_leads_or_its_destination_is_shown() {
    let check = |words: &str, link: &str, expect: bool| {
        assert_eq!(address::words_name_destination(words, link), expect, "{words:?} {link:?}");
    };
    for (words, link) in [
        ("https://example.org/a", "https://example.org/a"),
        ("example.org/a", "https://example.org/a"),
        ("example.org", "https://example.org/a/b"),
        (" Example.org/ ", "http://example.org"),
        ("ana@example.org", "mailto:ana@example.org?subject=x"),
        ("+1-2", "tel:+1-2"),
        ("xn--pple-43d.com", "https://\u{430}pple.com/"),
    ] {
        check(words, link, true);
    }
    for (words, link) in [
        ("here", "https://example.org"),
        ("https://example.org/b", "https://example.org/a"),
        ("example.org", "https://example.org.evil.example/"),
        ("ехample.org", "https://example.org/"),
        ("https://example.org", "http://evil.example/https://example.org"),
        ("see example.org", "https://example.org"),
        ("bank.example", "https://bank.example:8443/"),
        // The words equal the address, and both look like another host.
        ("\u{430}pple.com", "https://\u{430}pple.com/"),
        ("https://\u{430}pple.com/", "https://\u{430}pple.com/"),
    ] {
        check(words, link, false);
    }
    assert_eq!(address::destination("https://example.org:8443/a"), "example.org:8443");
    let long = address::destination(&format!("mailto:{}@example.org", "a".repeat(5_000)));
    assert_eq!((long.chars().count(), long.ends_with("a@example.org")), (301, true));
}

#[test]
fn an_address_is_cleaned_where_it_leads_to_the_same_place() {
    let check = |address: &str, expect: Option<&str>| {
        assert_eq!(address::clean(address).as_deref(), expect, "{address:?}")
    };
    check("https://example.org", Some("https://example.org"));
    check(" https://example.org/a b ", Some("https://example.org/a%20b"));
    check(
        "https://fa.example/می\u{200c}شود",
        Some("https://fa.example/%D9%85%DB%8C%E2%80%8C%D8%B4%D9%88%D8%AF"),
    );
    check("https://exam\u{ad}ple.org/", Some("https://example.org/"));
    check("https://ana@example.org/", None);
    check("javascript:alert(1)", None);
    check("https://a b", None);
}

#[test]
fn by_itself_a_character_is_judged_at_least_as_strictly_as_in_a_text() {
    for property in
        ["default_ignorable", "format", "bidi_control", "control", "separator", "private_use"]
    {
        let seen: Vec<_> = hidden(property).into_iter().filter(|c| !is_unseen(*c)).collect();
        assert!(seen.is_empty() || seen == [' '], "{property}: {seen:?}");
    }
    let only_in_context = |reason| {
        matches!(reason, Reason::Overlay | Reason::LoneMark | Reason::TooManyMarks | Reason::Hidden)
    };
    for c in ('\u{a0}'..=char::MAX).filter(|c| !is_unseen(*c)) {
        let named = findings(&format!("ab{c}cd")).find(|finding| finding.character == c);
        assert!(
            named
                .is_none_or(|one| is_mark(c) && only_in_context(one.reason)
                    || one.reason == Reason::Direction),
            "{}",
            code(c)
        );
    }
}
