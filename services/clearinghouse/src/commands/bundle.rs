//! `scriphouse bundle RUN --out FILE`: everything that proves a run, in one archive, beside a running `serve` or without one.

use super::{CommandError, Context, Sharing, say};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ledger::Db;
use runs::bundles::{Broken, Bundle, Bundles};
use scrip::RunId;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Writes everything that proves a run into one archive: its windows, obligations, swaps, transfers, steps and files.
///
/// `scriphouse verify --bundle FILE` proves it, without the database. The same run gives the same bytes as long as nothing becomes of it;
/// a step that it takes changes them.
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    /// The run's id.
    run: Uuid,
    /// The archive, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) async fn run(args: &BundleArgs, context: &Context) -> Result<(), CommandError> {
    if args.out.exists() {
        return Err(CommandError::input(format!("{} is there already; choose another name for --out", args.out.display())));
    }
    let database = context.open(Sharing::Existing).await?;
    let db = context.connect(&database).await?;
    let outcome = write(args, &db).await;
    drop(db);
    database.close().await;
    outcome
}

async fn write(args: &BundleArgs, db: &Db) -> Result<(), CommandError> {
    let bundle = Bundles::new(db, 1).open(RunId::new(args.run)).await?;
    let file = File::create_new(&args.out).map_err(|error| unwritten(&args.out, &error))?;
    match copy(bundle, file, &args.out).await {
        Ok(bytes) => say(format_args!("{bytes} bytes in {}", args.out.display())),
        Err(error) => {
            // Half a bundle proves nothing. If it cannot be removed, it still has no end, and is not taken for whole.
            let _ = fs::remove_file(&args.out);
            Err(error)
        }
    }
}

/// Says how many bytes there are.
async fn copy(mut bundle: Bundle, file: File, path: &Path) -> Result<u64, CommandError> {
    let style = ProgressStyle::with_template("{msg} {bytes} {bytes_per_sec}").expect("the template is fixed");
    let bar = ProgressBar::new_spinner().with_style(style).with_message("writing the bundle");
    let mut file = BufWriter::new(file);
    while let Some(chunk) = bundle.next().await.map_err(broken)? {
        file.write_all(&chunk).map_err(|error| unwritten(path, &error))?;
        bar.inc(u64::try_from(chunk.len()).unwrap_or_default());
    }
    file.flush().map_err(|error| unwritten(path, &error))?;
    bar.finish_and_clear();
    Ok(bar.position())
}

fn broken(broken: Broken) -> CommandError {
    match broken {
        Broken::Fault(fault) => fault.into(),
        Broken::TooLarge { .. } | Broken::TooSlow | Broken::Left | Broken::Bug => CommandError::fault(broken.to_string()),
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::fault(format!("{} could not be written: {error}", path.display()))
}
