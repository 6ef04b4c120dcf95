//! The program itself, as a user starts it.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// The `scriphouse` that lies beside this test, built from the same sources.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--package", "clearinghouse", "--bin", "scriphouse"]).status();
        assert!(built.expect("cargo runs").success(), "the program builds");
        let test = std::env::current_exe().expect("the test knows where it lies");
        let dir = test.parent().and_then(Path::parent).expect("target/debug/deps");
        dir.join("scriphouse")
    })
}

/// Runs a command to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    run_with(&[], args)
}

/// The same with more in its environment.
pub(crate) fn run_with(environment: &[(&str, &str)], args: &[&str]) -> Output {
    let environment = environment.iter().copied();
    Command::new(binary()).args(args).envs(environment).stdin(Stdio::null()).output().expect("the program starts")
}

/// Its standard output.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Exit code 0; its standard output.
#[track_caller]
pub(crate) fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", said(output), String::from_utf8_lossy(&output.stderr));
    said(output)
}

/// This exit code, nothing on standard output, and one sentence on standard error that mentions all of these.
#[track_caller]
pub(crate) fn refused(output: &Output, exit_code: i32, mentions: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit_code), "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "one sentence: {error}");
    for mention in mentions {
        assert!(error.contains(mention), "{error} does not mention {mention}");
    }
    assert_eq!(said(output), "");
}

/// A server in a process of its own.
pub(crate) struct Served {
    process: Child,
    pub(crate) base: String,
    /// What it printed before it listened.
    pub(crate) said: Vec<String>,
}

impl Served {
    /// Starts it with its private PostgreSQL and waits until it listens.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(&["--data-dir", data_dir.to_str().expect("a plain path")])
    }

    /// Starts it on the database that these words name.
    pub(crate) fn start_with(database: &[&str]) -> Self {
        let mut process = Command::new(binary())
            .args(database)
            .arg("serve")
            .env("SCRIPHOUSE__SERVER__LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output is piped")).lines();
        let mut said = Vec::new();
        let base = loop {
            let line = lines.next().expect("it says where it listens before it ends").expect("it writes text");
            if let Some(at) = line.find("http://") {
                break line[at..].split_whitespace().next().expect("an address").to_owned();
            }
            said.push(line);
        };
        // What it says later is of no interest, but the pipe must not fill.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, base, said }
    }

    /// The operator's key, which the first start prints.
    pub(crate) fn operator_key(&self) -> String {
        let mut words = self.said.iter().flat_map(|line| line.split_whitespace());
        words.rfind(|word| word.starts_with("sk_")).expect("the first start prints the operator's key").to_owned()
    }

    /// SIGKILL: no goodbye.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// SIGTERM, and waits for it to end well.
    pub(crate) fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
        assert!(self.process.wait().expect("it ends").success(), "it ends well when told to");
    }
}

/// A data directory that lives as long as the value, where an unprivileged PostgreSQL can reach it.
pub(crate) fn data_dir() -> tempfile::TempDir {
    let everybody_may_enter = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new().prefix("scriphouse-").permissions(everybody_may_enter).tempdir().expect("a temporary folder is made")
}
