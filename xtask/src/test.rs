pub fn all() -> anyhow::Result<()> { Ok(()) }
pub fn run(_: &[String]) -> anyhow::Result<()> { Ok(()) }
