//! Says what a verified file proves, and what it does not prove, in words for a terminal.

use super::shown::Shown;
use super::verify::Verified;
use accord_document::people::Sector;
use std::fmt::{self, Display};

impl Verified {
    /// Returns lines that describe the release, and say what the file proves and what it does not prove.
    #[must_use]
    pub fn words(&self) -> String {
        let blocks = [self.what().as_slice(), &[String::new()], &self.proof()].concat();
        blocks.join("\n")
    }

    /// Returns the lines that name the signed text and its signatories.
    fn what(&self) -> Vec<String> {
        let Self { released, statement, .. } = self;
        let mut lines = vec![
            Shown::quoted(&released.title()).to_string(),
            format!(
                "Release {} of {}, in {}, frozen on {}.",
                statement.number,
                Shown::name(statement.document.as_str()),
                Shown::quoted(&statement.plan_title),
                Moment(statement.frozen)
            ),
        ];
        for (sector, side, needed) in [
            (Sector::Government, "government", statement.quorum.government),
            (Sector::CivilSociety, "civil society", statement.quorum.civil_society),
        ] {
            let signed: Vec<_> =
                statement.signatories.iter().filter(|one| one.sector == sector).collect();
            lines.push(format!("Signatures for {side}: {} (needed: {needed}).", signed.len()));
            lines.extend(signed.iter().map(|one| {
                format!("Signed for {side} by {}, {}.", Shown::name(&one.name), Moment(one.time))
            }));
        }
        if !released.gaps.is_empty() {
            lines.push("Some parts were missing when it was frozen. The file lists them.".into());
        }
        lines.push(format!("SHA-256 {}", statement.digest));
        lines
    }

    fn proof(&self) -> Vec<String> {
        let key = Shown::of(&self.key.to_string());
        let mut lines = vec![if self.is_trusted {
            format!("It is signed with the key {key}, which you trust.")
        } else {
            format!("It is signed with the key {key}, which is in the file itself.")
        }];
        if let Some(other) = &self.other_key {
            lines.push(format!(
                "The file names another key as its own: {}. That key did not sign this release. A key inside a file proves nothing: don’t trust it.",
                Shown::of(&other.to_string())
            ));
        }
        lines.push(String::new());
        lines.push("This proves:".into());
        lines.push("- Since the holder of that key signed the release, nobody has changed a character of the text, or who signed it and when.".into());
        lines.push("- It is exactly that release, not an earlier or later one.".into());
        lines.push("This does not prove:".into());
        if !self.is_trusted {
            lines.push("- Whose key that is. Anybody can make a key with any name, so a key inside a file proves nothing. Compare it with the key that the installation publishes (/keys.txt), and pass that one with --key.".into());
        }
        lines.push(
            "- That there is no later release: see the list on the commitment’s public page."
                .into(),
        );
        lines.push(
            "- That the people named are who they say they are: only the installation says so."
                .into(),
        );
        lines
    }
}

/// A time in milliseconds since the Unix epoch, displayed as a date.
struct Moment(u64);

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = i64::try_from(self.0).ok();
        match milliseconds.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) {
            Some(time) => write!(f, "{}", time.strftime("%-d %B %Y at %H:%M UTC")),
            None => f.write_str("no date"),
        }
    }
}
