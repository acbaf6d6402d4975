//! The words of one language, and dates written in that language.

use crate::{names, wire_name};
use accord_document::people::Sector;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::LazyLock;

type Catalogue = HashMap<String, String>;

static CATALOGUES: LazyLock<HashMap<&'static str, Catalogue>> = LazyLock::new(|| {
    let read =
        |json| serde_json::from_str(json).expect("a file of this project, read by every test");
    HashMap::from([
        ("en", read(include_str!("../catalogues/en.json"))),
        ("es", read(include_str!("../catalogues/es.json"))),
        ("fr", read(include_str!("../catalogues/fr.json"))),
        ("pt", read(include_str!("../catalogues/pt.json"))),
        ("id", read(include_str!("../catalogues/id.json"))),
        ("ko", read(include_str!("../catalogues/ko.json"))),
        ("ka", read(include_str!("../catalogues/ka.json"))),
        ("sw", read(include_str!("../catalogues/sw.json"))),
    ])
});

/// The languages of the public pages, each with its name in that language.
const OWN_NAMES: [(&str, &str); 8] = [
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("pt", "Português"),
    ("id", "Bahasa Indonesia"),
    ("ko", "한국어"),
    ("ka", "ქართული"),
    ("sw", "Kiswahili"),
];

/// Returns the name of a language in that language, or its code if the language is not in the list.
#[must_use]
pub fn own_name(language: &str) -> &str {
    let first = primary(language);
    OWN_NAMES.iter().find(|(code, _)| *code == first).map_or(language, |(_, name)| name)
}

fn primary(language: &str) -> &str {
    language.split('-').next().unwrap_or_default()
}

/// The words of one language.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    chosen: &'static Catalogue,
    /// The language of the words (BCP 47). It is English if the document's language has no catalogue.
    pub language: &'static str,
}

impl Words {
    /// Returns the words of a language (BCP 47), or the English words if there is no catalogue for it.
    #[must_use]
    pub fn of(language: &str) -> Self {
        let (language, chosen) = CATALOGUES
            .get_key_value(primary(language))
            .unwrap_or_else(|| CATALOGUES.get_key_value("en").expect("it stands above"));
        Self { chosen, language }
    }

