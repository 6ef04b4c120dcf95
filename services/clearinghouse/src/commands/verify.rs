//! `scriphouse verify`: are the books right? Every proof, and what breaks it.

use super::{CommandError, Context, Sharing, say};
use crate::verify::{self, Verified};
use clap::Args;
use ledger::proofs::Extent;

/// Proves that the books are right: recomputes every balance, chain, position, seal and file from what is stored.
///
/// Read-only, and works beside a running `serve`. Exit code 0: every rule holds; 1: one is broken, and what breaks it is listed.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Print one JSON object instead: {"holds": bool, "checked": {..counts}, "proofs": [{"name", "holds", "violations"}]}.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &VerifyArgs, context: &Context) -> Result<(), CommandError> {
    let database = context.open(Sharing::Existing).await?;
    let db = context.connect(&database).await?;
    let Verified { proofs, extent } = verify::verify(&db).await?;
    drop(db);
    database.close().await;

    let broken = proofs.iter().filter(|p| !p.holds()).count();
    if args.json {
        let list: Vec<_> =
            proofs.iter().map(|p| serde_json::json!({"name": p.name, "holds": p.holds(), "violations": p.violations})).collect();
        say(serde_json::json!({"holds": broken == 0, "checked": extent, "proofs": list}))?;
    } else {
        let Extent { accounts, entries, swaps, obligations, windows, runs } = extent;
        say(format_args!(
            "checked {accounts} accounts, {entries} entries, {swaps} swaps, {obligations} obligations, {windows} windows, {runs} runs"
        ))?;
        for proof in &proofs {
            say(format!("{}  {}", if proof.holds() { "holds " } else { "BROKEN" }, proof.name))?;
            proof.violations.iter().try_for_each(|violation| say(format!("          {violation}")))?;
        }
    }
    match broken {
        0 => Ok(()),
        _ => Err(CommandError::fault(format!("{broken} of {} proofs failed", proofs.len()))),
    }
}
