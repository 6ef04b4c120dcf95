//! `scriphouse serve`: the house is open until somebody sends SIGINT or SIGTERM.
//!
//! Shape: take the port, open the database, start the app and its heartbeat, serve. After the signal take no new connection, let the
//! requests under way end (or cut them off when their time is over), let the beat under way end, let go of the app, and stop
//! PostgreSQL if it is ours. What still works then, such as a run whose caller has gone, loses its database; a second signal ends the
//! program at once. Both are safe: whatever was acknowledged is committed, and the next start completes a run.

use super::{CommandError, Context, Sharing, say};
use crate::access;
use crate::app::App;
use crate::heartbeat;
use crate::http::server::{self, ServerLimits};
use crate::routes;
use clap::Args;
use ledger::{Clock, Db};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Opens the house: HTTP and the schedules, until SIGINT or SIGTERM.
///
/// The first time it prints the operator's key, which creates schemes and vendors; it is shown only then.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address and port to serve HTTP on, instead of server.listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// The system takes less if its own bound is lower.
const CONNECTIONS_WAITING_MAX: u32 = 4096;

pub(crate) async fn run(args: &ServeArgs, context: &Context) -> Result<(), CommandError> {
    let settings = &context.settings;
    // Before the database, so that a port that is taken is told at once.
    let address = args.listen.unwrap_or(settings.server.listen);
    let listener = if settings.server.http_enabled { Some(listen(address).await?) } else { None };

    let database = context.open(Sharing::Exclusive).await?;
    let db = context.connect(&database).await?;
    let signals = Signals::install()?;
    if settings.database.url.is_none() {
        println!("the data is in {}", context.data_dir()?.display());
    }
    show_first_operator_key(&db, &context.clock).await?;
    let app = App::start(db, context.clock.clone(), settings);
    let heartbeat = heartbeat::start(app.clone(), settings).await?;

    match listener {
        Some(listener) => {
            let address = listener.local_addr().map_err(|error| CommandError::fault(error.to_string()))?;
            say(format!("listening on http://{address}"))?;
            server::serve(listener, routes::router(&app), limits(settings), signals.first()).await;
        }
        None => {
            say("running schedules only: server.http_enabled is false")?;
            signals.first().await;
        }
    }
    heartbeat.stop().await;
    drop(app);
    database.close().await;
    tracing::info!("the house is closed");
    Ok(())
}

/// Takes the port. As many connections as the system allows may wait to be accepted, so that thousands that come at once all get in.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, CommandError> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(CONNECTIONS_WAITING_MAX)
    });
    bound.map_err(|error| CommandError::fault(format!("the address {address} cannot be served: {error}; choose another with --listen")))
}

/// The settings' limits as the accept loop takes them.
pub(crate) fn limits(settings: &scriphouse_config::Settings) -> ServerLimits {
    let server = &settings.server;
    ServerLimits {
        connections_max: server.connections_max,
        header_timeout: Duration::from_millis(server.header_timeout_ms),
        write_timeout: Duration::from_millis(server.write_timeout_ms),
        drain_timeout: Duration::from_millis(server.drain_timeout_ms),
    }
}

/// Without a key nobody could do anything in a new house; with one, who lost it asks for another with `operator-key`.
async fn show_first_operator_key(db: &Db, clock: &Clock) -> Result<(), CommandError> {
    if !access::has_operator_key(db, clock).await? {
        let key = access::create_operator_key(db, clock, "first").await?;
        say(format!("operator key (creates schemes and vendors; shown only now): {key}"))?;
    }
    Ok(())
}

/// SIGINT and SIGTERM.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From here on the signals no longer end the program by themselves.
    pub(crate) fn install() -> Result<Self, CommandError> {
        let listen_for = |kind| signal(kind).map_err(|error| CommandError::fault(format!("signals cannot be received: {error}")));
        Ok(Self { interrupt: listen_for(SignalKind::interrupt())?, terminate: listen_for(SignalKind::terminate())? })
    }

    /// The first signal. A second one, while the house closes, ends the program.
    pub(crate) async fn first(mut self) {
        self.next().await;
        tracing::info!("closing; a second signal ends the program at once");
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(1);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