    /// Returns the words of every language that has a catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        OWN_NAMES.iter().map(|(language, _)| Self::of(language))
    }

    /// Returns the sentence or name under a key. If the language lacks it, returns the English one; if English lacks it
    /// too, the key itself.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        if let Some(said) = self.chosen.get(key) {
            return said.clone();
        }
        CATALOGUES["en"].get(key).cloned().unwrap_or_else(|| names::known(key))
    }

    /// Returns a sentence with values in place of their names in braces, such as `{number}`.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(self.say(key), |said, (name, value)| said.replace(&format!("{{{name}}}"), value))
    }

    /// Returns the name of a side.
    #[must_use]
    pub fn sector(&self, sector: Sector) -> String {
        self.say(&format!("sector.{}", wire_name(&sector)))
    }

    /// Returns a day such as `2027-03-31` as people write it. A text that is not a day is returned unchanged.
    #[must_use]
    pub fn day(&self, day: &str) -> String {
        day.parse().map_or_else(|_| day.to_owned(), |date| self.date(date))
    }

    fn date(&self, date: jiff::civil::Date) -> String {
        let months = self.say("months");
        let month = months.split(',').nth(usize::from(date.month().unsigned_abs()) - 1);
        let (day, year) = (date.day().to_string(), date.year().to_string());
        self.fill("date", &[("d", &day), ("month", month.unwrap_or_default()), ("y", &year)])
    }

    /// Reads a day as people write it, in these words or in English, or as `2027-03-31`. Returns the day as
    /// `2027-03-31`, or `None` if the text is anything else.
    #[must_use]
    pub fn read_day(&self, text: &str) -> Option<String> {
        let text = text.trim();
        if let Ok(date) = text.parse::<jiff::civil::Date>() {
            return (text.len() == 10).then(|| date.to_string());
        }
        [*self, Self::of("en")].iter().find_map(|words| words.read_written_day(text))
    }

    fn read_written_day(&self, text: &str) -> Option<String> {
        let lower = text.to_lowercase();
        let numbers: Vec<i16> = lower
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|part| part.parse().ok())
            .collect();
        let months = self.say("months").to_lowercase();
        // Longer names come first, because a name can be part of another.
        let mut named: Vec<(i8, &str)> = (1..).zip(months.split(',')).collect();
        named.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
        let (month, name) = named.iter().find(|(_, name)| lower.contains(name))?;
        let is_number = |name: &str| name.chars().all(|c| c.is_ascii_digit() || c == '월');
        let mut rest = numbers;
        if is_number(name) {
            let at = rest.iter().position(|number| *number == i16::from(*month))?;
            rest.remove(at);
        }
        let [a, b] = rest[..] else { return None };
        let (year, day) = if a > 31 { (a, b) } else { (b, a) };
        let date = jiff::civil::Date::new(year, *month, day.try_into().ok()?).ok()?;
        // The text must be nothing but the date: “before 3 March 2027” is not a day.
        let is_that = [date.strftime("%-d %B %Y"), date.strftime("%B %-d, %Y")]
            .map(|told| told.to_string().to_lowercase())
            .contains(&lower)
            || self.date(date).to_lowercase() == lower;
        is_that.then(|| date.to_string())
    }

    /// Returns a time (in milliseconds since the Unix epoch) in a time zone, as the day, the hour and minute, and the
    /// zone.
    #[must_use]
    pub fn moment(&self, milliseconds: u64, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let time = i64::try_from(milliseconds).ok();
        let Some(time) = time.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
            return String::new();
        };
        let there = zone.to_datetime(time);
        let place = zone.iana_name().unwrap_or("UTC");
        format!("{}, {} ({place})", self.date(there.date()), there.strftime("%H:%M"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_catalogue_says_everything_that_english_does() {
        let english: BTreeSet<_> = CATALOGUES["en"].keys().collect();
        for (language, catalogue) in &*CATALOGUES {
            let said: BTreeSet<_> = catalogue.keys().collect();
            let lacking: Vec<_> = english.difference(&said).collect();
            assert!(lacking.is_empty(), "{language} lacks {lacking:?}");
            for (key, english) in &CATALOGUES["en"] {
                for value in ["{number}", "{when}", "{a}", "{b}", "{d}", "{month}", "{y}"] {
                    let both = english.contains(value) == catalogue[key].contains(value);
                    assert!(both, "{language}: {key} and {value}");
                }
            }
            assert_eq!(catalogue["months"].split(',').count(), 12, "{language}");
        }
    }

    #[test]
    fn moments_are_told_in_the_zone_of_the_launch() {
        let noon = 1_796_727_600_000;
        let words = Words::of("ko-KR");
        assert_eq!(words.moment(noon, "Asia/Seoul"), "2026년 12월 8일, 20:00 (Asia/Seoul)");
        assert_eq!(
            Words::of("xx").moment(noon, "Europe/Paris"),
            "8 December 2026, 12:00 (Europe/Paris)"
        );
        assert_eq!(Words::of("fr").day("2027-03-01"), "1 mars 2027");
        assert_eq!(Words::of("fr").day("soon"), "soon");
    }

    #[test]
    fn days_are_read_as_they_are_written_in_every_language() {
        for words in Words::all() {
            for day in ["2027-03-01", "2026-12-31", "2027-01-11", "2027-11-01", "2027-05-05"] {
                let told = words.day(day);
                assert_eq!(words.read_day(&told).as_deref(), Some(day), "{told}");
            }
        }
        let english = Words::of("en");
        assert_eq!(english.read_day("March 1, 2027").as_deref(), Some("2027-03-01"));
        for text in ["before 1 March 2027", "2027", "", "31 February 2027", "1/3/27", "Fall 2027"] {
            assert_eq!(english.read_day(text), None, "{text}");
        }
    }
}
