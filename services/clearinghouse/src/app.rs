//! The house, put together: every capability with what it stands on. It knows no route: those are in `routes`.

use crate::access::Access;
use crate::accounts::Accounts;
use crate::caps::Caps;
use crate::directory::Directory;
use crate::house::House;
use crate::http::edge;
use crate::issues::Issues;
use crate::postings::Postings;
use crate::rates::Rates;
use crate::schemes::Schemes;
use crate::settlement::Settlement;
use crate::swaps::Swaps;
use crate::swaps::bulk::BulkLimits;
use crate::trades::Trades;
use crate::users::Users;
use crate::vendors::Vendors;
use axum::extract::FromRef;
use ledger::{Clock, Db, Engine, EngineLimits};
use runs::Runs;
use runs::bundles::Bundles;
use runs::defaults::Defaults;
use runs::explanations::{Explanations, OBLIGATIONS_MAX};
use runs::transfers::Transfers;
use scriphouse_config::Settings;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Explanations that are made at once for the operator, and as many for vendors: each on a connection of its own and with some 250 MB at most.
const EXPLANATIONS_MAX: usize = 2;
/// Bundles that are written at once, each on a connection of its own: an auditor takes one now and then.
const BUNDLES_MAX: usize = 2;

/// The running house; clones share it.
#[derive(Debug, Clone)]
pub struct App(Arc<Services>);

/// The services of the house, one per capability.
#[derive(Debug)]
pub struct Services {
    /// The database.
    pub db: Db,
    /// The program's time.
    pub clock: Clock,
    /// Immutable facts of vendors.
    pub directory: Directory,
    /// Keys and sessions.
    pub access: Access,
    /// Vendors.
    pub vendors: Vendors,
    /// Rates and unit values.
    pub rates: Rates,
    /// What vendors may owe.
    pub caps: Caps,
    /// The house itself.
    pub house: House,
    /// Schemes.
    pub schemes: Schemes,
    /// Users.
    pub users: Users,
    /// Accounts.
    pub accounts: Accounts,
    /// Issues.
    pub issues: Issues,
    /// Swaps.
    pub swaps: Swaps,
    /// Trades.
    pub trades: Trades,
    /// Runs and files, as they are asked for.
    pub settlement: Settlement,
    /// Closes windows, nets them, and keeps schedules.
    pub runs: Runs,
    /// Everything that proves a run, for auditors.
    pub bundles: Bundles,
    /// What bulk requests may take, and how many there may be.
    pub bulk: BulkLimits,
    limits: edge::Limits,
}

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

impl App {
    /// Puts the house together on this database and starts its posting engine on the current runtime.
    pub fn start(db: Db, clock: Clock, settings: &Settings) -> Self {
        let Settings { server, engine, access, database: _, scheduler: _ } = settings;
        let limits = EngineLimits { queue_max: engine.queue_max, batch_max: engine.batch_max, writers: engine.writers };
        let engine = Engine::start(&db, clock.clone(), limits);
        let directory = Directory::new(db.clone());
        let runs = Runs::new(db.clone(), clock.clone());
        let defaults = Defaults::new(db.clone(), clock.clone());
        let transfers = Transfers::new(db.clone(), clock.clone());
        let explanations = || Explanations::new(&db, EXPLANATIONS_MAX, OBLIGATIONS_MAX);
        let bundles = Bundles::new(&db, BUNDLES_MAX);
        let postings = Postings::new(db.clone(), engine.clone(), directory.clone());
        let keys = Access::start(db.clone(), clock.clone(), access.session_hours, access.look_ups_max);
        let users = Users::new(db.clone(), clock.clone(), keys.clone(), access.password_hashes_at_once);
        Self(Arc::new(Services {
            vendors: Vendors::new(db.clone(), clock.clone(), directory.clone()),
            schemes: Schemes::new(db.clone(), directory.clone()),
            caps: Caps::new(db.clone(), directory.clone()),
            house: House::new(db.clone()),
            rates: Rates::new(db.clone(), directory.clone()),
            accounts: Accounts::new(db.clone(), directory.clone()),
            issues: Issues::new(postings.clone(), users.clone(), directory.clone()),
            swaps: Swaps::new(db.clone(), postings.clone(), users.clone(), directory.clone()),
            trades: Trades::new(db.clone(), clock.clone(), engine, postings, users.clone(), directory.clone()),
            settlement: Settlement::new(db.clone(), runs.clone(), transfers, defaults, bundles.clone(), explanations(), explanations()),
            runs,
            bundles,
            bulk: BulkLimits::new(server.bulk_lines_max, server.bulk_bytes_max, server.bulk_requests_max),
            limits: edge::Limits {
                requests_max: server.requests_max,
                body_bytes_max: server.body_bytes_max,
                request_timeout: Duration::from_millis(server.request_timeout_ms),
            },
            access: keys,
            users,
            directory,
            db,
            clock,
        }))
    }

    /// How many requests there may be, and what each may take.
    pub fn limits(&self) -> edge::Limits {
        self.limits
    }
}

impl FromRef<App> for Access {
    fn from_ref(app: &App) -> Self {
        app.access.clone()
    }
}
