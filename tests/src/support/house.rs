//! A running house for one test: its own database, a server on a real port, a clock that the test can move.

use super::cluster::{self, TestDatabase};
use super::{Client, Operator, User};
use clearinghouse::app::App;
use clearinghouse::http::server::{self, ServerLimits};
use ledger::{Clock, Db};
use scriphouse_config::Settings;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// One test's house.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    pub(crate) db: Db,
    pub(crate) database: TestDatabase,
    pub(crate) operator: Operator,
    pub(crate) base: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

/// Runs a test in a house of its own, then proves that its books are right.
pub(crate) fn audit(test: impl AsyncFnOnce(&House)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let house = House::open(cluster::fresh_database().await).await;
        test(&house).await;
        house.close().await;
    });
}

impl House {
    async fn open(database: TestDatabase) -> Self {
        let db = Db::connect(&database.server_url, 8).await.expect("the test database is fit to work on");
        let clock = Clock::manual(Clock::system().now());
        let app = App::start(db.clone(), clock.clone(), &defaults());
        let (base, stop, served) = serve(&app).await;
        let key = clearinghouse::access::create_operator_key(&db, &clock, "test").await.expect("a key is made");
        let operator = Operator { client: Client::new(&base).with(&key) };
        Self { app, clock, db, database, operator, base, stop, served }
    }

    /// Registers a user and signs in.
    pub(crate) async fn user(&self, handle: &str) -> User {
        let client = Client::new(&self.base);
        let password = format!("correct horse {handle}");
        client.post("/v1/users", json!({"handle": handle, "password": password})).await.created();
        let session = client.post("/v1/sessions", json!({"handle": handle, "password": password})).await.created();
        let session = session["token"].as_str().expect("a session has a token").to_owned();
        User { client: client.with(&session), handle: handle.to_owned(), session }
    }

    /// A second person at the operator's, with a key of their own.
    pub(crate) async fn second_operator(&self) -> Operator {
        let key = clearinghouse::access::create_operator_key(&self.db, &self.clock, "second").await.expect("a key is made");
        Operator { client: Client::new(&self.base).with(&key) }
    }

    /// Takes a run that was just computed through a second person to its export.
    pub(crate) async fn export(&self, run: &Value) -> Value {
        self.operator.step(run, "propose", json!({})).await.ok();
        self.second_operator().await.approve(run).await.ok();
        self.operator.step(run, "export", json!({})).await.ok()
    }

    /// Exports the run, and has all its transfers received.
    pub(crate) async fn pay(&self, run: &Value) {
        self.export(run).await;
        for number in 1..=run["transfer_count"].as_i64().expect("a run counts its transfers") {
            let received = json!({"to": "received", "reason": "seen on the account"});
            self.operator.mark(run, number, received).await.created();
        }
        let state = self.operator.client.get(&format!("/v1/runs/{}", run["id"].as_str().expect("a run has an id"))).await.ok();
        assert_eq!(state["state"], "settled");
    }

    /// The day so many days after the house's own, as banks write it.
    pub(crate) fn day(&self, days: i64) -> String {
        let at = self.clock.now() + jiff::SignedDuration::from_hours(24 * days);
        at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
    }

    /// A caller without a credential.
    pub(crate) fn nobody(&self) -> Client {
        Client::new(&self.base)
    }

    /// What a second process would have: a pool and an engine of its own on the same database.
    pub(crate) async fn second_app(&self, settings: &Settings) -> App {
        let db = Db::connect(&self.database.server_url, 8).await.expect("the test database is fit to work on");
        App::start(db, self.clock.clone(), settings)
    }

    /// A second server process on the same database.
    pub(crate) async fn second_server(&self) -> String {
        self.second_server_with(&defaults()).await
    }

    /// The same with other settings.
    pub(crate) async fn second_server_with(&self, settings: &Settings) -> String {
        let (base, stop, served) = serve(&self.second_app(settings).await).await;
        // Serves until the test's runtime ends.
        std::mem::forget((stop, served));
        base
    }

    /// Every proof that does not hold, as text.
    pub(crate) async fn violations(&self) -> Vec<String> {
        let proofs = clearinghouse::verify::verify(&self.db).await.expect("the proofs run").proofs;
        assert!(!proofs.is_empty(), "there are proofs");
        proofs.iter().filter(|p| !p.holds()).map(|p| format!("{}: {:?}", p.name, p.violations)).collect()
    }

    async fn close(self) {
        assert_eq!(self.violations().await, Vec::<String>::new(), "the books are right when the test ends");
        self.stop.send(()).expect("the server still runs");
        self.served.await.expect("the server ends well");
        drop((self.app, self.db));
        self.database.drop().await;
    }

    /// Writes to the database directly, as its administrator.
    pub(crate) async fn db_admin(&self) -> tokio_postgres::Client {
        self.database.db_admin().await
    }

    /// One number from the database.
    pub(crate) async fn db_count(&self, sql: &str) -> i64 {
        self.db_admin().await.query_one(sql, &[]).await.expect("the count is read").get(0)
    }
}

/// The settings when nobody says otherwise.
pub(crate) fn defaults() -> Settings {
    Settings::load(None).expect("the defaults are good")
}

async fn serve(app: &App) -> (String, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let base = format!("http://{}", listener.local_addr().expect("it has an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let seconds = Duration::from_secs;
    let limits = ServerLimits { connections_max: 256, header_timeout: seconds(15), write_timeout: seconds(15), drain_timeout: seconds(5) };
    let router = clearinghouse::routes::router(app);
    let served = tokio::spawn(async move {
        server::serve(listener, router, limits, async {
            drop(stopped.await);
        })
        .await;
    });
    (base, stop, served)
}
