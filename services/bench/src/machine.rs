//! The machine that was measured, so that a figure can be compared with another one's.

use serde::Serialize;
use std::collections::BTreeMap;
use std::process::Command;

/// What a reader needs to know to repeat it.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many of them.
    pub processors: usize,
    /// In MiB.
    pub memory_mib: u64,
    /// The operating system's kernel.
    pub kernel: String,
    /// PostgreSQL's version, and the settings that a figure depends on.
    pub postgres: BTreeMap<String, String>,
    /// The commit that was measured; with a plus if the sources had changed since.
    pub commit: String,
    /// How the program was built.
    pub build: &'static str,
}

impl Machine {
    /// Asks the system; what it does not tell is `unknown`.
    pub(crate) fn inspect(postgres: BTreeMap<String, String>) -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            processor: first_field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            processors: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_mib: first_field("/proc/meminfo", "MemTotal").and_then(kilobytes).map_or(0, |kb| kb / 1024),
            kernel: said("uname", &["-sr"]).unwrap_or_else(unknown),
            postgres,
            commit: commit().unwrap_or_else(unknown),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
        }
    }
}

/// What stands behind the first line's colon that begins so.
fn first_field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kilobytes(text: String) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

fn commit() -> Option<String> {
    let commit = said("git", &["rev-parse", "--short=10", "HEAD"])?;
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
    Some(if changed { format!("{commit}+") } else { commit })
}

fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
