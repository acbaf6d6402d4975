//! Recorded typing, as published in josephg/editing-traces (CC BY 4.0). The two traces are read
//! from `tests/data`.

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::fs::File;
use std::path::Path;

/// Position, deleted and inserted, in Unicode code points.
#[derive(Debug, Deserialize)]
pub struct Patch(pub u32, pub u32, pub String);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    pub patches: Vec<Patch>,
    /// In concurrent traces: who typed it.
    #[serde(default)]
    pub agent: usize,
    /// In concurrent traces: the transactions that it came after.
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
