//! `scriphouse demo`: a whole house in half a minute, on a database that vanishes afterwards.
//!
//! Shape: start the server as `serve` does, play a small market over the public HTTP API ([`market`]), let the schedule net it,
//! download the settlement files, print them, and go on serving. Nothing is done behind the API's back.

mod caller;
mod market;

use super::serve::{Signals, limits, listen};
use super::{CommandError, Context, Database, out_folder};
use crate::access;
use crate::app::App;
use crate::heartbeat;
use crate::http::server;
use crate::routes;
use caller::Caller;
use clap::Args;
use market::Market;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::oneshot;

/// Shows a whole house: onboards vendors, plays a market, lets a scheduled run net it, and prints the settlement files.
///
/// Works on a PostgreSQL of its own that vanishes when the demo ends, so there is nothing to clean up. Afterwards it goes on
/// serving, with the keys that you need to look around, until you press Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End after the settlement files instead of going on serving.
    #[arg(long)]
    once: bool,
    /// Where to put the settlement files.
    #[arg(long, value_name = "DIR", default_value = "settlement-files")]
    out: PathBuf,
    /// Address and port to serve on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// How long the schedule may take to run; it fires every five seconds.
const RUN_WITHIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: &DemoArgs, context: &Context) -> Result<(), CommandError> {
    out_folder::prepare(&args.out, |manifest| manifest["scheme"] == "DEMO")?;
    let listener = listen(args.listen).await?;
    println!("Starting a private PostgreSQL and the server ...");
    let database = Database::throwaway().await?;
    let db = context.connect(&database).await?;
    let signals = Signals::install()?;
    let operator_key = access::create_operator_key(&db, &context.clock, "demo").await?;
    let colleague_key = access::create_operator_key(&db, &context.clock, "demo's second person").await?;
    let app = App::start(db, context.clock.clone(), &context.settings);
    let address = listener.local_addr().map_err(|error| CommandError::fault(error.to_string()))?;
    let base = format!("http://{address}");
    let (stop, stopped) = oneshot::channel::<()>();
    let heartbeat = heartbeat::start(app.clone(), &context.settings).await?;
    let served = tokio::spawn(server::serve(listener, routes::router(&app), limits(&context.settings), async {
        drop(stopped.await);
    }));

    let operator = Caller::new(&base, &operator_key);
    let colleague = operator.with(&colleague_key);
    let outcome = tokio::select! {
        played = play(&operator, &colleague, &args.out) => played.map(Some),
        () = signals.first() => Ok(None),
    };
    let outcome = match outcome {
        Ok(Some(market)) if !args.once => {
            print_credentials(&base, &operator_key, &market);
            Signals::install()?.first().await;
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    // The server may have ended already; then nobody is left to be told.
    stop.send(()).ok();
    served.await.ok();
    heartbeat.stop().await;
    drop(app);
    database.close().await;
    outcome
}

async fn play(operator: &Caller, colleague: &Caller, out: &Path) -> Result<Market, CommandError> {
    let market = Market::open(operator).await?;
    market.play().await?;
    println!("\nA schedule nets what the vendors owe each other, every five seconds:");
    let run = scheduled_run(operator).await?;
    release(operator, colleague, &run).await?;
    let files = download(operator, &run, out).await?;
    for name in ["transfers.csv", "positions.csv"] {
        println!("\n{}", out.join(name).display());
        let text = std::fs::read_to_string(out.join(name)).map_err(|error| CommandError::fault(error.to_string()))?;
        text.lines().for_each(|line| println!("  {line}"));
    }
    println!(
        "\n{files} files in {}: for banks, spreadsheets and bookkeeping, a statement for each vendor, and a manifest with every hash.",
        out.display()
    );
    println!(
        "Owed gross {} {currency}; after netting {} {currency} in {} transfers; saved {} {currency} of payments.",
        text(&run, "gross"),
        text(&run, "total"),
        run["transfer_count"],
        text(&run, "saved"),
        currency = text(&run, "currency"),
    );
    Ok(market)
}

/// The first run that netted something.
async fn scheduled_run(operator: &Caller) -> Result<Value, CommandError> {
    let schedule = json!({"cron": "*/5 * * * * *", "zone": "UTC"});
    let schedule = operator.post("/v1/schemes/DEMO/schedules", schedule).await?;
    let waiting = async {
        loop {
            let runs = operator.get("/v1/schemes/DEMO/runs").await?;
            let netted = runs["items"].as_array().into_iter().flatten().find(|run| run["obligation_count"] != 0);
            if let Some(run) = netted {
                return Ok::<Value, CommandError>(run.clone());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let run = tokio::time::timeout(RUN_WITHIN, waiting).await;
    let run = run.map_err(|_| CommandError::fault("the schedule did not run within thirty seconds"))??;
    let schedule = format!("/v1/schedules/{}", text(&schedule, "id"));
    operator.patch(&schedule, json!({"enabled": false})).await?;
    println!("  run {} for the slot {}: {}", text(&run, "id"), text(&run, "slot"), text(&run, "state"));
    Ok(run)
}

/// Two people let the run be paid.
async fn release(operator: &Caller, colleague: &Caller, run: &Value) -> Result<(), CommandError> {
    let path = format!("/v1/runs/{}", text(run, "id"));
    operator.post(&format!("{path}/propose"), json!({})).await?;
    let seen = colleague.get(&path).await?;
    colleague.post(&format!("{path}/approve"), json!({"output_hash": seen["output_hash"]})).await?;
    let exported = operator.post(&format!("{path}/export"), json!({})).await?;
    println!("  proposed by the operator, approved by a second person: {}", text(&exported, "state"));
    Ok(())
}

/// Downloads every file of the run; answers how many there were.
async fn download(operator: &Caller, run: &Value, out: &Path) -> Result<usize, CommandError> {
    let unwritable = |error: std::io::Error| CommandError::fault(format!("{} cannot be written: {error}", out.display()));
    let path = format!("/v1/runs/{}/files", text(run, "id"));
    let list = operator.get(&path).await?;
    let files = list["items"].as_array().cloned().unwrap_or_default();
    for file in &files {
        let name = text(file, "name");
        let bytes = operator.download(&format!("{path}/{name}")).await?;
        std::fs::write(out.join(name), bytes).map_err(unwritable)?;
    }
    Ok(files.len())
}

fn print_credentials(base: &str, operator_key: &str, market: &Market) {
    let (vendor, vendor_key) = market.sample_vendor();
    let (user, session) = market.sample_user();
    println!("\nThe house stays open at {base} (reference page: {base}/docs). Press Ctrl-C to close it.");
    println!("  operator         {operator_key}");
    println!("  vendor {vendor:<9} {vendor_key}");
    println!("  user {user:<11} {session}");
    println!("Try: curl -s {base}/v1/accounts -H 'Authorization: Bearer {session}'");
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
