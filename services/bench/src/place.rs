//! Where is measured: the database server, the program under test, the folders.

use crate::BenchError;
use std::fmt;
use std::path::{Path, PathBuf};

/// How to reach one database, as text that tokio-postgres reads.
#[derive(Clone)]
pub struct Logins {
    /// The server's: what the program under test gets.
    pub server_url: String,
    /// The superuser's: seeding, and the yardsticks.
    pub admin_url: String,
}

/// They hold the password.
impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logins(hidden)")
    }
}

/// What the bench works with. The cluster is the bench's alone, and its database `scriphouse` is migrated and empty.
pub struct Place {
    /// The logins of a database of the cluster, by name.
    pub logins_of: Box<dyn Fn(&str) -> Logins + Send + Sync>,
    /// The program under test: `scriphouse` itself.
    pub program: PathBuf,
    /// PostgreSQL's own load generator.
    pub pgbench: PathBuf,
    /// For scripts and logs; gone afterwards.
    pub dir: PathBuf,
    /// A real payment network to net, where there is one.
    pub sarafu: Option<PathBuf>,
}

impl Place {
    /// What the servers under test write to their standard error.
    pub fn server_log(&self) -> PathBuf {
        self.dir.join("server.log")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("program", &self.program).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Refuses a folder in memory: fsync costs nothing there. Where the system does not say what lies where, any folder is taken.
///
/// # Errors
/// [`BenchError::InMemory`].
pub fn check_folder(dir: &Path) -> Result<(), BenchError> {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    match file_system_of(dir, &mounts) {
        Some(kind) if matches!(kind, "tmpfs" | "ramfs") => Err(BenchError::InMemory { path: dir.to_owned(), kind: kind.to_owned() }),
        Some(_) | None => Ok(()),
    }
}

/// The type of the innermost mount above the folder.
fn file_system_of<'a>(dir: &Path, mounts: &'a str) -> Option<&'a str> {
    let fields = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.nth(1)?, words.next()?))
    });
    // A later mount hides an earlier one of the same place.
    fields.filter(|(place, _)| dir.starts_with(place)).max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_memory_is_told_from_one_on_a_disk() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n/dev/vdb /dev/shm/disk xfs rw 0 0\n";
        let kinds = ["/tmp/x", "/dev/shm/x", "/dev/shm/disk/x", "/dev/shmx"].map(|dir| file_system_of(Path::new(dir), mounts));
        assert_eq!(kinds, [Some("ext4"), Some("tmpfs"), Some("xfs"), Some("ext4")]);
    }
}
