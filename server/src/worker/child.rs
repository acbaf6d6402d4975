//! The child's side of jobs: the process limits itself, reads one job, writes the answer and ends.

use super::frame::{Answer, Frame, FrameError, Job, MAX_ANSWER_BYTES, MAX_JOB_BYTES};
use super::limits;
use crate::pages;
use std::process::ExitCode;

/// Runs the hidden command `worker`: reads one job from standard input, writes the answer to standard output, and ends.
/// `parent` is the id of the process that started the child. The exit code is 0 once an answer is written, even if the
/// answer is an error.
#[must_use]
pub fn run(parent: i32) -> ExitCode {
    // The message of a panic could contain a person's text, so it is not printed.
    std::panic::set_hook(Box::new(|_| {}));
    let done = limits::confine(parent).map_err(FrameError::from).and_then(|()| work());
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work() -> Result<(), FrameError> {
    let job = Frame::read(std::io::stdin().lock(), MAX_JOB_BYTES)?;
    let (answer, bytes) = answer(&job)?;
    drop(job);
    Frame::of(&answer, bytes, MAX_ANSWER_BYTES)?.write(std::io::stdout().lock())
}

fn answer(frame: &Frame) -> Result<(Answer, Vec<u8>), FrameError> {
    Ok(match frame.read_head::<Job<'_>>()? {
        Job::File(job) => {
            let press = job.press()?;
            limits::close_doors()?;
            match job.make(press.as_ref(), &frame.bytes, |paper| pages::paper(paper).html()) {
                Ok(made) => (Answer::File, made),
                Err(error) => (Answer::NoFile(error), Vec::new()),
            }
        }
        Job::Import(job) => {
            limits::close_doors()?;
            let answer = match job.read(&frame.bytes) {
                Ok(placed) => Answer::Import(Box::new(placed)),
                Err(error) => Answer::NoImport(error),
            };
            (answer, Vec::new())
        }
    })
}
