//! Runs the steps of a command. Each step is announced with its number and timed, so that a person who waits sees what is
//! done and what is still to come.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// One step of a command.
#[derive(Clone, Copy)]
pub struct Step {
    /// A phrase that says what the step does, shown after its number: “Compile the server”.
    name: &'static str,
    run: fn() -> Result<()>,
}

impl Step {
    pub const fn new(name: &'static str, run: fn() -> Result<()>) -> Self {
        Self { name, run }
    }
}

/// Runs the steps in order, until one fails.
///
/// # Errors
///
/// Returns the error of the step that failed, with the step's number and name.
pub fn run(steps: &[Step]) -> Result<()> {
    let count = steps.len();
    let started = Instant::now();
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        eprintln!("\n[{number}/{count}] {}", step.name);
        let step_started = Instant::now();
        (step.run)().with_context(|| format!("step {number} of {count}, “{}”", step.name))?;
        eprintln!(
            "[{number}/{count}] done in {}, {} so far",
            format_duration(step_started.elapsed()),
            format_duration(started.elapsed())
        );
    }
    Ok(())
}

/// Returns a duration in seconds, or in minutes and seconds: `8 s`, `2 min 05 s`.
fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {:02} s", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn durations_are_in_minutes_from_one_minute_on() {
        assert_eq!(format_duration(Duration::from_millis(59_400)), "59 s");
        assert_eq!(format_duration(Duration::from_millis(59_600)), "1 min 00 s");
        assert_eq!(format_duration(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn a_failing_step_ends_the_command_and_is_named() {
        const STEPS: [Step; 2] =
            [Step::new("Fail", || bail!("broken")), Step::new("Never", || unreachable!())];
        let error = run(&STEPS).expect_err("the first step fails");
        assert_eq!(format!("{error:#}"), "step 1 of 2, “Fail”: broken");
    }
}
