//! Where PostgreSQL's programs are on this machine.

use super::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest PostgreSQL that the schema works on.
const MAJOR_MIN: u32 = 15;

/// The folder that holds `initdb`, `postgres` and `pg_ctl` of one version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// What is on PATH if it is new enough, else the newest of the usual places. A data directory that exists already
    /// was made by one major version and opens with no other: then `required` names it.
    pub(super) fn find(required: Option<u32>) -> Result<Self, Error> {
        let found: Vec<Self> = candidates().into_iter().filter_map(Self::inspect).collect();
        match required {
            Some(major) => found.into_iter().find(|b| b.major == major).ok_or(Error::BinariesOfOtherVersion { major }),
            None => found.into_iter().find(|b| b.major >= MAJOR_MIN).ok_or(Error::BinariesMissing { major_min: MAJOR_MIN }),
        }
    }

    /// The program of this name, with its folder.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The same for a program that need not be there: beside the others, else beside what those are links to, else wherever PATH says.
    pub(super) fn optional_program(&self, name: &str) -> PathBuf {
        let linked = self.program("postgres").canonicalize().ok().map(|postgres| postgres.with_file_name(name));
        let found = [Some(self.program(name)), linked].into_iter().flatten().find(|program| program.is_file());
        found.unwrap_or_else(|| PathBuf::from(name))
    }

    fn inspect(dir: PathBuf) -> Option<Self> {
        let complete = ["initdb", "postgres", "pg_ctl"].iter().all(|name| dir.join(name).is_file());
        let output = complete.then(|| Command::new(dir.join("postgres")).arg("--version").output().ok())??;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { dir, major })
    }
}

/// Folders in the order of preference: PATH, then each family of usual places with its newest version first.
fn candidates() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),          // Debian, Ubuntu
        ("/usr", "pgsql-"),                   // Fedora, Red Hat
        ("/opt/homebrew/opt", "postgresql@"), // macOS, Apple processor
        ("/usr/local/opt", "postgresql@"),    // macOS, Intel processor
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql@"),
        ("/Library/PostgreSQL", ""),
        ("/usr/local/pgsql", ""),
    ] {
        dirs.extend(versions_in(Path::new(parent), prefix));
    }
    dirs
}

fn versions_in(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let names = std::fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut versions: Vec<(u32, PathBuf)> = names
        .filter_map(|name| {
            let version = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, parent.join(&name).join("bin")))
        })
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, dir)| dir).collect()
}

/// `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)` is 15, and so is `17beta1` 17.
fn major_of(version_line: &str) -> Option<u32> {
    let number = version_line.split_whitespace().nth(2)?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("postgres: not found"), None);
    }
}
