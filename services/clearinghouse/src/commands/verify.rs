//! `scriphouse verify`: are the books right? Every proof, and what breaks it. With `--bundle`, of one run and without a database.

use super::{CommandError, Context, Sharing, say};
use crate::verify::{self, Verified};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ledger::proofs::{Extent, Proof};
use runs::bundles::{self, Checked, NotProven, WindowSeal};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Proves that the books are right: recomputes every balance, chain, position, seal and file from what is stored.
///
/// Read-only, and works beside a running `serve`. With --bundle it proves one run from its archive alone, without any database. Exit code 0:
/// every rule holds; 1: one is broken, and what breaks it is listed; 2: the file is no bundle.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Proves this archive of a run instead, as `scriphouse bundle` or GET /v1/runs/{id}/bundle wrote it.
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    /// Print one JSON object instead: {"holds": bool, "checked": {..}, "proofs": [{"name", "holds", "violations"}]}.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &VerifyArgs, context: &Context) -> Result<(), CommandError> {
    let database = context.open(Sharing::Existing).await?;
    let db = context.connect(&database).await?;
    let Verified { proofs, extent } = verify::verify(&db).await?;
    drop(db);
    database.close().await;

    if args.json {
        say(to_json(&proofs, &extent))?;
    } else {
        let Extent { accounts, entries, swaps, obligations, windows, runs } = extent;
        say(format_args!(
            "checked {accounts} accounts, {entries} entries, {swaps} swaps, {obligations} obligations, {windows} windows, {runs} runs"
        ))?;
        print(&proofs)?;
    }
    judge(&proofs)
}

/// Proves an archive.
pub(crate) fn run_on_bundle(args: &VerifyArgs, path: &Path) -> Result<(), CommandError> {
    let file = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (bytes, file) = file.map_err(|error| CommandError::input(format!("{} could not be opened: {error}", path.display())))?;
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}").expect("the template is fixed");
    let bar = ProgressBar::new(bytes).with_style(style).with_message("proving");
    let verified = bundles::verify(BufReader::new(bar.wrap_read(file))).map_err(|error| match error {
        NotProven::NoBundle => CommandError::input(format!("{}: {error}", path.display())),
        NotProven::Unread(_) => CommandError::fault(format!("{}: {error}", path.display())),
    })?;
    bar.finish_and_clear();
    let bundles::Verified { proofs, checked } = verified;
    if args.json {
        say(to_json(&proofs, &checked))?;
    } else {
        let Checked { run, scheme, number, state, obligations, swaps, files, windows, .. } = &checked;
        let windows = windows.len();
        say(format_args!(
            "checked run {run}, number {number} of {scheme}, {state}: {windows} windows, {obligations} obligations, {swaps} swaps, {files} files"
        ))?;
        print(&proofs)?;
        print_to_compare(&checked)?;
    }
    judge(&proofs)
}

fn to_json(proofs: &[Proof], checked: &impl serde::Serialize) -> serde_json::Value {
    let list: Vec<_> = proofs.iter().map(|p| serde_json::json!({"name": p.name, "holds": p.holds(), "violations": p.violations})).collect();
    serde_json::json!({"holds": proofs.iter().all(Proof::holds), "checked": checked, "proofs": list})
}

fn print(proofs: &[Proof]) -> Result<(), CommandError> {
    for proof in proofs {
        say(format!("{}  {}", if proof.holds() { "holds " } else { "BROKEN" }, proof.name))?;
        proof.violations.iter().try_for_each(|violation| say(format!("          {violation}")))?;
    }
    Ok(())
}

/// What a bundle cannot prove by itself: that it is of the run which others have seen.
fn print_to_compare(checked: &Checked) -> Result<(), CommandError> {
    say("compare with what you hold from when the run was made:")?;
    let Checked { output_hash, manifest_sha256, previous_manifest_sha256, windows, .. } = checked;
    say(format_args!("  result             {output_hash}"))?;
    if let Some(manifest) = manifest_sha256 {
        say(format_args!("  manifest.json      {manifest}"))?;
    }
    if let Some(previous) = previous_manifest_sha256 {
        say(format_args!("  the one before it  {previous}"))?;
    }
    for WindowSeal { number, previous_seal, seal } in windows {
        say(format_args!("  window {number}: seal {seal}, chained to {previous_seal}"))?;
    }
    Ok(())
}

fn judge(proofs: &[Proof]) -> Result<(), CommandError> {
    match proofs.iter().filter(|p| !p.holds()).count() {
        0 => Ok(()),
        broken => Err(CommandError::fault(format!("{broken} of {} proofs failed", proofs.len()))),
    }
}
