//! A PostgreSQL of the program's own: made from the installed binaries, reachable by nobody else, gone when the program is gone.
//!
//! Shape: take the lock of the data directory -> find the binaries ([`binaries`]) and as whom they run ([`identity`]) -> stop what a
//! killed program left behind -> make the cluster if it is missing ([`cluster`]) -> start it on a leash ([`leash`]) -> migrate
//! ([`store`]) -> watch it in a thread: if PostgreSQL ends by itself it is started again and recovers; the pool reconnects.
//! It never opens a port, never turns fsync off, never runs as root, never signals a process that it has not proven to be its own,
//! and never touches a PostgreSQL that the machine runs already.

mod binaries;
mod cluster;
mod error;
mod identity;
mod leash;
mod store;
mod tuning;

pub use error::Error;
pub use store::STATEMENTS;
pub(crate) use store::{connect, set_server_password};

use binaries::Binaries;
use cluster::Cluster;
use identity::Identity;
use leash::{Ending, Leash, LeashPlan};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the supervisor looks whether PostgreSQL still runs.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);
/// How long it waits after starting PostgreSQL again, so that one that cannot start does not fill the log.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// How often the start is tried while processes of a killed server still end; each try is [`RESTART_PAUSE`] after the last.
const START_TRIES_MAX: u32 = 30;
/// How long another program may take from taking the lock to serving.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(60);

/// How the two logins reach the database, as key=value text that tokio-postgres and psql read.
#[derive(Clone, PartialEq, Eq)]
pub struct Logins {
    /// The server's: no rights of its own.
    pub server_url: String,
    /// The superuser's: migrations, and databases for tests.
    pub admin_url: String,
}

impl Logins {
    /// The same logins, in another database of the cluster.
    #[must_use]
    pub fn in_database(&self, name: &str) -> Self {
        let elsewhere = |url: &str| url.replace(&format!("dbname={}", store::DATABASE), &format!("dbname={name}"));
        Self { server_url: elsewhere(&self.server_url), admin_url: elsewhere(&self.admin_url) }
    }

    fn new(socket_dir: &Path, password: &str) -> Self {
        let host = socket_dir.display().to_string().replace('\\', r"\\").replace('\'', r"\'");
        let url = |user: &str| format!("host='{host}' user={user} password={password} dbname={}", store::DATABASE);
        Self { server_url: url("scriphouse_server"), admin_url: url("scriphouse_admin") }
    }
}

/// They hold the password.
impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logins(hidden)")
    }
}

/// Whether a cluster has been made in this data directory.
pub fn exists(data_dir: &Path) -> bool {
    data_dir.join("pgdata").join("PG_VERSION").exists()
}

/// A running private PostgreSQL, migrated. Dropping it stops it, and waits until it has stopped.
#[derive(Debug)]
pub struct PrivatePostgres {
    logins: Logins,
    binaries: Binaries,
    migrations_run: usize,
    watcher: Option<(Sender<()>, JoinHandle<()>)>,
    /// Held until after PostgreSQL has stopped: fields are dropped after `drop`.
    _lock: File,
}

impl PrivatePostgres {
    /// Starts the PostgreSQL of this data directory, which is made if it is missing.
    ///
    /// # Errors
    /// [`Error::Busy`] when another program owns it; each other error is one sentence that says what to do.
    pub async fn start(data_dir: &Path) -> Result<Self, Error> {
        let data_dir = std::path::absolute(data_dir).map_err(Error::at(data_dir))?;
        Self::open(move || Server::new(&data_dir, false)).await
    }

    /// Starts one in a new temporary folder; server and folder vanish with the program.
    pub async fn start_throwaway() -> Result<Self, Error> {
        Self::start_throwaway_in(&std::env::temp_dir()).await
    }

    /// The same in a new folder below `parent`, which everybody may enter: one in memory makes fsync, which stays on, cost nothing.
    pub async fn start_throwaway_in(parent: &Path) -> Result<Self, Error> {
        let data_dir = parent.join(format!("scriphouse-{}", cluster::random_hex(8)?));
        Self::open(move || Server::new(&data_dir, true)).await
    }

    async fn open(server: impl FnOnce() -> Result<(Server, File), Error> + Send + 'static) -> Result<Self, Error> {
        let started = tokio::task::spawn_blocking(move || {
            let (server, lock) = server()?;
            Self::launch(server, lock)
        });
        let mut private = started.await.map_err(|error| Error::Interrupted(error.to_string()))??;
        private.migrations_run = store::prepare(&private.logins).await?;
        Ok(private)
    }

    fn launch(server: Server, lock: File) -> Result<Self, Error> {
        let leash = server.start_until_ready()?;
        let logins = Logins::new(&server.socket_dir, &server.cluster.password()?);
        let (stop, stopped) = channel();
        let binaries = server.binaries.clone();
        let thread = std::thread::Builder::new().name("private-postgres".to_owned());
        let thread = thread.spawn(move || server.watch(leash, &stopped)).map_err(Error::at(Path::new("a thread")))?;
        Ok(Self { logins, binaries, migrations_run: 0, watcher: Some((stop, thread)), _lock: lock })
    }

    /// The logins of a server that another program runs on this data directory, or [`Error::NotServed`] if none does in time.
    pub async fn attach(data_dir: &Path) -> Result<Logins, Error> {
        let cluster = Cluster { data_dir: data_dir.to_owned(), identity: Identity::Current };
        let started_at = Instant::now();
        loop {
            if let Some(running) = cluster.running().filter(|running| running.ready) {
                let logins = Logins::new(&running.socket_dir, &cluster.password()?);
                // The server's login gets its password after the migrations, so then they are done.
                if store::connect(&logins.server_url).await.is_ok() {
                    return Ok(logins);
                }
            }
            if started_at.elapsed() > ATTACH_TIMEOUT {
                return Err(Error::NotServed { data_dir: data_dir.to_owned() });
            }
            tokio::time::sleep(WATCH_INTERVAL).await;
        }
    }

