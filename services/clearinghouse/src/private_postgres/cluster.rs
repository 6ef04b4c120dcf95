//! A data directory: what lies where in it, how it is made the first time, and what a running server says about itself.

use super::Error;
use super::binaries::Binaries;
use super::identity::Identity;
use super::tuning;
use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Written anew at every start, so that a newer program brings its settings along.
const POSTGRESQL_CONF: &str = include_str!("postgresql.conf");
/// Only part of the socket's name; no port is opened.
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// The system's limit for a socket's path is 107 bytes on Linux and 103 on macOS.
const SOCKET_PATH_MAX: usize = 103;
/// Above this the log is put aside at the next start.
const LOG_BYTES_MAX: u64 = 16 << 20;

/// A data directory.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) data_dir: PathBuf,
    pub(super) identity: Identity,
}

impl Cluster {
    /// The database's own files; of its user alone.
    pub(super) fn pgdata(&self) -> PathBuf {
        self.data_dir.join("pgdata")
    }

    /// PostgreSQL's log.
    pub(super) fn log(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }

    /// The lock: who holds it owns the server.
    pub(super) fn lock(&self) -> PathBuf {
        self.data_dir.join("lock")
    }

    fn password_file(&self) -> PathBuf {
        self.data_dir.join("password")
    }

    fn socket_dir(&self) -> PathBuf {
        self.data_dir.join("socket")
    }

