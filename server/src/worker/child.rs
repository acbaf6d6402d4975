//! The child's side of jobs: the process limits itself, reads one job, writes the answer and ends.

use super::limits;
use super::pipe_message::{Answer, Job, MAX_ANSWER_BYTES, MAX_JOB_BYTES, PipeError, PipeMessage};
use crate::pages;
use std::process::ExitCode;

/// Runs the hidden command `worker`: reads one job from standard input, writes the answer to standard output, and ends.
/// `parent` is the id of the process that started the child. The exit code is 0 once an answer is written, even if the
/// answer is an error.
#[must_use]
pub fn run(parent: i32) -> ExitCode {
    // The message of a panic could contain a person's text, so it is not printed.
    std::panic::set_hook(Box::new(|_| {}));
    let done = limits::confine(parent).map_err(PipeError::from).and_then(|()| work());
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work() -> Result<(), PipeError> {
    let job = PipeMessage::read(std::io::stdin().lock(), MAX_JOB_BYTES)?;
    let (answer, bytes) = answer(&job)?;
    drop(job);
    PipeMessage::of(&answer, bytes, MAX_ANSWER_BYTES)?.write(std::io::stdout().lock())
}

fn answer(message: &PipeMessage) -> Result<(Answer, Vec<u8>), PipeError> {
    Ok(match message.read_head::<Job<'_>>()? {
        Job::File(job) => {
            let press = job.press()?;
            limits::forbid_opening()?;
            match job.make(press.as_ref(), &message.bytes, |paper| pages::paper(paper).html()) {
                Ok(made) => (Answer::File, made),
                Err(error) => (Answer::NoFile(error), Vec::new()),
            }
        }
        Job::Import(job) => {
            limits::forbid_opening()?;
            let answer = match job.read(&message.bytes) {
                Ok(placed) => Answer::Import(Box::new(placed)),
                Err(error) => Answer::NoImport(error),
            };
            (answer, Vec::new())
        }
    })
}
