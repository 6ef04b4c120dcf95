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
    Command::new(binary()).args(args).stdin(Stdio::null()).output().expect("the program starts")
}

/// A server with its private PostgreSQL, in a process of its own.
pub(crate) struct Served {
    process: Child,
    pub(crate) base: String,
    /// What it printed before it listened.
    pub(crate) said: Vec<String>,
}

impl Served {
    /// Starts it and waits until it listens.
    pub(crate) fn start(data_dir: &Path) -> Self {
        let mut process = Command::new(binary())
            .args(["--data-dir", data_dir.to_str().expect("a plain path"), "serve"])
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