    /// Makes the data directory if it is missing. Its user must be able to pass through it, not to read it.
    pub(super) fn create_data_dir(data_dir: &Path) -> Result<PathBuf, Error> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o711).create(data_dir).map_err(Error::at(data_dir))?;
        data_dir.canonicalize().map_err(Error::at(data_dir))
    }

    /// The major version of PostgreSQL that made the cluster; nothing where there is none yet.
    pub(super) fn major(&self) -> Result<Option<u32>, Error> {
        let path = self.pgdata().join("PG_VERSION");
        match std::fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| Error::NotACluster { path: self.pgdata() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::at(&path)(error)),
        }
    }

    /// Makes the cluster if it is missing: in a folder beside its place, so that an interrupted attempt leaves nothing half made.
    pub(super) fn create(&self, binaries: &Binaries, throwaway: bool) -> Result<(), Error> {
        if self.major()?.is_some() {
            return Ok(());
        }
        let unfinished = self.data_dir.join("pgdata.unfinished");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).map_err(Error::at(&unfinished))?;
        }
        self.create_private_dir(&unfinished)?;
        // initdb reads the password as its own user, who may not read ours.
        let password_file = unfinished.with_file_name("password.initdb");
        self.write_private(&password_file, &self.create_password()?)?;

        let mut initdb = self.identity.command(&binaries.program("initdb"));
        initdb.args(["--username=scriphouse_admin", "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]);
        // Byte order is the same on every machine and for ever; where order matters to a person the query says which.
        initdb.args(["--locale=C", if has_c_utf8() { "--lc-ctype=C.UTF-8" } else { "--lc-ctype=C" }]);
        initdb.arg(format!("--pwfile={}", password_file.display())).arg(format!("--pgdata={}", unfinished.display()));
        if throwaway {
            initdb.arg("--no-sync");
        }
        let output = initdb.stdin(Stdio::null()).output().map_err(Error::at(&binaries.program("initdb")))?;
        std::fs::remove_file(&password_file).map_err(Error::at(&password_file))?;
        if !output.status.success() {
            return Err(Error::InitdbFailed { said: last_line(&String::from_utf8_lossy(&output.stderr)) });
        }
        std::fs::rename(&unfinished, self.pgdata()).map_err(Error::at(&self.pgdata()))?;
        File::open(&self.data_dir).and_then(|folder| folder.sync_all()).map_err(Error::at(&self.data_dir))
    }

    /// Writes the settings of this program's version for this machine.
    pub(super) fn write_conf(&self, binaries: &Binaries) -> Result<(), Error> {
        let path = self.pgdata().join("postgresql.conf");
        // Once without them, so that PostgreSQL can be asked what it takes.
        self.write_private(&path, POSTGRESQL_CONF)?;
        let of_this_machine = tuning::settings(binaries, &self.identity, &self.pgdata());
        self.write_private(&path, &[POSTGRESQL_CONF, &of_this_machine].concat())
    }

    /// The folder of the socket: `socket/`, or a short one under the temporary folder where that path would be too long.
    /// The second value says whether it must be removed again.
    pub(super) fn create_socket_dir(&self) -> Result<(PathBuf, bool), Error> {
        let usual = self.socket_dir();
        // A comma would part two hosts in a connection's text.
        if usual.join(SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_MAX && !usual.display().to_string().contains(',') {
            if !usual.exists() {
                self.create_private_dir(&usual)?;
            }
            return Ok((usual, false));
        }
        // A new, unguessable name: `create` fails on a folder that somebody else has put there.
        let short = std::env::temp_dir().join(format!("scriphouse-{}", random_hex(8)?));
        if short.join(SOCKET_NAME).as_os_str().len() > SOCKET_PATH_MAX {
            return Err(Error::SocketPathTooLong { path: short });
        }
        self.create_private_dir(&short)?;
        Ok((short, true))
    }

    /// Keeps the log from growing for ever; the previous part stays readable.
    pub(super) fn rotate_log(&self) -> Result<(), Error> {
        let log = self.log();
        match log.metadata() {
            Ok(metadata) if metadata.len() > LOG_BYTES_MAX => std::fs::rename(&log, log.with_extension("log.1")).map_err(Error::at(&log)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Stops a server that an earlier program left behind and that still ends. It answers on our private socket, so it is surely
    /// ours: a number in an old postmaster.pid alone might by now be anybody's process.
    pub(super) fn stop_leftover(&self, binaries: &Binaries) -> Result<(), Error> {
        let Some(running) = self.running() else { return Ok(()) };
        if UnixStream::connect(running.socket_dir.join(SOCKET_NAME)).is_err() {
            return Ok(());
        }
        tracing::info!(postmaster = running.postmaster, "stopping the PostgreSQL of an earlier run");
        let mut pg_ctl = self.identity.command(&binaries.program("pg_ctl"));
        pg_ctl.args(["stop", "--mode=fast", "--wait", "--silent", "--pgdata"]).arg(self.pgdata());
        let output = pg_ctl.stdin(Stdio::null()).output().map_err(Error::at(&binaries.program("pg_ctl")))?;
        // It may have been about to end by itself.
        if output.status.success() || self.running().is_none() {
            Ok(())
        } else {
            Err(Error::LeftoverRuns { postmaster: running.postmaster })
        }
    }

    /// What the newest postmaster.pid says; it may be the one of a server that was killed.
    pub(super) fn running(&self) -> Option<Running> {
        let text = std::fs::read_to_string(self.pgdata().join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let postmaster = lines.next()?.trim().parse().ok()?;
        let socket_dir = PathBuf::from(lines.nth(3)?);
        let ready = lines.nth(2).is_some_and(|status| status.trim() == "ready");
        Some(Running { postmaster, socket_dir, ready })
    }

    /// The password of the administrator and of the server; made with the cluster.
    pub(super) fn password(&self) -> Result<String, Error> {
        let path = self.password_file();
        std::fs::read_to_string(&path).map(|text| text.trim().to_owned()).map_err(Error::at(&path))
    }

    fn create_password(&self) -> Result<String, Error> {
        if self.password_file().exists() {
            return self.password();
        }
        let password = random_hex(32)?;
        let path = self.password_file();
        let mut options = File::options();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(Error::at(&path))?;
        file.write_all(password.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::at(&path))?;
        Ok(password)
    }

    fn create_private_dir(&self, path: &Path) -> Result<(), Error> {
        DirBuilder::new().mode(0o700).create(path).map_err(Error::at(path))?;
        self.identity.own(path)
    }

    /// Replaces a file with one that only the database's user reads.
    fn write_private(&self, path: &Path, text: &str) -> Result<(), Error> {
        let new = path.with_extension("new");
        if new.exists() {
            std::fs::remove_file(&new).map_err(Error::at(&new))?;
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&new).map_err(Error::at(&new))?;
        file.write_all(text.as_bytes()).map_err(Error::at(&new))?;
        self.identity.own(&new)?;
        std::fs::rename(&new, path).map_err(Error::at(path))
    }
}

/// What a server tells about itself in postmaster.pid.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) postmaster: u32,
    pub(super) socket_dir: PathBuf,
    pub(super) ready: bool,
}

fn has_c_utf8() -> bool {
    let names = Command::new("locale").arg("-a").output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&names).lines().any(|name| matches!(name, "C.utf8" | "C.UTF-8"))
}

pub(super) fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|_| Error::NoRandomness)?;
    Ok(hex::encode(random))
}

/// PostgreSQL ends its explanations with the line that matters.
pub(super) fn last_line(text: &str) -> String {
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("nothing").trim().to_owned()
}
