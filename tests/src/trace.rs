//! Recorded typing from josephg/editing-traces (CC BY 4.0), read from the two files in `tests/data`.

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::fs::File;
use std::path::Path;

/// A change of the text: the position, the number of deleted characters, and the inserted text. Positions and lengths
/// count Unicode code points.
#[derive(Debug, Deserialize)]
pub struct Patch(pub u32, pub u32, pub String);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    pub patches: Vec<Patch>,
    /// Number of the person who typed the transaction. Only concurrent traces have it.
    #[serde(default)]
    pub agent: usize,
    /// Indexes of the transactions that this one directly follows. Only concurrent traces have them.
    #[serde(default)]
    pub parents: Vec<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    pub txns: Vec<Transaction>,
    pub end_content: String,
}

impl Trace {
    pub fn load(name: &str) -> Result<Self> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(format!("{name}.json.gz"));
        let file =
            File::open(&path).with_context(|| format!("{} can't be read", path.display()))?;
        Ok(serde_json::from_reader(GzDecoder::new(file))?)
    }
}
