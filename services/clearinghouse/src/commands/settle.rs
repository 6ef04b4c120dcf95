//! `scriphouse settle SCHEME`: closes the scheme's window and nets it, now, beside a running `serve` or without one.
//!
//! Shape: find the scheme, settle it, print what it came to, write the files. The same slot again prints and writes the same run.

use super::{CommandError, Context, Sharing, out_folder, say};
use crate::directory::Directory;
use crate::schemes::{SchemeRefusal, Schemes};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ledger::{Clock, Db, Failure};
use runs::files;
use runs::{Run, Runs, Settled, Step};
use scrip::Micro;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Closes a scheme's window, nets it, and prints what it comes to.
///
/// What the vendors owe each other becomes transfers; later swaps fall into the next window. Interrupted, it leaves at most a closed
/// window, which the next `settle` or a running `serve` nets.
#[derive(Debug, Args)]
pub(crate) struct SettleArgs {
    /// The scheme's code.
    scheme: String,
    /// Names the run, 1 to 300 characters: the same name again gives the same run. Without it each call is a run of its own.
    #[arg(long)]
    slot: Option<String>,
    /// The folder, made if it is missing, for the run's files, each as it would be downloaded; manifest.json lists them.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object instead: the run's figures as decimal strings, and the seconds that each step took in this process.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &SettleArgs, context: &Context) -> Result<(), CommandError> {
    let database = context.open(Sharing::Existing).await?;
    let db = context.connect(&database).await?;
    let outcome = settle(args, &db, &context.clock).await;
    drop(db);
    database.close().await;
    outcome
}

async fn settle(args: &SettleArgs, db: &Db, clock: &Clock) -> Result<(), CommandError> {
    let scheme = Schemes::new(db.clone(), Directory::new(db.clone())).get(&args.scheme).await.map_err(|failure| match failure {
        Failure::Refused(SchemeRefusal::SchemeNotFound) => CommandError::input(format!("there is no scheme {}", args.scheme)),
        Failure::Fault(fault) => fault.into(),
        Failure::Refused(refusal) => CommandError::input(refusal.to_string()),
    })?;
    // A slot of its own kind, so that no schedule's instant and no caller's key is taken by mistake.
    let slot = format!("command:{}", args.slot.clone().unwrap_or_else(|| clock.now().to_string()));
    if let Some(folder) = &args.out {
        let run = runs::run_id(scheme.id, &slot).to_string();
        out_folder::prepare(folder, |manifest| manifest["run"] == run)?;
    }
    let (bar, stopwatch) = (bar(), Stopwatch::start());
    let progress = |step| {
        stopwatch.enter(step);
        show(&bar, step);
    };
    let settled = Runs::new(db.clone(), clock.clone()).settle(scheme.id, &slot, progress).await?;
    bar.finish_and_clear();
    if args.json {
        say(to_json(&settled, &stopwatch))?;
    } else {
        print(&settled, &stopwatch)?;
    }
    let Some(folder) = &args.out else { return Ok(()) };
    let count = write_files(db, &settled.run, folder).await?;
    if args.json { Ok(()) } else { say(format_args!("files        {count} in {}", folder.display())) }
}

/// The steps of a run, in their order. Carrying includes the commit.
const STEPS: [&str; 7] = ["close", "prove", "seal", "net", "record", "write", "carry"];

/// How long each step took; several windows that are netted in one call add up.
struct Stopwatch {
    watch: Mutex<Watch>,
}

struct Watch {
    entered_at: Instant,
    step: usize,
    took: [Duration; STEPS.len()],
}

impl Stopwatch {
    fn start() -> Self {
        Self { watch: Mutex::new(Watch { entered_at: Instant::now(), step: 0, took: [Duration::ZERO; STEPS.len()] }) }
    }

    fn enter(&self, step: Step) {
        let next = match step {
            Step::Close => 0,
            Step::Prove => 1,
            Step::Seal => 2,
            Step::Net => 3,
            Step::Record => 4,
            Step::Write { .. } => 5,
            Step::Carry | Step::Done => 6,
        };
        let now = Instant::now();
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let Watch { entered_at, step, took } = &mut *watch;
        took[*step] = took[*step].saturating_add(now.saturating_duration_since(*entered_at));
        (*entered_at, *step) = (now, next);
    }

    /// Each step and how long it took, to the millisecond.
    fn seconds(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let took = self.watch.lock().unwrap_or_else(PoisonError::into_inner).took;
        let whole = |took: Duration| Duration::new(took.as_secs(), took.subsec_millis().saturating_mul(1_000_000));
        STEPS.into_iter().zip(took.map(whole))
    }
}

