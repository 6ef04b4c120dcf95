//! The command line: what `scriphouse` can be told to do, one file per command.
//!
//! Shape: parse the words, load the settings, run one command, turn its outcome into an exit code. Every error is one sentence on
//! standard error. Exit codes: 0 done; 1 a proof failed or the world is at fault; 2 the input or the usage is wrong.
//! A command holds no rule of the house: it calls the same services as the HTTP routes.

mod bench;
mod bundle;
mod context;
mod debts_file;
mod demo;
mod error;
mod explain;
mod gridlock;
mod import;
mod migrate;
mod net;
mod operator_key;
mod out_folder;
mod serve;
mod settle;
mod verify;
mod what_if_default;

pub(crate) use context::{Context, Database, Sharing};
pub(crate) use error::CommandError;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use scriphouse_config::Settings;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

const LONG_ABOUT: &str = "\
The house between the vendors: it keeps every vendor's tokens, lets users swap one vendor's tokens for another's, \
and nets what the vendors then owe each other into a few transfers.

Without --database-url (and without database.url in the settings) the program runs a private PostgreSQL of its own, made from \
the binaries that are installed on this machine, under --data-dir.";

const EXAMPLES: &str = "\
Examples:
  scriphouse serve                                          start the house; prints the operator's key the first time
  scriphouse demo                                           see a market and its settlement files; leaves only those behind
  scriphouse serve --data-dir /srv/scriphouse               keep the data somewhere else
  scriphouse --config production.toml migrate               bring a database of your own up to date
  scriphouse import obligations.csv --scheme EURO           bring in obligations from elsewhere
  scriphouse settle EURO                                    close the scheme's window now and net it
  scriphouse verify                                         prove that the books are right
  scriphouse bundle RUN --out run.tar                       everything that proves a run, for an auditor
  scriphouse verify --bundle run.tar                        prove that run, without any database
  scriphouse net obligations.csv --strategy direct          net a file, without any database
  scriphouse net obligations.csv --what-if                  see what each strategy would make of it
  scriphouse explain obligations.csv --strategy direct      say which of them are behind each transfer
  scriphouse bench --quick                                  measure this machine, in about a minute

Exit codes: 0 done; 1 a proof failed or something broke; 2 the input or the usage is wrong.
Settings: config/default.toml lists all of them; SCRIPHOUSE__SERVER__LISTEN=0.0.0.0:80 sets server.listen.";

/// A clearinghouse for vendors' tokens.
#[derive(Debug, Parser)]
#[command(name = "scriphouse", version, long_about = LONG_ABOUT, after_help = EXAMPLES)]
struct Cli {
    /// A TOML file with settings; they are stronger than the built-in ones and weaker than the environment.
    #[arg(long, global = true, value_name = "PATH", help_heading = "Everywhere")]
    config: Option<PathBuf>,
    /// The server's login to a PostgreSQL of yours, such as postgres://scriphouse_server:secret@host/scriphouse.
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    database_url: Option<String>,
    /// Where the private PostgreSQL keeps its data.
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere", conflicts_with = "database_url")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::BenchArgs),
    Bundle(bundle::BundleArgs),
    Serve(serve::ServeArgs),
    Demo(demo::DemoArgs),
    Explain(explain::ExplainArgs),
    Gridlock(gridlock::GridlockArgs),
    Import(import::ImportArgs),
    Migrate(migrate::MigrateArgs),
    Net(net::NetArgs),
    OperatorKey(operator_key::OperatorKeyArgs),
    Settle(settle::SettleArgs),
    Verify(verify::VerifyArgs),
    WhatIfDefault(what_if_default::WhatIfDefaultArgs),
}

/// Runs the program with the words it was started with.
pub fn main() -> ExitCode {
    match parse(std::env::args_os()).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Shown) => ExitCode::SUCCESS,
        Err(Stop::Failed(error)) => {
            eprintln!("scriphouse: {}", error.sentence);
            ExitCode::from(error.exit_code)
        }
    }
}

/// Why the program ends without having run a command to its end.
#[derive(Debug)]
enum Stop {
    /// Help or the version was asked for and has been printed.
    Shown,
    Failed(CommandError),
}

impl<E: Into<CommandError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, Stop> {
    Cli::try_parse_from(words).map_err(|error| {
        let kind = error.kind();
        if matches!(kind, ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            // Whoever closed the output does not want to read it.
            let _ = error.print();
            return Stop::Shown;
        }
        let sentence = if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            "say what to do, for example `scriphouse serve`; `scriphouse --help` lists everything".to_owned()
        } else {
            first_sentence(&error.to_string())
        };
        Stop::Failed(CommandError::input(sentence))
    })
}

