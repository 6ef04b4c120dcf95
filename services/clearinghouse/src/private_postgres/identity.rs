//! As whom PostgreSQL runs. It refuses to run as root, so root hands it to an unprivileged user.

use super::Error;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user that the database's files belong to and its processes run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// Whoever runs this program.
    Current,
    /// An unprivileged user, because this program runs as root.
    Other {
        /// Its name or number, for messages.
        name: String,
        /// Its user id.
        uid: u32,
        /// Its primary group.
        gid: u32,
    },
}

impl Identity {
    /// The present user; for root the owner of the cluster that exists already, else `postgres`, else `nobody`.
    pub(super) fn choose(pgdata: &Path) -> Result<Self, Error> {
        if !is_root() {
            return Ok(Self::Current);
        }
        if let Ok(existing) = pgdata.metadata()
            && existing.uid() != 0
        {
            return Ok(Self::Other { name: format!("of number {}", existing.uid()), uid: existing.uid(), gid: existing.gid() });
        }
        let known = ["postgres", "nobody"].into_iter().find_map(|name| {
            let (uid, gid) = (id(&["-u", name])?, id(&["-g", name])?);
            (uid != 0).then(|| Self::Other { name: name.to_owned(), uid, gid })
        });
        known.ok_or(Error::NobodyToRunAs)
    }

    /// A command that runs as this user. Settings of PostgreSQL that happen to be in the environment do not reach it,
    /// and it starts in a folder that everybody may enter. (When root sets a uid, std drops root's other groups too.)
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
            command.env_remove(name);
        }
        command.current_dir("/").env("LC_ALL", "C");
        match self {
            Self::Current => &mut command,
            Self::Other { uid, gid, .. } => command.uid(*uid).gid(*gid),
        };
        command
    }

    /// Gives a file or folder to this user, never what a link points to.
    pub(super) fn own(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Current => Ok(()),
            Self::Other { uid, gid, .. } => std::os::unix::fs::lchown(path, Some(*uid), Some(*gid)).map_err(Error::at(path)),
        }
    }

    /// Says so when a folder above the data is closed to this user, as everything below `/root` is.
    pub(super) fn check_path(&self, data_dir: &Path) -> Result<(), Error> {
        let Self::Other { name, uid, gid } = self else { return Ok(()) };
        for folder in data_dir.ancestors() {
            // What does not exist yet will be made passable.
            let Ok(metadata) = folder.metadata() else { continue };
            let enter = match metadata.mode() {
                mode if metadata.uid() == *uid => mode & 0o100,
                mode if metadata.gid() == *gid => mode & 0o010,
                mode => mode & 0o001,
            };
            if enter == 0 {
                let (data_dir, closed) = (data_dir.to_owned(), PathBuf::from(folder));
                return Err(Error::PathClosed { data_dir, closed, user: name.clone() });
            }
        }
        Ok(())
    }
}

/// Whether this program runs as root.
pub(super) fn is_root() -> bool {
    id(&["-u"]) == Some(0)
}

/// std has no safe way to ask for user ids; `id` has them on every Unix.
fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
