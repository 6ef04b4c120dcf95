//! One PostgreSQL for the whole test process, and a database of its own for each test.
//!
//! Shape: the first test starts a throwaway PostgreSQL, whose migrated database is the template; every test clones it. Nothing
//! connects to the template itself, or it could not be cloned. Server and files vanish with the process, however that ends.

use clearinghouse::private_postgres::{Logins, PrivatePostgres};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Mutex;

/// Free space, in KiB, that makes memory the better place. All tests together stay far below it.
const MEMORY_KIB_MIN: u64 = 4 << 20;

/// Clones one at a time: two that copy at once only take the disk from each other.
static CLUSTER: LazyLock<Mutex<Cluster>> = LazyLock::new(|| Mutex::new(Cluster::start()));
static NEXT_NUMBER: AtomicU32 = AtomicU32::new(1);

/// A database of one test.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    /// The server's login, as `scriphouse serve` uses it.
    pub(crate) server_url: String,
    /// The superuser's, to look and meddle from outside.
    pub(crate) admin_url: String,
    pub(crate) name: String,
}

/// A database that nobody has used.
pub(crate) async fn fresh_database() -> TestDatabase {
    clone_of("scriphouse").await
}

/// A database that was never migrated, as `CREATE DATABASE` makes it.
pub(crate) async fn unmigrated_database() -> TestDatabase {
    clone_of("template0").await
}

async fn clone_of(template: &str) -> TestDatabase {
    // The first test starts PostgreSQL, which blocks; the others wait for it in the same place.
    let cluster = tokio::task::spawn_blocking(|| &*CLUSTER).await.expect("PostgreSQL starts");
    let name = format!("test_{}", NEXT_NUMBER.fetch_add(1, Ordering::Relaxed));
    let cluster = cluster.lock().await;
    let strategy = cluster.strategy;
    on_postgres(cluster.postgres.logins(), &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY {strategy}")).await;
    let Logins { server_url, admin_url } = cluster.postgres.logins().in_database(&name);
    TestDatabase { server_url, admin_url, name }
}

impl TestDatabase {
    /// A copy of it as it is now. Ends whatever connections it has, because a database in use cannot be cloned; pools make new ones.
    pub(crate) async fn copy(&self) -> TestDatabase {
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        on_postgres(CLUSTER.lock().await.postgres.logins(), &end).await;
        clone_of(&self.name).await
    }

    /// Writes to the database directly, as its administrator.
    pub(crate) async fn db_admin(&self) -> tokio_postgres::Client {
        let (client, connection) =
            tokio_postgres::connect(&self.admin_url, tokio_postgres::NoTls).await.expect("the administrator connects");
        tokio::spawn(connection);
        client
    }

    /// Removes the database, whoever is still connected to it. One that a failed test leaves behind goes with the cluster.
    pub(crate) async fn drop(self) {
        let cluster = CLUSTER.lock().await;
        on_postgres(cluster.postgres.logins(), &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

/// The tests' PostgreSQL.
#[derive(Debug)]
struct Cluster {
    postgres: PrivatePostgres,
    /// How databases are cloned.
    strategy: &'static str,
}

impl Cluster {
    /// In memory where there is room, else in the temporary folder. A clone took 13 ms as a copy of files and 80 ms through the log
    /// in memory, and 320 ms and 240 ms on a disk, where a copy of files waits for two checkpoints.
    fn start() -> Self {
        let memory = Path::new("/dev/shm");
        let (parent, strategy) =
            if free_kib(memory) >= MEMORY_KIB_MIN { (memory.to_owned(), "file_copy") } else { (std::env::temp_dir(), "wal_log") };
        Self { postgres: start_in(parent), strategy }
    }
}

/// Starts PostgreSQL in a runtime of its own: the one of the first test ends with that test.
fn start_in(parent: PathBuf) -> PrivatePostgres {
    let starting = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(PrivatePostgres::start_throwaway_in(&parent)).unwrap_or_else(|error| panic!("{error}"))
    });
    starting.join().expect("PostgreSQL starts")
}

/// Free space in KiB; none where there is no such folder.
fn free_kib(folder: &Path) -> u64 {
    let output = Command::new("df").arg("-Pk").arg(folder).output().map(|output| output.stdout).unwrap_or_default();
    let fields = String::from_utf8_lossy(&output).lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    fields.unwrap_or_default()
}

/// Runs a statement beside the tests' databases. Databases are made outside any tx.
async fn on_postgres(logins: &Logins, statement: &str) {
    let url = logins.in_database("postgres").admin_url;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("the administrator connects");
    let connection = tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    drop(client);
    connection.await.expect("the connection's task ends").expect("the connection ends well");
}