/// The parser explains over several paragraphs; the first one says what is wrong.
fn first_sentence(text: &str) -> String {
    let paragraph = text.strip_prefix("error: ").unwrap_or(text).lines().take_while(|line| !line.trim().is_empty());
    format!("{} (--help explains)", paragraph.map(str::trim).collect::<Vec<_>>().join(" "))
}

fn run(cli: Cli) -> Result<(), Stop> {
    let Cli { config, database_url, data_dir, command } = cli;
    log_to_standard_error(&command);
    if let Some(done) = run_without_database(&command) {
        return Ok(done?);
    }

    let mut settings = Settings::load(config.as_deref())?;
    if let Some(url) = database_url {
        settings.database.url = Some(url);
    }
    if let Some(data_dir) = data_dir {
        // Naming a data directory is asking for the private PostgreSQL, whatever a file says.
        settings.database.url = None;
        settings.database.admin_url = None;
        settings.database.data_dir = Some(data_dir);
    }
    let context = Context::new(settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::fault(format!("the program cannot start its threads: {error}")))?;
    Ok(runtime.block_on(run_with_database(&command, &context))?)
}

/// What works on files alone; none for any other command.
fn run_without_database(command: &Command) -> Option<Result<(), CommandError>> {
    let mut out = io::stdout().lock();
    let printed = match command {
        Command::Net(args) => return Some(net::run(args, &mut out).map_err(CommandError::from)),
        Command::Explain(args) => explain::run(args, &mut out),
        Command::Gridlock(args) => gridlock::run(args, &mut out),
        Command::WhatIfDefault(args) => what_if_default::run(args, &mut out),
        Command::Verify(args) => return args.bundle.as_ref().map(|path| verify::run_on_bundle(args, path)),
        Command::Bench(_)
        | Command::Bundle(_)
        | Command::Serve(_)
        | Command::Demo(_)
        | Command::Import(_)
        | Command::Migrate(_)
        | Command::OperatorKey(_)
        | Command::Settle(_) => return None,
    };
    Some(printed)
}

async fn run_with_database(command: &Command, context: &Context) -> Result<(), CommandError> {
    match command {
        Command::Bench(args) => bench::run(args, context).await,
        Command::Bundle(args) => bundle::run(args, context).await,
        Command::Serve(args) => serve::run(args, context).await,
        Command::Demo(args) => demo::run(args, context).await,
        Command::Import(args) => import::run(args, context).await,
        Command::Migrate(args) => migrate::run(args, context).await,
        Command::OperatorKey(args) => operator_key::run(args, context).await,
        Command::Settle(args) => settle::run(args, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Net(_) | Command::Explain(_) | Command::Gridlock(_) | Command::WhatIfDefault(_) => {
            unreachable!("it needs no database and has run")
        }
    }
}

/// Prints a line to standard output.
fn say(line: impl Display) -> Result<(), CommandError> {
    printed(writeln!(io::stdout(), "{line}"))
}

/// What became of printing. Whoever has closed the output has read enough.
fn printed(written: io::Result<()>) -> Result<(), CommandError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::fault(format!("standard output cannot be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A server tells what it does; a command that a person waits for tells only what goes wrong. RUST_LOG overrules both.
fn log_to_standard_error(command: &Command) {
    let usual = if matches!(command, Command::Serve(_)) {
        "info,refinery_core=warn,tokio_cron_scheduler=warn,tokio_postgres=warn"
    } else {
        "error"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(words: &[&str]) -> CommandError {
        let words = std::iter::once("scriphouse").chain(words.iter().copied()).map(OsString::from);
        match parse(words).unwrap_err() {
            Stop::Failed(error) => error,
            Stop::Shown => panic!("that is a question for help, not a mistake"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_wrong_word_is_answered_with_one_sentence_and_exit_code_2() {
        let mistakes: [(&[&str], &str); _] = [
            (&["serv"], "serv"),
            (&["serve", "--listen", "here"], "--listen"),
            (&["net", "in.csv"], "--strategy"),
            (&["serve", "--data-dir", "a", "--database-url", "b"], "--data-dir"),
            (&[], "scriphouse serve"),
        ];
        for (words, named) in mistakes {
            let error = refusal(words);
            assert_eq!(error.exit_code, 2);
            assert!(error.sentence.contains(named) && !error.sentence.contains('\n'), "{}", error.sentence);
        }
    }
}
