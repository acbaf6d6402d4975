//! Passwords: the rules for new ones, and their hashing (Argon2id, RFC 9106) on dedicated threads.
//!
//! Hashing is slow on purpose: it takes tens of milliseconds of a core. It runs on a few threads of low priority,
//! behind a bounded and fair queue ([`Lane`]). So a rush of sign-ins does not slow down the people who write, and a
//! flood of guesses does not delay known devices.

use super::job_queue::{JobQueue, Lane};
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use std::num::NonZero;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::oneshot;

/// Minimum and maximum length of a password, in characters.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 10..=256;
/// Maximum length of each known fact about a person that is compared with a password, in characters.
const MAX_KNOWN_CHARS: usize = 254;
/// Priority of the hashing threads, below the rest of the server (nice, 0 to 19).
const NICE: i32 = 10;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PasswordError {
    #[error("A password must have {} to {} characters.", PASSWORD_CHARS.start(), PASSWORD_CHARS.end())]
    Length,
    #[error("This password is easy to guess. Use several words that don't belong together.")]
    Weak,
    #[error("Too many people are signing in right now. Try again in a few seconds.")]
    Busy,
    #[error("This password can't be hashed: {0}")]
    Failed(String),
}

/// Checks that a password is strong enough. `about` contains the facts about the person that an attacker can know.
///
/// # Errors
/// Returns [`PasswordError::Length`] or [`PasswordError::Weak`] if the password is not acceptable.
pub(crate) fn judge(password: &str, about: &[&str]) -> Result<(), PasswordError> {
    if !PASSWORD_CHARS.contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    // A name is compared word by word, and also as all of its words joined together.
    let about: Vec<String> =
        about.iter().map(|known| known.chars().take(MAX_KNOWN_CHARS).collect()).collect();
    let words = about.iter().flat_map(|known| known.split(|c: char| !c.is_alphanumeric()));
    let together = about.iter().map(|known| known.replace(' ', ""));
    let known: Vec<String> = words.map(str::to_owned).chain(together).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    // A score of at least 3 of 4 means more than 10^8 guesses.
    let strong = zxcvbn::zxcvbn(password, &known).score() >= zxcvbn::Score::Three;
    if strong { Ok(()) } else { Err(PasswordError::Weak) }
}

enum Job {
    Hash {
        password: String,
        about: Vec<String>,
        answer: oneshot::Sender<Result<String, PasswordError>>,
    },
    Verify {
        password: String,
        hash: String,
        answer: oneshot::Sender<bool>,
    },
}

/// A handle to the hashing threads. Clones share the threads, which end when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Passwords {
    jobs: Arc<JobQueue<Job>>,
    /// The hash with which a password is compared if the person is unknown or has no password, so that the response
    /// takes just as long.
    nobody: Arc<str>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Passwords {
    /// Starts the hashing threads.
    ///
    /// # Errors
    /// Returns an error if a thread can't be started.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (jobs, takers) = JobQueue::new();
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        for n in 0..(cores / 2).max(1) {
            let takers = takers.clone();
            std::thread::Builder::new().name(format!("passwords-{n}")).spawn(move || {
                // The system might refuse the lower priority. The threads then run with the priority of the server.
                let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
                while let Some(job) = takers.next() {
                    work(job);
                }
            })?;
        }
        let nobody = hash(&super::secret()).map_err(std::io::Error::other)?.into();
        Ok(Self { jobs: Arc::new(jobs), nobody })
    }

    /// Hashes a password that passes [`judge`]. The result is a PHC string, which contains the parameters and the salt.
    ///
    /// # Errors
    /// Returns an error if the password is not acceptable, or if too many jobs wait.
    pub(crate) async fn hash(
        &self,
        lane: Lane,
        password: &str,
        about: &[&str],
    ) -> Result<String, PasswordError> {
        let (answer, answered) = oneshot::channel();
        let about = about.iter().map(|known| (*known).to_owned()).collect();
        self.queue(lane, Job::Hash { password: password.to_owned(), about, answer })?;
        answered.await.map_err(|_| PasswordError::Busy)?
    }

    /// Whether `password` is the password that was hashed. Without a hash the result is always `false`, but the
    /// comparison takes as long as with one.
    ///
    /// # Errors
    /// Returns an error if too many jobs wait.
    pub(crate) async fn verify(
        &self,
        lane: Lane,
        password: &str,
        hash: Option<&str>,
    ) -> Result<bool, PasswordError> {
        if password.chars().count() > *PASSWORD_CHARS.end() {
            return Ok(false);
        }
        let (answer, answered) = oneshot::channel();
        let against = hash.unwrap_or(&self.nobody).to_owned();
        self.queue(lane, Job::Verify { password: password.to_owned(), hash: against, answer })?;
        let right = answered.await.map_err(|_| PasswordError::Busy)?;
        Ok(right && hash.is_some())
    }

    fn queue(&self, lane: Lane, job: Job) -> Result<(), PasswordError> {
        if self.jobs.add(lane, job) { Ok(()) } else { Err(PasswordError::Busy) }
    }
}

fn work(job: Job) {
    // Sending fails only if the caller no longer waits for the result, which is then not needed.
    let _ = match job {
        Job::Hash { password, about, answer } => {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            answer.send(judge(&password, &about).and_then(|()| hash(&password))).is_ok()
        }
        Job::Verify { password, hash, answer } => answer.send(verify(&password, &hash)).is_ok(),
    };
}

/// Returns Argon2id as OWASP recommends it: 19 MiB of memory, 2 passes, 1 lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let salt: [u8; 16] = rand::random();
    let hashed = argon2().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|error| PasswordError::Failed(error.to_string()))
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_is_right() {
        let passwords = Passwords::start().unwrap();
        let hash = passwords.hash(Lane::Known, "cobalt umbrella seventeen", &[]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(
            passwords.verify(Lane::Known, "cobalt umbrella seventeen", Some(&hash)).await.unwrap()
        );
        assert!(
            !passwords.verify(Lane::Known, "cobalt umbrella sixteen", Some(&hash)).await.unwrap()
        );
        assert!(!passwords.verify(Lane::Known, "cobalt umbrella seventeen", None).await.unwrap());
        assert!(!passwords.verify(Lane::Known, "x", Some("not a hash")).await.unwrap());
    }

    #[test]
    fn short_common_and_personal_passwords_are_refused() {
        let about = ["Ana Ferreira", "ana@riverton.example"];
        for (password, expected) in [
            ("short", Err(PasswordError::Length)),
            ("password1234", Err(PasswordError::Weak)),
            ("aaaaaaaaaaaa", Err(PasswordError::Weak)),
            ("qwertyuiop", Err(PasswordError::Weak)),
            ("anaferreira1", Err(PasswordError::Weak)),
            ("cobalt umbrella seventeen", Ok(())),
            ("\u{d55c}\u{ad6d}\u{c5b4} \u{be44}\u{bc00}\u{bc88}\u{d638} \u{c5f4}\u{c1e0}", Ok(())),
        ] {
            assert_eq!(judge(password, &about), expected, "{password}");
        }
    }
}
