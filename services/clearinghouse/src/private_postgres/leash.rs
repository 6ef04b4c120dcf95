//! The leash: a small shell between this program and PostgreSQL, so that neither outlives the other.
//!
//! Shape: the shell starts `postgres` and reads a pipe whose other end only this program holds. When the program ends, however it
//! ends (SIGKILL included), the system closes the pipe and the shell stops PostgreSQL. When PostgreSQL ends by itself, the shell
//! ends too, and whoever waits for it knows. It runs in a process group of its own: Ctrl-C at a terminal reaches the program, which
//! drains its requests while the database still works.

use super::Error;
use super::identity::Identity;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};

/// Arguments: the signal that stops PostgreSQL, a folder to remove after that (or nothing), another one, then the command.
/// A background job of a shell gets /dev/null as its standard input, so the watcher reads the pipe as descriptor 3.
const SCRIPT: &str = r#"
signal=$1 remove_one=$2 remove_two=$3
shift 3
exec 3<&0
"$@" 3<&- </dev/null >&2 &
server=$!
{ read -r _ <&3; kill -s "$signal" "$server"; } </dev/null >&2 &
watcher=$!
exec 3<&- </dev/null
echo "$server"
exec >&2
wait "$server"
status=$?
kill "$watcher" 2>/dev/null && exit "$status"
rm -rf ${remove_one:+"$remove_one"} ${remove_two:+"$remove_two"}
"#;

/// How PostgreSQL is to end when its program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Sessions are cut off, everything is written to its place: the next start is quick.
    Fast,
    /// At once; the next start would recover from the log. For data that nobody will read again.
    Immediate,
}

/// What a leash is made of.
#[derive(Debug, Clone)]
pub(super) struct LeashPlan {
    pub(super) identity: Identity,
    pub(super) postgres: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) log: PathBuf,
    pub(super) ending: Ending,
    /// Folders that vanish with the server (not when PostgreSQL ended by itself: then it is started again).
    pub(super) remove: [Option<PathBuf>; 2],
}

/// A PostgreSQL on its leash.
#[derive(Debug)]
pub(super) struct Leash {
    /// The shell; ends after PostgreSQL has.
    pub(super) shell: Child,
    /// Dropping it lets go: PostgreSQL stops.
    pub(super) pipe: ChildStdin,
    /// PostgreSQL's main process.
    pub(super) postmaster: u32,
}

impl LeashPlan {
    /// Starts PostgreSQL; it is not ready for work when this returns.
    pub(super) fn start(&self) -> Result<Leash, Error> {
        let Self { identity, postgres, arguments, log, ending, remove } = self;
        let log_file = File::options().append(true).create(true).mode(0o600).open(log).map_err(Error::at(log))?;
        let signal = match ending {
            Ending::Fast => "INT",
            Ending::Immediate => "QUIT",
        };
        let mut shell = identity
            .command(Path::new("/bin/sh"))
            .args(["-c", SCRIPT, "scriphouse-leash", signal])
            .args(remove.iter().map(|folder| folder.as_deref().unwrap_or(Path::new(""))))
            .arg(postgres)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .process_group(0)
            .spawn()
            .map_err(Error::at(Path::new("/bin/sh")))?;
        let (Some(pipe), Some(stdout)) = (shell.stdin.take(), shell.stdout.take()) else {
            unreachable!("both were asked for as pipes");
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(Error::at(log))?;
        let postmaster = line.trim().parse().map_err(|_| Error::start_failed(log))?;
        Ok(Leash { shell, pipe, postmaster })
    }
}