    /// How to reach it.
    pub fn logins(&self) -> &Logins {
        &self.logins
    }

    /// Another program of the same installation, such as `pgbench`; it may be missing.
    pub fn program(&self, name: &str) -> PathBuf {
        self.binaries.optional_program(name)
    }

    /// How many migrations ran at this start.
    pub fn migrations_run(&self) -> usize {
        self.migrations_run
    }

    /// Stops it and waits until it has stopped, without holding up other tasks.
    pub async fn stop(self) {
        // A panic in there has been logged; the pipe is closed either way.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.watcher.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// Where data is kept when nobody says otherwise.
pub fn default_data_dir() -> Result<PathBuf, Error> {
    if identity::is_root() {
        return Ok(PathBuf::from("/var/lib/scriphouse"));
    }
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let share = variable("XDG_DATA_HOME").or_else(|| Some(variable("HOME")?.join(".local/share")));
    Ok(share.ok_or(Error::NoDataDir)?.join("scriphouse"))
}

/// What it takes to start the server, any number of times.
struct Server {
    cluster: Cluster,
    binaries: Binaries,
    socket_dir: PathBuf,
    plan: LeashPlan,
}

impl Server {
    fn new(data_dir: &Path, throwaway: bool) -> Result<(Self, File), Error> {
        let identity = Identity::choose(&data_dir.join("pgdata"))?;
        identity.check_path(data_dir)?;
        let cluster = Cluster { data_dir: Cluster::create_data_dir(data_dir)?, identity };
        let lock = take_lock(&cluster)?;
        if throwaway {
            // The leash removes it in the end, as the database's user.
            cluster.identity.own(&cluster.data_dir)?;
        }

        let binaries = Binaries::find(cluster.major()?)?;
        cluster.stop_leftover(&binaries)?;
        cluster.create(&binaries, throwaway)?;
        cluster.rotate_log()?;
        let (socket_dir, short_lived) = cluster.create_socket_dir()?;

        let plan = LeashPlan {
            identity: cluster.identity.clone(),
            postgres: binaries.program("postgres"),
            arguments: vec!["-D".to_owned(), cluster.pgdata().display().to_string(), "-k".to_owned(), socket_dir.display().to_string()],
            log: cluster.log(),
            ending: if throwaway { Ending::Immediate } else { Ending::Fast },
            remove: [throwaway.then(|| cluster.data_dir.clone()), short_lived.then(|| socket_dir.clone())],
        };
        Ok((Self { cluster, binaries, socket_dir, plan }, lock))
    }

    /// The first start: waits until PostgreSQL answers, through a recovery if need be. Parts of a killed server may still be
    /// ending; they hold the old lock file, so while that is there a failed start is tried again.
    fn start_until_ready(&self) -> Result<Leash, Error> {
        let mut tries = 0_u32;
        loop {
            let mut leash = self.start()?;
            if self.await_ready(&mut leash)? {
                return Ok(leash);
            }
            tries = tries.saturating_add(1);
            if self.cluster.running().is_none() || tries >= START_TRIES_MAX {
                return Err(Error::start_failed(&self.cluster.log()));
            }
            std::thread::sleep(RESTART_PAUSE);
        }
    }

    fn start(&self) -> Result<Leash, Error> {
        self.cluster.stop_leftover(&self.binaries)?;
        self.cluster.write_conf(&self.binaries)?;
        self.plan.start()
    }

    /// False when PostgreSQL ended instead. As long as it lives it is waited for: a long recovery is no failure.
    fn await_ready(&self, leash: &mut Leash) -> Result<bool, Error> {
        let started_at = Instant::now();
        let mut told = false;
        loop {
            if self.cluster.running().is_some_and(|running| running.ready && running.postmaster == leash.postmaster) {
                return Ok(true);
            }
            if leash.shell.try_wait().map_err(Error::at(&self.plan.postgres))?.is_some() {
                return Ok(false);
            }
            if !told && started_at.elapsed() > Duration::from_secs(5) {
                told = true;
                tracing::info!(log = %self.plan.log.display(), "waiting for PostgreSQL, which is recovering");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts PostgreSQL again whenever it ends, until the program lets go of `stopped`'s other end; then stops it.
    fn watch(self, mut leash: Leash, stopped: &Receiver<()>) {
        let mut pause = WATCH_INTERVAL;
        while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            pause = WATCH_INTERVAL;
            if let Ok(Some(status)) = leash.shell.try_wait() {
                pause = RESTART_PAUSE;
                tracing::warn!(%status, "PostgreSQL ended by itself; starting it again");
                match self.start() {
                    Ok(started) => leash = started,
                    Err(error) => tracing::error!(%error, "PostgreSQL did not start again; trying once more"),
                }
            }
        }
        let Leash { mut shell, pipe, .. } = leash;
        drop(pipe);
        if let Err(error) = shell.wait() {
            tracing::error!(%error, "waiting for PostgreSQL to stop failed");
        }
    }
}

fn take_lock(cluster: &Cluster) -> Result<File, Error> {
    let path = cluster.lock();
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(Error::at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { data_dir: cluster.data_dir.clone() }),
        Err(TryLockError::Error(error)) => Err(Error::at(&path)(error)),
    }
}
