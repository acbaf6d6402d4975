//! `accord`: carries out the commands of the command line.

mod arguments;
mod signals;

use accord_server::check::Report;
use accord_server::control::{self, Account, Answer};
use accord_server::repair::Repaired;
use accord_server::signing::fault::Fault;
use accord_server::signing::keys::Keys;
use accord_server::signing::shown::Shown;
use accord_server::signing::strict::MAX_FILE_BYTES;
use accord_server::signing::verify;
use accord_server::{Config, ServeError, run};
use arguments::{
    Arguments, Command, DataFolder, LogFormat, RepairArgs, RestoreArgs, ServeArgs, VerifyArgs,
};
use clap::Parser as _;
use std::io::{IsTerminal, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tikv_jemallocator::Jemalloc;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// jemalloc, which returns free memory to the system soon, as configured in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
const _: () = assert!(
    option_env!("JEMALLOC_SYS_WITH_MALLOC_CONF").is_some(),
    "Build the server inside its repository: .cargo/config.toml sets up its allocator."
);

/// Time that remaining threads have to end after everything else has ended.
const LAST_THREADS: Duration = Duration::from_secs(1);
/// Exit code of `accord verify` for a release that is validly signed when no trusted key was given.
const UNTRUSTED: u8 = 2;
/// Exit code of `accord repair` if something was lost and the rest was saved.
const SAVED_IN_PART: u8 = 2;

fn main() -> ExitCode {
    let command = match Arguments::try_parse() {
        // A worker starts no async runtime. The stacks of the runtime's threads would count against the memory limit of
        // the worker.
        Ok(Arguments { command: Command::Worker { parent } }) => {
            return accord_server::worker::run(parent);
        }
        Ok(Arguments { command }) => command,
        // Clap would exit with 2, but that code means a validly signed release without a trusted key ([`UNTRUSTED`]).
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            drop(error.print());
            return code;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    let code = runtime.block_on(carry_out(command));
    runtime.shutdown_timeout(LAST_THREADS);
    code
}

async fn carry_out(command: Command) -> ExitCode {
    match command {
        Command::Worker { .. } => ExitCode::FAILURE,
        Command::Openapi => {
            say(&accord_server::openapi());
            ExitCode::SUCCESS
        }
        Command::Check(data) => check(&data.path),
        // The command gets an absolute path, because a running server can have another working directory.
        Command::Backup(args) => match std::path::absolute(&args.file) {
            Ok(to) => ask(args.data, control::Command::Backup { to }).await,
            Err(error) => complain(&error),
        },
        Command::Restore(args) => restore(&args),
        Command::Repair(args) => repair(&args),
        Command::Verify(args) => verify(&args),
        Command::RotateKey(data) => rotate_key(&data.path),
        Command::People(data) => ask(data, control::Command::People).await,
        Command::MakeAdministrator(args) => match ask_password() {
            Ok(password) => {
                let (name, email) = (args.name, args.email);
                let command = control::Command::MakeAdministrator { name, email, password };
                ask(args.data, command).await
            }
            Err(error) => complain(&error),
        },
        Command::ResetPassword(args) => {
            let at = args.public_url.map(|url| url.to_string());
            ask(args.data, control::Command::ResetPassword { email: args.email, at }).await
        }
        Command::Serve(args) => {
            start_log(args.log_format);
            match serve(args).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tracing::error!("{error}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}

/// Prints an answer to standard output.
#[allow(clippy::print_stdout)]
fn say(line: &str) {
    println!("{line}");
}

/// Prints the reason for a failure to standard error, and returns the exit code of a failure.
fn complain(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

/// Verifies a release's file and prints the result.
fn verify(args: &VerifyArgs) -> ExitCode {
    let file = match read_release(&args.file) {
        Ok(file) => file,
        Err(error) => {
            let name = Shown::quoted(&args.file.to_string_lossy());
            return complain(&format!("NOT VERIFIED\n{name} can't be read: {error}"));
        }
    };
    let verified = match verify::verify(&file, &args.key) {
        Ok(verified) => verified,
        Err(fault) => return complain(&format!("NOT VERIFIED\n{fault}")),
    };
    let found = verified.statement.number;
    if let Some(wanted) = args.number.filter(|wanted| *wanted != found) {
        return complain(&format!("NOT VERIFIED\n{}", Fault::OtherNumber { wanted, found }));
    }
    say(if verified.is_trusted {
        "VERIFIED"
    } else {
        "VALID SIGNATURE, BUT NO TRUSTED KEY WAS GIVEN"
    });
    say(&verified.words());
    if verified.is_trusted { ExitCode::SUCCESS } else { ExitCode::from(UNTRUSTED) }
}

/// Reads a release's file, but at most one byte more than [`MAX_FILE_BYTES`]. The extra byte tells the verifier that
/// the file is too large.
fn read_release(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn rotate_key(data: &Path) -> ExitCode {
    match Keys::rotate(data, None) {
        Ok(keys) => {
            let key = keys.signing().public();
            say(&format!("From its next start, the server signs releases with this key:\n{key}"));
            ExitCode::SUCCESS
        }
        Err(error) => complain(&error),
    }
}

/// Restores a backup and prints the result of checking the new folder.
fn restore(args: &RestoreArgs) -> ExitCode {
    let now = accord_server::clock::Clock::system().now_ms();
    match accord_server::backup::restore(&args.file, &args.data, now) {
        Ok((_, report)) => say_report(report),
        Err(error) => complain(&error),
    }
}

/// Saves what can be saved of a damaged folder, and prints what is lost.
fn repair(args: &RepairArgs) -> ExitCode {
    let from = &args.data.path;
    if !from.exists() {
        return complain(&format!("there is no folder {}", from.display()));
    }
    let now = accord_server::clock::Clock::system().now_ms();
    let repaired = match accord_server::repair::repair(from, &args.new, now) {
        Ok(repaired) => repaired,
        Err(error) => return complain(&error),
    };
    let Repaired { plans, documents, entries, records, lost, report } = &repaired;
    say(&format!(
        "saved {plans} plans and {documents} documents, with {entries} entries and {records} records in all"
    ));
    lost.iter().for_each(|lost| say(&format!("LOST {lost}")));
    report.faults.iter().for_each(|fault| say(&format!("DAMAGED {fault}")));
    if repaired.is_whole() {
        say("everything was saved");
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "not everything was saved, as listed above: if there is a backup, restore it instead"
    );
    ExitCode::from(SAVED_IN_PART)
}

/// Checks a data folder and prints the damage that was found.
fn check(data: &Path) -> ExitCode {
    if !data.exists() {
        return complain(&format!("there is no folder {}", data.display()));
    }
    match accord_server::check::check(data) {
        Ok(report) => say_report(report),
        Err(error) => complain(&error),
    }
}

fn say_report(Report { documents, plans, entries, faults }: Report) -> ExitCode {
    say(&format!(
        "checked {plans} plans, {documents} documents with {entries} entries, and the audit record"
    ));
    for fault in &faults {
        say(&format!("DAMAGED {fault}"));
    }
    if faults.is_empty() {
        say("no damage found");
        return ExitCode::SUCCESS;
    }
    complain(
        &"the data is damaged, as listed above: restore a backup into a new folder or, without a backup, run accord repair",
    )
}

/// Carries out a command through the running server or, if no server runs, in this process, and prints the answer.
async fn ask(data: DataFolder, command: control::Command) -> ExitCode {
    match control::ask(&Config::new(data.path), command).await {
        Ok(Answer::People { people }) => people.iter().for_each(say_account),
        Ok(Answer::Administrator { name }) => {
            say(&format!("{} is now an administrator of this installation.", Shown::name(&name)))
        }
        Ok(Answer::Link { link }) => say(&format!("This link works once, within a day:\n{link}")),
        Ok(Answer::Backup { plans, documents, entries }) => say(&format!(
            "The backup holds {plans} plans and {documents} documents, with {entries} entries in all. It was read back and is complete."
        )),
        Ok(Answer::Refused { reason }) => return complain(&reason),
        Err(error) => return complain(&error),
    }
    ExitCode::SUCCESS
}

/// Prints an account as one line with four cells, separated by tabs.
fn say_account(Account { name, email, administrator, plans }: &Account) {
    let role = if *administrator { "administrator" } else { "" };
    let (name, plans) = (Shown::of(name), plans.join(", "));
    let (email, plans) = (Shown::of(email.as_deref().unwrap_or_default()), Shown::of(&plans));
    say(&format!("{name}\t{email}\t{role}\t{plans}"));
}

/// Reads a password: from a terminal without showing it, otherwise as one line of standard input.
fn ask_password() -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password("Password (at least 10 characters): ");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn serve(args: ServeArgs) -> Result<(), ServeError> {
    let stop = signals::asked_to_stop()?;
    let listener = bind(args.listen).await?;
    let address = listener.local_addr()?;
    tracing::info!("listening on http://{address}");
    if args.demo {
        tracing::info!("the demo is at http://{address}: open it in two browsers");
    }
    run(listener, args.config(), stop).await
}

/// Binds the address to listen on. If that fails, the error says what the operator can do.
async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another program is using this address: choose another one with --listen"
            }
            std::io::ErrorKind::PermissionDenied => {
                "this user is not allowed to: choose a port above 1023"
            }
            _ => "choose another address with --listen",
        };
        std::io::Error::new(error.kind(), format!("can't listen on {address}: {hint}"))
    })
}

fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env("ACCORD_LOG").unwrap_or_else(|_| EnvFilter::new("info,sled=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