fn to_json(settled: &Settled, stopwatch: &Stopwatch) -> Value {
    let Settled { run, closed_now } = settled;
    let money = |amount: Micro| amount.display_at_least(run.digits).to_string();
    let seconds: serde_json::Map<String, Value> =
        stopwatch.seconds().map(|(step, took)| (step.to_owned(), Value::from(took.as_secs_f64()))).collect();
    json!({
        "run": run.id.to_string(),
        "scheme": run.scheme,
        "slot": run.slot,
        "closed_now": closed_now,
        "strategy": run.strategy.name(),
        "currency": run.currency,
        "obligation_count": run.obligation_count,
        "gross": money(run.gross),
        "bilateral": money(run.bilateral),
        "net": money(run.net),
        "saved": money(run.saved()),
        "transfer_count": run.transfer_count,
        "control_sum": money(run.total),
        "seconds": seconds,
    })
}

/// Draws to standard error, and only if that is a terminal.
pub(super) fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {human_pos}/{human_len}").expect("the template is fixed");
    ProgressBar::new(0).with_style(style)
}

fn show(bar: &ProgressBar, step: Step) {
    let (message, position, length) = match step {
        Step::Close => ("closing the window", 0, 1),
        Step::Prove => ("proving the positions", 0, 1),
        Step::Seal => ("sealing the window", 0, 1),
        Step::Net => ("netting", 0, 1),
        Step::Record => ("recording the run", 0, 1),
        Step::Write { obligations, of } => ("writing files", obligations, of),
        Step::Carry => ("carrying what is left", 0, 1),
        Step::Done => ("done", 1, 1),
    };
    bar.set_message(message);
    bar.set_length(u64::try_from(length).unwrap_or_default());
    bar.set_position(u64::try_from(position).unwrap_or_default());
}

fn print(settled: &Settled, stopwatch: &Stopwatch) -> Result<(), CommandError> {
    let Settled { run, closed_now } = settled;
    let money = |amount: Micro| format!("{} {}", amount.display_at_least(run.digits), run.currency);
    if !closed_now {
        say(format_args!("the slot {} was settled before; this is its run", run.slot))?;
    }
    say(format_args!("run          {}", run.id))?;
    say(format_args!("scheme       {}, slot {}, by {}", run.scheme, run.slot, run.strategy))?;
    say(format_args!("obligations  {}", run.obligation_count))?;
    say(format_args!("gross        {}", money(run.gross)))?;
    say(format_args!("bilateral    {}", money(run.bilateral)))?;
    say(format_args!("net          {}", money(run.net)))?;
    say(format_args!("saved        {}{}", money(run.saved()), percent(run.saved(), run.gross)))?;
    say(format_args!("transfers    {}, moving {}", run.transfer_count, money(run.total)))?;
    let seconds: Vec<String> =
        stopwatch.seconds().map(|(step, took)| format!("{step} {}.{:03}", took.as_secs(), took.subsec_millis())).collect();
    say(format_args!("seconds      {}", seconds.join(", ")))
}

/// Hundredths of a percent, rounded down; of nothing there is no share.
fn percent(part: Micro, whole: Micro) -> String {
    let hundredths = i128::from(part.units()).strict_mul(10_000).checked_div(i128::from(whole.units()));
    hundredths.map(|h| format!(" ({}.{:02} %)", h.strict_div(100), h.strict_rem(100))).unwrap_or_default()
}

/// Each file is as it would be downloaded. Says how many there are.
async fn write_files(db: &Db, run: &Run, folder: &Path) -> Result<u64, CommandError> {
    let unwritten = |path: &Path, error: io::Error| CommandError::fault(format!("{} could not be written: {error}", path.display()));
    let bar = ProgressBar::new_spinner().with_message("copying files");
    let mut connection = db.connection().await?;
    let tx = connection.begin_snapshot().await?;
    let mut pieces = files::read_all(&tx, run.id).await?;
    let mut open: Option<(String, File)> = None;
    let mut count = 0_u64;
    while let Some(batch) = pieces.next(&tx).await? {
        for (name, bytes) in batch {
            let path = folder.join(&name);
            let mut file = match open.take() {
                Some((writing, file)) if writing == name => file,
                Some(_) | None => {
                    count = count.saturating_add(1);
                    File::create(&path).map_err(|error| unwritten(&path, error))?
                }
            };
            file.write_all(&bytes).map_err(|error| unwritten(&path, error))?;
            open = Some((name, file));
        }
        bar.set_position(count);
    }
    bar.finish_and_clear();
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(percent(Micro::new(2), Micro::new(3)), " (66.66 %)");
        assert_eq!(percent(Micro::new(3), Micro::new(3)), " (100.00 %)");
        assert_eq!(percent(Micro::ZERO, Micro::ZERO), "");
    }
}
