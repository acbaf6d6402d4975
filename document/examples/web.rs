//! Writes the files through which the web application gets facts from this crate, so that each fact is defined in one
//! place. The facts are the bits and close codes of the protocol, the limits of what people type into dialogs, the
//! sections and fields of the template, and the types of the values that the WebAssembly module returns.
//!
//! Run it with `cargo run -p accord-document --features schema --example web -- FOLDER`. `cargo xtask check` runs it
//! too, and fails if one of the files was not up to date.

use accord_document::body::{
    MAX_PLAN_TITLE_CHARS, MAX_REDACTION_REASON_CHARS, MAX_STEP_MESSAGE_CHARS,
    MAX_VERSION_DESCRIPTION_CHARS, MAX_VERSION_NAME_CHARS,
};
use accord_document::model::completeness::Check;
use accord_document::model::{Milestone, ReplicaChange};
use accord_document::sync::{ClientStatus, Close, Peer, REDACTED, RELEASE};
use accord_document::template::{FIELDS, Section};
use std::path::Path;
use std::{env, fs, io};
use utoipa::OpenApi;

const HEAD: &str =
    "// Made from the crate `document` by `cargo xtask check`. Changes here are lost.\n";

#[derive(OpenApi)]
#[openapi(components(schemas(Check, ClientStatus, Milestone, Peer, ReplicaChange)))]
struct Module;

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).ok_or_else(|| io::Error::other("name a folder"))?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("protocol.ts"), protocol())?;
    fs::write(folder.join("limits.ts"), limits())?;
    fs::write(folder.join("sections.ts"), sections())?;
    fs::write(folder.join("fields.ts"), fields())?;
    fs::write(
        folder.join("module.json"),
        Module::openapi().to_pretty_json().map_err(io::Error::other)?,
    )
}

fn protocol() -> String {
    format!(
        "{HEAD}\n\
        /** What `takeNews` gives, as bits: a passage was redacted, and a step was taken on the path to a release. */\n\
        export const REDACTED = {REDACTED};\n\
        export const RELEASE = {RELEASE};\n\n\
        /** The close code of a connection whose session has ended. */\n\
        export const SIGNED_OUT = {};\n",
        Close::SIGNED_OUT
    )
}

fn limits() -> String {
    macro_rules! limit {
        ($name:ident, $text:literal) => {
            format!(
                "\n/** {}, in characters at most. */\nexport const {} = {};\n",
                $text,
                stringify!($name),
                $name
            )
        };
    }
    let limits = [
        limit!(MAX_PLAN_TITLE_CHARS, "The title of a plan"),
        limit!(MAX_REDACTION_REASON_CHARS, "The reason for a redaction"),
        limit!(MAX_STEP_MESSAGE_CHARS, "The message or reason of a step"),
        limit!(MAX_VERSION_NAME_CHARS, "The name of a version"),
        limit!(MAX_VERSION_DESCRIPTION_CHARS, "The description of a version"),
    ];
    format!("{HEAD}{}", limits.concat())
}

fn sections() -> String {
    let names = Section::ALL.map(|section| format!("  '{}',\n", name(&section))).concat();
    format!(
        "{HEAD}\n\
        /** The sections of a commitment, in the order of the page. */\n\
        export const SECTIONS = [\n{names}] as const;\n\n\
        export type SectionId = (typeof SECTIONS)[number];\n"
    )
}

fn fields() -> String {
    let line = |field: &accord_document::template::Field| {
        let section = field.section.map_or_else(|| "title".to_owned(), |section| name(&section));
        format!("  {}: '{section}',\n", field.key)
    };
    let lines: String = FIELDS.iter().map(line).collect();
    format!(
        "{HEAD}\n\
        /** The section of each text field. The title is above all sections. */\n\
        export const SECTION_OF: Record<string, string> = {{\n{lines}}};\n"
    )
}

/// Returns the name that a section has in JSON, without quotation marks.
fn name(section: &Section) -> String {
    serde_json::to_string(section).unwrap_or_default().trim_matches('"').to_owned()
}
