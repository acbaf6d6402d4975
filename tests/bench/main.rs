//! Measurements: `cargo xtask bench [kill N | power N | load | replay]`. Without arguments, all.

mod load;
mod replay;

use accord_tests::{Death, kill_rounds};
use anyhow::{Result, bail};

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let count = |default| args.get(1).map_or(Ok(default), |n| n.parse::<usize>());
    match args.first().map(String::as_str) {
        Some("kill") => kills(Death::Kill, count(200)?).await,
        Some("power") => kills(Death::PowerLoss, count(200)?).await,
        Some("load") => load::all().await,
        Some("replay") => replay::all(),
        None => {
            replay::all()?;
            load::all().await?;
            kills(Death::Kill, 200).await?;
            kills(Death::PowerLoss, 200).await
        }
        Some(other) => bail!("there is no benchmark `{other}`: kill N, power N, load, replay"),
    }
}

async fn kills(death: Death, rounds: usize) -> Result<()> {
    let seed = rand::random();
    println!("{death:?}: {rounds} rounds, seed {seed}");
    let toll = kill_rounds(rounds, death, seed).await?;
    println!(
        "{death:?}: {rounds} deaths, {} acknowledged edits all found again, {} unsynced writes thrown away",
        toll.acknowledged, toll.lost_writes
    );
    Ok(())
}
